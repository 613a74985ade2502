// Tokens that were verified, by their text: bounded, the least used of them forgotten first, none believed past its time.

import type { Key } from './key-set.ts';
import type { TokenVerdict } from './verdict.ts';

/** One verified token as one authenticator judged it. */
interface Verified {
  /** Whoever judged: rules of others do not count for it. */
  readonly judge: object;
  readonly verdict: TokenVerdict;
  readonly key: Key;
  /** Wall clock, ms: from then on it is expired. */
  readonly until: number;
  /** The same token as another judged it. */
  readonly next: Verified | null;
}

/** Of either half: what is kept is at most twice that. */
const MAX_TOKENS = 8_192;
const MAX_BYTES = 8 * 1_048_576;
/** What is kept of a token beside its text: claims weigh about as much as what they were read from. */
const OVERHEAD_BYTES = 768;
const WEIGHT = 4;

/** So many judged one token at most. */
const MAX_JUDGES = 16;

/** Two halves: what is used moves to the young one, and the old one is let go as a whole when the young one is full. */
export class TokenCache {
  #young: Map<string, Verified> = new Map();
  #old: Map<string, Verified> = new Map();
  #bytes = 0;

  find(token: string, judge: object, now: number): TokenVerdict | null {
    let first = this.#young.get(token);
    if (first === undefined) {
      first = this.#old.get(token);
      if (first === undefined) return null;
      this.#old.delete(token);
      this.#put(flat(token), first);
    }
    let entry: Verified | null = first;
    while (entry !== null && entry.judge !== judge) entry = entry.next;
    if (entry === null) return null;
    if (entry.key.live && now < entry.until) return entry.verdict;
    // Whatever else was said of it is as old.
    this.#young.delete(token);
    return null;
  }

  keep(token: string, entry: Omit<Verified, 'next'>): void {
    const known = this.#young.get(token) ?? this.#old.get(token) ?? null;
    this.#old.delete(token);
    this.#put(flat(token), { ...entry, next: without(known, entry.judge) });
  }

  /** How many tokens are kept. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  #put(token: string, entry: Verified): void {
    const bytes = token.length * WEIGHT + OVERHEAD_BYTES;
    if (this.#young.size >= MAX_TOKENS || this.#bytes + bytes > MAX_BYTES) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#bytes = 0;
    }
    this.#bytes += bytes;
    this.#young.set(token, entry);
  }
}

/** The others that still hold, the latest of them: authenticators of configurations long gone are not kept alive here. */
function without(chain: Verified | null, judge: object): Verified | null {
  const others: Verified[] = [];
  for (let entry = chain; entry !== null && others.length < MAX_JUDGES - 1; entry = entry.next)
    if (entry.judge !== judge && entry.key.live) others.push(entry);
  return others.reduceRight<Verified | null>((next, entry) => ({ ...entry, next }), null);
}

/** A token is a slice of the head that it came in: kept as it is, it would keep all of that. */
function flat(token: string): string {
  return Buffer.from(token, 'latin1').toString('latin1');
}
