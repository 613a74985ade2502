// A route plan as a worker runs it: the plain data, with its shares bound to live backends.

import type { BackendShare, RoutePlan, RoutePlanEntry } from '../policies/plan.ts';
import type { Backend, Registry } from '../routing/registry.ts';
import { Split } from '../routing/split.ts';
import type { RouteEntry } from '../routing/table.ts';

export interface LiveShare {
  readonly share: BackendShare;
  /** null: the reference is broken and `share.failure` says why. */
  readonly backend: Backend | null;
}

export class LivePlan {
  readonly plan: RoutePlan;
  readonly split: Split<LiveShare>;
  /** Where the metrics keep this plan's series; theirs alone. */
  series: unknown = null;

  constructor(plan: RoutePlan, registry: Registry) {
    this.plan = plan;
    this.split = new Split(
      plan.backends.map((share) => ({
        weight: share.weight,
        value: { share, backend: share.backend === null ? null : registry.backend(share.backend) },
      })),
    );
  }
}

/** Binds one attached route to the live backends that it names. */
export function linkEntry(entry: RoutePlanEntry, registry: Registry): RouteEntry<LivePlan> {
  return {
    key: entry.key,
    kind: entry.kind,
    namespace: entry.namespace,
    name: entry.name,
    createdAt: entry.createdAt,
    hostnames: entry.hostnames,
    rules: entry.rules.map((rule) => ({ matches: rule.matches, value: new LivePlan(rule.plan, registry) })),
  };
}
