// The last good text of every file, kept on disk so that a restart over a broken file serves what served before.
import { hash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const idleMs = 1000;

/** Reports what cannot be kept; serving goes on. */
type Complain = (message: string) => void;

export class State {
  readonly #directory: string;
  readonly #complain: Complain;
  /** Files whose good text is to be kept, with the text's hash: it is read again when there is time, not held in memory. */
  readonly #waiting = new Map<string, string>();
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(directory: string, complain: Complain) {
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

  /** The file's text with this hash is good. */
  keep(file: string, textHash: string): void {
    this.#waiting.set(file, textHash);
    this.#timer ??= setTimeout(() => void this.#write(), idleMs).unref();
  }

  /** Writes what is still waiting. */
  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    try {
      if (this.#waiting.size > 0) mkdirSync(this.#directory, { recursive: true });
      for (const [file, textHash] of this.#waiting) this.#writeNow(file, textHash);
    } catch (error) {
      this.#complain(`cannot keep the last good configuration in ${this.#directory}: ${(error as Error).message}`);
    }
    this.#waiting.clear();
  }

  #pathOf(file: string): string {
    return join(this.#directory, `${hash('sha1', file)}.last-good`);
  }

  async #write(): Promise<void> {
    try {
      await mkdir(this.#directory, { recursive: true });
      for (const [file, textHash] of this.#waiting) {
        if (this.#closed) return;
        await this.#writeOne(file, textHash);
        if (this.#waiting.get(file) === textHash) this.#waiting.delete(file);
      }
    } catch (error) {
      this.#waiting.clear();
      this.#complain(`cannot keep the last good configuration in ${this.#directory}: ${(error as Error).message}`);
    }
    this.#timer = null;
    if (this.#waiting.size > 0 && !this.#closed) this.#timer = setTimeout(() => void this.#write(), idleMs).unref();
  }

  async #writeOne(file: string, textHash: string): Promise<void> {
    const text = await readFile(file, 'utf8').catch(() => null);
    // It changed meanwhile: whatever it is now is judged on its own.
    if (text === null || hash('sha1', text) !== textHash) return;
    const path = this.#pathOf(file);
    const content = `${file}\n${text}`;
    if ((await readFile(path, 'utf8').catch(() => null)) === content) return;
    await writeFile(`${path}.new`, content, { mode: 0o600 });
    await rename(`${path}.new`, path);
  }

  #writeNow(file: string, textHash: string): void {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch {
      return;
    }
    if (hash('sha1', text) !== textHash) return;
    const path = this.#pathOf(file);
    writeFileSync(`${path}.closing`, `${file}\n${text}`, { mode: 0o600 });
    renameSync(`${path}.closing`, path);
  }
}
