// One rate limit: how fast its buckets refill, how much they hold, and which of the store's buckets are its own.

import { type BucketStore, hashOn } from './bucket-store.ts';

export class LocalLimiter {
  /** Time that one token takes to come back, and that a whole bucket takes. */
  readonly tokenMs: number;
  readonly bucketMs: number;
  now = 0;
  readonly #store: BucketStore;
  /** Where the hashes of a key start: other limits start elsewhere. */
  readonly #one: number;
  readonly #two: number;
  readonly #limit: number;
  #slot = 0;
  #fullAt = 0;

  /** `scope` tells this limit from all others of the store. */
  constructor(
    limit: { readonly requests: number; readonly perMs: number; readonly burst: number },
    scope: string,
    store: BucketStore,
  ) {
    this.tokenMs = limit.perMs / limit.requests;
    this.bucketMs = limit.burst * this.tokenMs;
    this.#store = store;
    this.#limit = hashOn(store.seed ^ 0x9e3779b9, scope);
    this.#one = hashOn(store.seed ^ 0x7f4a7c15, scope);
    this.#two = hashOn(store.seed ^ 0x1ce4e5b9, scope);
  }

  /** Takes a token of the key's bucket. The other methods are about that bucket, as it was left then. */
  take(key: string, now: number): boolean {
    const store = this.#store;
    this.now = now;
    const taken = store.take(hashOn(this.#one, key), hashOn(this.#two, key), this.#limit, this);
    this.#slot = store.slot;
    this.#fullAt = store.fullAt;
    return taken;
  }

  /** Puts the token back. */
  refund(): void {
    this.#store.refund(this.#slot, this.tokenMs);
    this.#fullAt -= this.tokenMs;
  }

  /** Whole tokens left. */
  remaining(now: number): number {
    return Math.max(0, Math.floor((this.bucketMs - this.resetMs(now)) / this.tokenMs + 1e-6));
  }

  /** Until the bucket is full. */
  resetMs(now: number): number {
    return Math.max(0, this.#fullAt - now);
  }

  /** Until there is a token. */
  retryMs(now: number): number {
    return Math.max(0, this.resetMs(now) + this.tokenMs - this.bucketMs);
  }
}
