// One token being verified, however many requests carry it: for its keys it waits as long as its rule allows.

import type { JwtRulePlan } from '../../policies/authentication.ts';
import type { Key, KeySet } from './key-set.ts';
import type { KeyStore } from './key-store.ts';
import { type ParsedToken, SKEW_SECONDS } from './parse-token.ts';
import { verifySignature } from './signature.ts';
import { believed, type TokenVerdict } from './verdict.ts';

/** A rule whose issuer and audience fit. */
export interface Candidate {
  readonly rule: JwtRulePlan;
  /** `RequestAuthentication shop/orders`. */
  readonly policy: string;
  readonly set: KeySet;
}

export interface Case {
  readonly token: string;
  readonly parsed: ParsedToken;
  readonly candidates: readonly Candidate[];
}

export interface Outcome {
  /** null: refused, for `reason`. */
  readonly verdict: TokenVerdict | null;
  readonly reason: string;
  readonly policy: string;
}

/** A token that names no key is tried with this many. */
const MAX_TRIES = 32;

export class Verification {
  readonly #case: Case;
  readonly #keys: KeyStore;
  readonly #judge: object;
  /** Called when nobody needs to join any more. */
  readonly #over: () => void;
  readonly #waiters: Set<(outcome: Outcome) => void> = new Set();
  /** Ends the wait for keys. */
  #stop: (() => void) | null = null;
  #abandoned = false;

  constructor(that: Case, keys: KeyStore, judge: object, over: () => void) {
    this.#case = that;
    this.#keys = keys;
    this.#judge = judge;
    this.#over = over;
    void this.#run();
  }

  /** When nobody waits any more, nobody's keys are waited for. */
  join(waiter: (outcome: Outcome) => void): { cancel(): void } {
    const own = (outcome: Outcome): void => waiter(outcome);
    this.#waiters.add(own);
    return { cancel: () => this.#leave(own) };
  }

  #leave(waiter: (outcome: Outcome) => void): void {
    if (!this.#waiters.delete(waiter) || this.#waiters.size > 0) return;
    this.#abandoned = true;
    this.#over();
    this.#stop?.();
  }

  async #run(): Promise<void> {
    let outcome: Outcome | null = null;
    for (const candidate of this.#case.candidates) {
      outcome = await this.#try(candidate);
      if (outcome.verdict !== null || this.#abandoned) break;
    }
    if (this.#abandoned) return;
    this.#over();
    const waiters = [...this.#waiters];
    // Emptied first: a late cancel finds nothing to end.
    for (const waiter of waiters) if (this.#waiters.delete(waiter)) waiter(outcome as Outcome);
  }

  async #try({ rule, policy, set }: Candidate): Promise<Outcome> {
    const refuse = (reason: string): Outcome => ({ verdict: null, reason, policy });
    const { algorithm, kid } = this.#case.parsed;
    if (set.state === 'pending') await this.#news(set, rule.timeoutMs);
    if (set.state !== 'usable') return refuse('jwt_keys_unavailable');
    let keys = set.candidates(algorithm, kid);
    // A key that is not known yet may be the issuer's newest.
    if (keys.length === 0 && kid !== null && this.#keys.ask(set)) {
      await this.#news(set, rule.timeoutMs);
      keys = set.candidates(algorithm, kid);
    }
    if (keys.length === 0 || this.#abandoned) return refuse('jwt_key_unknown');
    let reason = '';
    for (const key of keys.slice(0, MAX_TRIES)) {
      reason = await this.#sign(rule, key);
      if (reason === '') return { verdict: this.#believe(rule, policy, key), reason, policy };
      if (reason !== 'jwt_signature') break;
    }
    return refuse(reason);
  }

  async #sign(rule: JwtRulePlan, key: Key): Promise<string> {
    const { token, parsed } = this.#case;
    const { issuer, audiences } = rule;
    const now = this.#keys.now();
    const reason = await verifySignature(token, key, { algorithm: parsed.algorithm, issuer, audiences, now });
    // Taken out of the set meanwhile: then it proves nothing.
    return reason === '' && !key.live ? 'jwt_key_unknown' : reason;
  }

  #believe(rule: JwtRulePlan, policy: string, key: Key): TokenVerdict {
    const { token, parsed } = this.#case;
    const verdict = believed(parsed, rule, policy);
    const { expiresAt } = parsed;
    const until = expiresAt === null ? Number.POSITIVE_INFINITY : (expiresAt + SKEW_SECONDS) * 1_000;
    this.#keys.cache.keep(token, { judge: this.#judge, verdict, key, until });
    return verdict;
  }

  /** Settles at the next news of the set, when the time is over, or when nobody waits any more. */
  #news(set: KeySet, timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const settle = (): void => {
        clearTimeout(timer);
        forget();
        this.#stop = null;
        resolve();
      };
      const timer = setTimeout(settle, timeoutMs);
      const forget = set.await(settle);
      this.#stop = settle;
    });
  }
}
