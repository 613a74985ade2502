// The request policy of a share as a worker runs it: its plan, with the buckets, sessions and balancer that it names.

import type { BucketStore } from '../policies/bucket-store.ts';
import { RateLimiter } from '../policies/rate-limit.ts';
import { Sessions } from '../policies/session.ts';
import type { Sign } from '../policies/session-token.ts';
import { NO_REQUEST_POLICY, type Policies, type RequestPolicy } from '../policies/traffic.ts';
import { type Balancer, balancerFor } from '../routing/balancer.ts';
import type { ConsistentHashPlan } from '../routing/load-balancing.ts';

/** Everything live that a request policy names; null where it names nothing. */
export interface LivePolicy {
  readonly plan: RequestPolicy;
  readonly limiter: RateLimiter | null;
  readonly sessions: Sessions | null;
  /** A rule's own; null: the backend's. */
  readonly balancer: Balancer | null;
  readonly hash: ConsistentHashPlan | null;
}

export interface LivePolicies {
  readonly enforced: LivePolicy;
  /** What policies in mode Shadow would do; null: none is. */
  readonly shadow: LivePolicy | null;
}

/** Makes live policies; their buckets are in a store that outlives every snapshot. */
export class PolicyLinker {
  readonly #sign: Sign;
  readonly #store: BucketStore;
  readonly #known: WeakMap<Policies<RequestPolicy>, LivePolicies> = new WeakMap();

  constructor(sign: Sign, store: BucketStore) {
    this.#sign = sign;
    this.#store = store;
  }

  link(policies: Policies<RequestPolicy>): LivePolicies {
    let live = this.#known.get(policies);
    if (live === undefined) {
      const { enforced, shadow } = policies;
      live = {
        enforced: this.#live(enforced, ''),
        shadow: shadow === null ? null : this.#live(shadow, 'shadow '),
      };
      this.#known.set(policies, live);
    }
    return live;
  }

  #live(plan: RequestPolicy, mode: string): LivePolicy {
    const { loadBalancing, session, sessionScope } = plan;
    return {
      plan,
      limiter: this.#limiter(plan, mode),
      sessions: session === null ? null : new Sessions(session, sessionScope ?? '', this.#sign),
      balancer: loadBalancing === null ? null : balancerFor(loadBalancing),
      hash: loadBalancing === null ? null : loadBalancing.consistentHash,
    };
  }

  #limiter({ rateLimit, rateLimitScope }: RequestPolicy, mode: string): RateLimiter | null {
    return rateLimit === null ? null : new RateLimiter(rateLimit, `${mode}${rateLimitScope}`, this.#store);
  }
}

/** Nobody said anything: every default holds. */
export const NO_POLICIES: LivePolicies = {
  enforced: { plan: NO_REQUEST_POLICY.enforced, limiter: null, sessions: null, balancer: null, hash: null },
  shadow: null,
};
