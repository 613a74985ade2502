// A route plan as a worker runs it: the plain data, with its shares bound to live backends and policies.

import type { BackendShare, RoutePlan, RoutePlanEntry } from '../policies/plan.ts';
import type { Sessions } from '../policies/session.ts';
import type { Backend, Registry } from '../routing/registry.ts';
import { Split } from '../routing/split.ts';
import type { RouteEntry } from '../routing/table.ts';
import { GuardMemo } from './guard/guards.ts';
import type { LivePolicies, PolicyLinker } from './live-policy.ts';

/** What plans are bound to. */
export interface Linker {
  readonly registry: Registry;
  readonly policies: PolicyLinker;
}

export interface LiveShare {
  readonly share: BackendShare;
  /** null: the reference is broken and `share.failure` says why. */
  readonly backend: Backend | null;
  readonly policies: LivePolicies;
}

export class LivePlan {
  readonly plan: RoutePlan;
  readonly split: Split<LiveShare>;
  /** All of them, those of weight 0 too: a session may lead there. */
  readonly shares: readonly LiveShare[];
  /** What holds where no share is chosen. */
  readonly policies: LivePolicies;
  /** The sessions of the rule, asked before the weights; null: none. */
  readonly sessions: Sessions | null;
  readonly guard: GuardMemo = new GuardMemo();
  /** Where the metrics keep this plan's series; theirs alone. */
  series: unknown = null;

  constructor(plan: RoutePlan, { registry, policies }: Linker) {
    this.plan = plan;
    this.policies = policies.link(plan.policy);
    this.shares = plan.backends.map((share) => ({
      share,
      backend: share.backend === null ? null : registry.backend(share.backend),
      policies: policies.link(share.policy),
    }));
    this.sessions =
      this.shares.find((one) => one.policies.enforced.sessions !== null)?.policies.enforced.sessions ?? null;
    this.split = new Split(this.shares.map((value) => ({ weight: value.share.weight, value })));
  }
}

/** Binds one attached route to the live backends that it names. */
export function linkEntry(entry: RoutePlanEntry, linker: Linker): RouteEntry<LivePlan> {
  return {
    key: entry.key,
    kind: entry.kind,
    namespace: entry.namespace,
    name: entry.name,
    createdAt: entry.createdAt,
    hostnames: entry.hostnames,
    rules: entry.rules.map((rule) => ({ matches: rule.matches, value: new LivePlan(rule.plan, linker) })),
  };
}
