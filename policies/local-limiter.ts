// The token buckets of one rate limit: a bounded number of them, each kept as the time at which it is full again.

/** Buckets of one limit. What finds no place among them shares one. */
const MAX_KEYS = 10_000;
/** How many buckets are looked at for one that may be forgotten. */
const PROBES = 8;
/** Longer keys count by their beginning, length and hash. */
const MAX_KEY_LENGTH = 256;
/** Sums of refill times are off by less than this. */
const ROUNDING_MS = 1e-5;

interface Bucket {
  key: string;
  /** When it is full again, in ms: not later than now means full. */
  fullAt: number;
}

export class LocalLimiter {
  /** Time that one token takes to come back, and that a whole bucket takes. */
  readonly #tokenMs: number;
  readonly #bucketMs: number;
  readonly #keyed: boolean;
  readonly #shared: Bucket = { key: '', fullAt: Number.NEGATIVE_INFINITY };
  readonly #buckets = new Map<string, Bucket>();
  /** The same ones in a ring, and where the search for a forgettable one goes on. */
  readonly #ring: Bucket[] = [];
  #hand = 0;
  #last: Bucket = this.#shared;

  /** `share`: which part of the limit is ours. */
  constructor(
    limit: {
      readonly requests: number;
      readonly perMs: number;
      readonly burst: number;
      readonly key: readonly unknown[];
    },
    share: number,
  ) {
    this.#tokenMs = limit.perMs / (limit.requests * share);
    this.#bucketMs = Math.max(1, limit.burst * share) * this.#tokenMs;
    this.#keyed = limit.key.length > 0;
  }

  /** Takes a token of the key's bucket. The other methods are about that bucket. */
  take(key: string, now: number): boolean {
    const bucket = this.#keyed ? this.#bucketOf(key, now) : this.#shared;
    this.#last = bucket;
    const fullAt = Math.max(bucket.fullAt, now) + this.#tokenMs;
    if (fullAt - now > this.#bucketMs + ROUNDING_MS) return false;
    bucket.fullAt = fullAt;
    return true;
  }

  /** Puts the token back. */
  refund(): void {
    this.#last.fullAt -= this.#tokenMs;
  }

  /** Whole tokens left. */
  remaining(now: number): number {
    return Math.max(0, Math.floor((this.#bucketMs - this.resetMs(now) + ROUNDING_MS) / this.#tokenMs));
  }

  /** Until the bucket is full. */
  resetMs(now: number): number {
    return Math.max(0, this.#last.fullAt - now);
  }

  /** Until there is a token. */
  retryMs(now: number): number {
    return Math.max(0, this.resetMs(now) + this.#tokenMs - this.#bucketMs);
  }

  #bucketOf(key: string, now: number): Bucket {
    const short = key.length <= MAX_KEY_LENGTH ? key : shortened(key);
    return this.#buckets.get(short) ?? this.#placeFor(short, now);
  }

  #placeFor(key: string, now: number): Bucket {
    if (this.#ring.length < MAX_KEYS) {
      const bucket: Bucket = { key: own(key), fullAt: now };
      this.#ring.push(bucket);
      this.#buckets.set(bucket.key, bucket);
      return bucket;
    }
    for (let probe = 0; probe < PROBES; probe += 1) {
      const bucket = this.#ring[this.#hand]!;
      this.#hand = (this.#hand + 1) % MAX_KEYS;
      // A full bucket and a new one are the same: nothing is lost with it.
      if (bucket.fullAt > now) continue;
      this.#buckets.delete(bucket.key);
      bucket.key = own(key);
      bucket.fullAt = now;
      this.#buckets.set(bucket.key, bucket);
      return bucket;
    }
    return this.#shared;
  }
}

/** A copy: a part of a message head would keep the whole head in memory. */
function own(text: string): string {
  return ` ${text}`.slice(1);
}

function shortened(key: string): string {
  let one = 0x811c9dc5;
  let two = 5381;
  for (let index = MAX_KEY_LENGTH; index < key.length; index += 1) {
    const code = key.charCodeAt(index);
    one = Math.imul(one ^ code, 0x01000193);
    two = (Math.imul(two, 33) + code) | 0;
  }
  return `${key.slice(0, MAX_KEY_LENGTH)} ${key.length} ${one >>> 0} ${two >>> 0}`;
}
