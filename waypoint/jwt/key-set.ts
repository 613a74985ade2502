// The keys of one issuer as a worker has them: replaced as a whole, told from those that left, awaited where they are missing.

import type { webcrypto } from 'node:crypto';
import type { PublicJwk } from '../../policies/jwks.ts';

export class Key {
  readonly jwk: PublicJwk;
  /** false: it was taken out of its set, and vouches for nothing any more. */
  live = true;
  /** As the crypto library wants it, by algorithm. */
  readonly handles: Map<string, webcrypto.CryptoKey> = new Map();

  constructor(jwk: PublicJwk) {
    this.jwk = jwk;
  }
}

/** `pending`: never heard of, so worth waiting for. */
type State = 'pending' | 'usable' | 'unusable';

export class KeySet {
  /** null: inline, so there is nobody to ask for more. */
  readonly uri: string | null;
  state: State = 'pending';
  /** News was asked for and has not come. */
  asked = false;
  #keys: readonly Key[] = [];
  readonly #waiters: Set<() => void> = new Set();

  constructor(uri: string | null) {
    this.uri = uri;
  }

  /** Those that may have signed with this algorithm. A token without `kid` may be of any of them, a key without one of any token. */
  candidates(algorithm: string, kid: string | null): readonly Key[] {
    return this.#keys.filter(
      ({ jwk }) => jwk.algorithms.includes(algorithm) && (kid === null || jwk.kid === null || jwk.kid === kid),
    );
  }

  /** What the set is from now on; null: there is none that may be used. Keys that stay are the same objects as before. */
  update(jwks: readonly PublicJwk[] | null): void {
    const before = new Map(this.#keys.map((key) => [JSON.stringify(key.jwk), key]));
    this.#keys = (jwks ?? []).map((jwk) => before.get(JSON.stringify(jwk)) ?? new Key(jwk));
    const kept = new Set(this.#keys);
    for (const key of before.values()) if (!kept.has(key)) key.live = false;
    this.state = jwks === null ? 'unusable' : 'usable';
    this.asked = false;
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter();
  }

  /** Calls `heard` once at the next news; returns how to be forgotten. */
  await(heard: () => void): () => void {
    this.#waiters.add(heard);
    return () => this.#waiters.delete(heard);
  }
}
