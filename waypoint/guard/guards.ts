// Who guards a request: the access plans of its Gateway, its Service and its route together, linked once for each such place.

import { Authorizer } from '../../policies/authorizer.ts';
import type { AccessPlan } from '../../policies/plan.ts';
import type { Exchange } from '../exchange.ts';
import { Authenticator } from '../jwt/authenticator.ts';
import type { LivePlan } from '../live-plan.ts';
import type { Worker } from '../worker-context.ts';

/** What is asked of every request to one place. */
export interface Guard {
  /** In the order Gateway, Service, route; those that have any. */
  readonly plans: readonly AccessPlan[];
  /** null: no token is looked at. */
  readonly authenticator: Authenticator | null;
  /** null: everybody may. */
  readonly authorizer: Authorizer | null;
}

/** Where a guard was last looked up from; kept beside a route's plan, so that most requests compare and need no look-up. */
export class GuardMemo {
  guards: Guards | null = null;
  place: unknown = null;
  guard: Guard | null = null;
}

export class Guards {
  readonly #plans: ReadonlyMap<string, AccessPlan>;
  readonly #known: Map<string, Guard> = new Map();
  /** Guards of the snapshot before: what is asked of the same plans stays, with the tokens it has verified. */
  readonly #before: ReadonlyMap<string, Guard>;

  constructor(plans: ReadonlyMap<string, AccessPlan>, before: Guards | null) {
    this.#plans = plans;
    this.#before = before === null ? new Map() : before.#known;
  }

  /** Whether these guard by the same plans. */
  guard(plans: ReadonlyMap<string, AccessPlan>): boolean {
    return plans === this.#plans;
  }

  /** null: nobody guards it. */
  of(x: Exchange): Guard | null {
    if (this.#plans.size === 0) return null;
    const plan = x.plan as LivePlan;
    const memo = plan.guard;
    // The route and its Gateway are the plan's; the Service is the one addressed, else the one that was chosen.
    const place = x.service ?? x.backend;
    if (memo.guards === this && memo.place === place) return memo.guard;
    memo.guards = this;
    memo.place = place;
    memo.guard = this.#find(x, plan);
    return memo.guard;
  }

  #find(x: Exchange, { plan }: LivePlan): Guard | null {
    const targets = targetsOf(
      x.bind.gateway,
      x.service,
      x.backend?.id ?? null,
      plan.kind === 'Default' ? null : `${plan.kind} ${plan.route}`,
    ).filter((target) => this.#plans.has(target));
    if (targets.length === 0) return null;
    // Routes that nothing guards but their Service or Gateway share its guard.
    const key = targets.join('\n');
    let guard = this.#known.get(key);
    if (guard === undefined) {
      guard = this.#make(key, targets, x.worker);
      this.#known.set(key, guard);
    }
    return guard;
  }

  #make(key: string, targets: readonly string[], worker: Worker): Guard {
    const plans = targets.map((target) => this.#plans.get(target) as AccessPlan);
    const before = this.#before.get(key);
    if (before?.plans.length === plans.length && before.plans.every((plan, index) => plan === plans[index]))
      return before;
    const authentications = plans.flatMap((plan) => plan.authentications);
    const policies = plans.flatMap((plan) => plan.policies);
    return {
      plans,
      authenticator: authentications.length === 0 ? null : new Authenticator(authentications, worker.keys),
      authorizer: policies.length === 0 ? null : new Authorizer(policies, worker.trustDomains),
    };
  }
}

interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

/** The targets whose access plans hold for a request, each named as in Snapshot.access. */
export function targetsOf(
  gateway: string,
  service: ServiceName | null,
  backend: string | null,
  route: string | null,
): readonly string[] {
  const targets = [`Gateway ${gateway}`];
  if (service !== null) targets.push(`Service ${service.namespace}/${service.name}`);
  else if (backend !== null) targets.push(`Service ${backend.slice(0, backend.lastIndexOf(':'))}`);
  if (route !== null) targets.push(route);
  return targets;
}
