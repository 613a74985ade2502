// Certificates from a directory, one sub-directory each: read at start, and again whenever they are renewed.

import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { CredentialPlan } from '../../policies/plan.ts';
import { Debounce } from '../debounce.ts';
import { type DirectoryEvent, DirectoryWatches } from '../directory-watches.ts';
import { statOf } from '../file-tree.ts';
import { Settling } from '../settling.ts';
import { contentOf } from './content.ts';

export interface CredentialsDirectoryOptions {
  /** Called when `credentials` is another map than before. */
  readonly onChange: () => void;
  readonly log: { warn(message: string): void; info(message: string): void };
}

const FILES = ['tls.crt', 'tls.key', 'ca.crt', 'ca.crl'] as const;
type FileName = (typeof FILES)[number];

/** What a sub-directory holds: the texts, and the same as one string to compare. */
interface Holding {
  readonly files: ReadonlyMap<FileName, string>;
  readonly text: string;
}

/** Nothing that is a certificate is longer. */
const MAX_FILE_BYTES = 1_048_576;
const pollMs = 500;
const NOTHING: Holding = { files: new Map(), text: '[]' };

export class CredentialsDirectory {
  /** By id, `Credential <sub-directory>`; another map whenever something in it changed. */
  credentials: ReadonlyMap<string, CredentialPlan> = new Map();
  readonly #directory: string;
  readonly #options: CredentialsDirectoryOptions;
  /** What was last looked at of each sub-directory and needs no second look, good or not. */
  readonly #judged = new Map<string, Holding>();
  readonly #debounce: Debounce = new Debounce(() => this.#update());
  readonly #settling: Settling = new Settling(() => this.#update());
  readonly #watches: DirectoryWatches = new DirectoryWatches(
    (event) => this.#onEvent(event),
    (directory, reason) =>
      this.#options.log.warn(`cannot watch ${directory} (${reason}): it is read every ${pollMs} ms instead`),
  );
  #poll: NodeJS.Timeout | null = null;
  #isMissing = false;

  constructor(directory: string, options: CredentialsDirectoryOptions) {
    this.#directory = directory;
    this.#options = options;
  }

  /** Reads everything there is. */
  load(): void {
    this.#look('first');
  }

  /** From now on changes are read too. What changed since `load` is found. */
  watch(): void {
    this.#poll = setInterval(() => this.#pollMissing(), pollMs).unref();
    this.#debounce.touch();
  }

  close(): void {
    this.#watches.close();
    this.#debounce.close();
    this.#settling.close();
    if (this.#poll !== null) clearInterval(this.#poll);
    this.#poll = null;
  }

  #onEvent({ directory, name }: DirectoryEvent): void {
    // Either the directory itself went, or the system lost count: the watch may be dead.
    if (name === null || name === basename(directory)) this.#watches.remove(directory);
    this.#debounce.touch();
  }

  #update(): void {
    if (this.#poll === null) return;
    if (this.#look('again')) this.#options.onChange();
  }

  #look(occasion: 'first' | 'again'): boolean {
    const names = this.#names();
    // Those of before stay: a volume that is not there for a moment revokes nothing.
    if (names === null) return false;
    if (occasion === 'again') this.#follow(names);
    const next = new Map(this.credentials);
    for (const name of new Set([...names, ...this.#judged.keys()])) {
      const directory = join(this.#directory, name);
      const isThere = names.includes(name);
      if (!isThere) this.#watches.remove(directory);
      const holding = isThere ? holdingOf(directory) : NOTHING;
      const judged = this.#judged.get(name);
      if (holding.text === (judged ?? NOTHING).text) {
        this.#settling.forget(name);
      } else if (occasion === 'first' || this.#isSettled(name, holding, judged)) {
        this.#judge(name, holding, next);
      }
    }
    const changed =
      next.size !== this.credentials.size || [...next].some(([id, one]) => this.credentials.get(id) !== one);
    if (changed) this.credentials = next;
    return changed;
  }

  /** A renewal writes several files: half of it is not believed before it has stayed the same for a while. */
  #isSettled(name: string, holding: Holding, judged: Holding | undefined): boolean {
    const halfWritten =
      typeof credentialOf(name, holding.files) === 'string' ||
      holding.files.size < (judged?.files.size ?? 0) ||
      certificatesIn(holding) < certificatesIn(judged ?? NOTHING);
    if (halfWritten && !this.#settling.isStable(name, holding.text, performance.now())) return false;
    this.#settling.forget(name);
    return true;
  }

  /** Takes over what is good and gone; of what is broken the last good version stays. */
  #judge(name: string, holding: Holding, next: Map<string, CredentialPlan>): void {
    const id = `Credential ${name}`;
    const known = next.has(id);
    if (holding.files.size === 0) {
      this.#judged.delete(name);
      if (next.delete(id)) this.#options.log.warn(`${id} is gone: no file of it is left`);
      return;
    }
    this.#judged.set(name, holding);
    const credential = credentialOf(id, holding.files);
    if (typeof credential === 'string') {
      const kept = known ? '; its last good version is used' : '';
      this.#options.log.warn(`${id} (${join(this.#directory, name)}) ${credential}${kept}`);
      return;
    }
    if (known && JSON.stringify(next.get(id)) === JSON.stringify(credential)) return;
    if (known) this.#options.log.info(`${id} was renewed`);
    next.set(id, credential);
  }

  /** null: the directory cannot be read. */
  #names(): readonly string[] | null {
    let entries: Dirent[];
    try {
      entries = readdirSync(this.#directory, { withFileTypes: true });
    } catch (error) {
      if (!this.#isMissing) {
        const reason = (error as NodeJS.ErrnoException).code;
        this.#options.log.warn(
          `${this.#directory} cannot be read (${reason}): correct the path or its permissions (a waypoint that runs reads its credentials then)`,
        );
      }
      this.#isMissing = true;
      return null;
    }
    this.#isMissing = false;
    return entries
      .map(({ name }) => name)
      .filter((name) => !name.startsWith('.') && statOf(join(this.#directory, name))?.isDirectory() === true)
      .sort();
  }

  #follow(names: readonly string[]): void {
    this.#watches.add(this.#directory);
    for (const name of names) this.#watches.add(join(this.#directory, name));
  }

  #pollMissing(): void {
    const missing = [...this.#watches.missing];
    if (this.#isMissing || missing.some((directory) => statOf(directory) !== null)) this.#debounce.touch();
  }
}

function holdingOf(directory: string): Holding {
  const files = new Map<FileName, string>();
  for (const name of FILES) {
    const text = textOf(join(directory, name));
    if (text !== null) files.set(name, text);
  }
  return files.size === 0 ? NOTHING : { files, text: JSON.stringify([...files]) };
}

/** null: there is no such file. '' for what cannot be read: no credential is made of it. */
function textOf(file: string): string | null {
  try {
    const stats = statSync(file);
    return stats.isFile() && stats.size <= MAX_FILE_BYTES ? readFileSync(file, 'utf8') : '';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? null : '';
  }
}

function certificatesIn({ text }: Holding): number {
  return text.split('-----BEGIN CERTIFICATE').length;
}

/** The credential, or what is wrong with the files. Whether it is valid at this time is asked where it is used. */
function credentialOf(id: string, files: ReadonlyMap<FileName, string>): CredentialPlan | string {
  for (const [name, text] of files) {
    const [begun, ended] = [text.split('-----BEGIN '), text.split(/-----END [A-Z0-9 ]+-----/)];
    if (begun.length !== ended.length) return `has a ${name} that is cut short`;
  }
  const credential: CredentialPlan = {
    id,
    certificate: files.get('tls.crt') ?? null,
    key: files.get('tls.key') ?? null,
    authorities: files.get('ca.crt') ?? null,
    revocations: files.get('ca.crl') ?? null,
    trustDomain: null,
  };
  const { pair, authorities } = contentOf(credential);
  const { certificate, key, revocations } = credential;
  if ((certificate !== null || key !== null) && pair.problem !== null) return pair.problem;
  if (credential.authorities !== null || revocations !== null) return authorities.problem ?? credential;
  return credential;
}
