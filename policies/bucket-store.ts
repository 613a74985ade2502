// The token buckets of all local rate limits in one bounded table, which the threads of a process may share.

/** Slots that are looked at for a key. */
const PROBES = 8;
/** Buckets for keys that find no slot: one limit's overflow always meets in the same one. */
const OVERFLOW = 256;
const SLOTS = 65_536;
const HEADER_BYTES = 16;
const SLOT_BYTES = 16;
/** Tries before a waiting thread sleeps: whoever holds the lock is done within microseconds, unless it was put to sleep itself. */
const SPINS = 1_000;
const SLEEP_MS = 1;
/** Sums of refill times are off by less than this. */
const ROUNDING_MS = 1e-3;

/**
 * A bucket is kept as the time at which it is full again, so that a full one and none are the same thing: a slot may be
 * given to another key as soon as its bucket is full, and nothing is lost. Keys are kept as 64 bits of a seeded hash: no
 * client can choose a key that meets another's. Times are in ms on a clock that all threads share.
 */
export class BucketStore {
  readonly seed: number;
  /** After `take`: when the bucket is full, and which one it is. */
  fullAt = 0;
  slot = 0;
  readonly #lock: Int32Array;
  readonly #tags: Int32Array;
  readonly #fullAt: Float64Array;
  readonly #slots: number;

  /** Memory for `slots` keys: a SharedArrayBuffer serves several threads, each with a BucketStore of its own on it. */
  constructor(memory: ArrayBuffer | SharedArrayBuffer = new ArrayBuffer(BucketStore.bytes(1024)), seed: number = 0) {
    this.seed = seed;
    const all = (memory.byteLength - HEADER_BYTES) / SLOT_BYTES;
    this.#slots = all - OVERFLOW;
    this.#lock = new Int32Array(memory, 0, 1);
    this.#fullAt = new Float64Array(memory, HEADER_BYTES, all);
    this.#tags = new Int32Array(memory, HEADER_BYTES + all * 8, all * 2);
  }

  static bytes(slots: number = SLOTS): number {
    return HEADER_BYTES + (slots + OVERFLOW) * SLOT_BYTES;
  }

  /** Takes a token of the key's bucket; `one`, `two` are hashes of the key, `limit` of what it is a key of. */
  take(
    one: number,
    two: number,
    limit: number,
    cost: { readonly now: number; readonly tokenMs: number; readonly bucketMs: number },
  ): boolean {
    const { now, tokenMs, bucketMs } = cost;
    this.#acquire();
    const slot = this.#find(one | 0, two | 0, limit, now);
    const fullAt = Math.max(this.#fullAt[slot]!, now) + tokenMs;
    const taken = fullAt - now <= bucketMs + ROUNDING_MS;
    if (taken) this.#fullAt[slot] = fullAt;
    this.fullAt = this.#fullAt[slot]!;
    this.slot = slot;
    this.#release();
    return taken;
  }

  /** Puts a token back that was taken from `slot`. */
  refund(slot: number, tokenMs: number): void {
    this.#acquire();
    this.#fullAt[slot]! -= tokenMs;
    this.#release();
  }

  #find(one: number, two: number, limit: number, now: number): number {
    const tags = this.#tags;
    let empty = -1;
    for (let probe = 0; probe < PROBES; probe += 1) {
      const slot = ((one >>> 0) + probe) % this.#slots;
      if (tags[slot * 2] === one && tags[slot * 2 + 1] === two) return slot;
      if (empty < 0 && this.#fullAt[slot]! <= now) empty = slot;
    }
    if (empty < 0) return this.#slots + ((limit >>> 0) % OVERFLOW);
    tags[empty * 2] = one;
    tags[empty * 2 + 1] = two;
    this.#fullAt[empty] = 0;
    return empty;
  }

  #acquire(): void {
    for (let spin = 0; Atomics.compareExchange(this.#lock, 0, 0, 1) !== 0; spin += 1) {
      if (spin > SPINS && this.#lock.buffer instanceof SharedArrayBuffer) Atomics.wait(this.#lock, 0, 1, SLEEP_MS);
    }
  }

  #release(): void {
    Atomics.store(this.#lock, 0, 0);
  }
}

/** A hash that goes on from `state`; two of them, from different states, tell keys apart. */
export function hashOn(state: number, text: string): number {
  let hash = state;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
