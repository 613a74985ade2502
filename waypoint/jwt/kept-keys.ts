// Key sets kept on disk, so that a restart during an outage of their servers believes the tokens it believed before.

import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PublicJwk, parseJwks } from '../../policies/jwks.ts';

const FILE = 'jwks.json';
/** What only grew older is not written again sooner. */
const REWRITE_MS = 60_000;

interface Kept {
  readonly keys: readonly PublicJwk[];
  /** When they were fetched; wall clock, ms. */
  readonly at: number;
}

export class KeptKeys {
  readonly #path: string | null;
  readonly #complain: (message: string) => void;
  #kept: Map<string, Kept> | null = null;

  /** null: kept nowhere. `complain` is told what cannot be read or kept; serving goes on. */
  constructor(directory: string | null, complain: (message: string) => void) {
    this.#path = directory === null ? null : join(directory, FILE);
    this.#complain = complain;
  }

  /** What was fetched from `uri` by an earlier run. */
  get(uri: string): Kept | null {
    return this.#all().get(uri) ?? null;
  }

  set(uri: string, keys: readonly PublicJwk[]): void {
    if (this.#path === null) return;
    const before = this.get(uri);
    const at = Date.now();
    const isSame = before !== null && JSON.stringify(before.keys) === JSON.stringify(keys);
    if (isSame && at >= before.at && at - before.at < REWRITE_MS) return;
    this.#all().set(uri, { keys, at });
    this.#write();
  }

  drop(uri: string): void {
    if (this.#path !== null && this.#all().delete(uri)) this.#write();
  }

  #all(): Map<string, Kept> {
    this.#kept ??= this.#read();
    return this.#kept;
  }

  #read(): Map<string, Kept> {
    if (this.#path === null) return new Map();
    try {
      return keptIn(JSON.parse(readFileSync(this.#path, 'utf8')));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT') this.#complain(`cannot read kept keys, they are fetched anew: ${message}`);
      return new Map();
    }
  }

  #write(): void {
    const path = this.#path as string;
    const sets = [...this.#all()].map(([uri, { keys, at }]) => ({ uri, at, keys: keys.map(published) }));
    try {
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(`${path}.new`, `${JSON.stringify({ sets }, null, 1)}\n`, { mode: 0o600 });
      renameSync(`${path}.new`, path);
    } catch (error) {
      this.#complain(`cannot keep keys in ${path}: ${(error as Error).message}`);
    }
  }
}

function published({ kid, algorithms, members }: PublicJwk): object {
  return { ...members, kid: kid ?? undefined, alg: algorithms.length === 1 ? algorithms[0] : undefined };
}

/** Whatever is not as it was written is left out: it is fetched anew. */
function keptIn(raw: unknown): Map<string, Kept> {
  const kept = new Map<string, Kept>();
  const sets = (raw as { readonly sets?: unknown } | null)?.sets;
  for (const set of Array.isArray(sets) ? sets : []) {
    const { uri, at, keys } = (set ?? {}) as { readonly uri?: unknown; readonly at?: unknown; readonly keys?: unknown };
    const parsed = parseJwks(JSON.stringify({ keys }));
    if (typeof uri === 'string' && typeof at === 'number' && typeof parsed !== 'string')
      kept.set(uri, { keys: parsed, at });
  }
  return kept;
}
