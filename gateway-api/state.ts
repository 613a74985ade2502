// The last good text of every file, kept on disk so that a restart over a broken file serves what served before.
import { hash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const idleMs = 1000;
/** May hold what Secrets hold. */
const mode = 0o600;

export class State {
  readonly #directory: string;
  readonly #complain: (message: string) => void;
  /** Texts that are still to be written, by file. */
  readonly #waiting = new Map<string, string>();
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  /** `complain` is told what cannot be kept; serving goes on. */
  constructor(directory: string, complain: (message: string) => void) {
    this.#directory = directory;
    this.#complain = complain;
  }

  /** The last good text of the file, null when none is kept. */
  load(file: string): string | null {
    try {
      const kept = readFileSync(this.#pathOf(file), 'utf8');
      return kept.slice(kept.indexOf('\n') + 1);
    } catch {
      return null;
    }
  }

  /** This text of the file is good: it is written when there is time. */
  keep(file: string, text: string): void {
    this.#waiting.set(file, text);
    this.#timer ??= setTimeout(() => void this.#write(), idleMs).unref();
  }

  /** Writes what is still waiting. */
  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    try {
      if (this.#waiting.size > 0) mkdirSync(this.#directory, { recursive: true });
      for (const [file, text] of this.#waiting) {
        const path = this.#pathOf(file);
        writeFileSync(`${path}.closing`, contentOf(file, text), { mode });
        renameSync(`${path}.closing`, path);
      }
    } catch (error) {
      this.#failed(error as Error);
    }
    this.#waiting.clear();
  }

  #pathOf(file: string): string {
    return join(this.#directory, `${hash('sha1', file)}.last-good`);
  }

  async #write(): Promise<void> {
    try {
      await mkdir(this.#directory, { recursive: true });
      for (const [file, text] of this.#waiting) {
        if (this.#closed) return;
        await writeIfNew(this.#pathOf(file), contentOf(file, text));
        if (this.#waiting.get(file) === text) this.#waiting.delete(file);
      }
    } catch (error) {
      this.#waiting.clear();
      this.#failed(error as Error);
    }
    const more = this.#waiting.size > 0 && !this.#closed;
    this.#timer = more ? setTimeout(() => void this.#write(), idleMs).unref() : null;
  }

  #failed(error: Error): void {
    this.#complain(`cannot keep the last good configuration in ${this.#directory}: ${error.message}`);
  }
}

function contentOf(file: string, text: string): string {
  return `${file}\n${text}`;
}

async function writeIfNew(path: string, content: string): Promise<void> {
  const before = await readFile(path, 'utf8').catch(() => null);
  if (before === content) return;
  await writeFile(`${path}.new`, content, { mode });
  await rename(`${path}.new`, path);
}
