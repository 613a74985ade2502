// Services that are asked about requests beside those that serve them: they are backends too, though no route leads there.

import type { AccessPlan, ServicePlan } from '../policies/plan.ts';
import type { Policies, RequestPolicy } from '../policies/traffic.ts';

type Services = ReadonlyMap<string, ServicePlan>;
type Access = ReadonlyMap<string, AccessPlan>;

const NONE: ReadonlySet<string> = new Set();
/** What changes seldom is looked through once. */
const ofServices = new WeakMap<Services, ReadonlySet<string>>();
const ofAccess = new WeakMap<Access, ReadonlySet<string>>();

/** Those that Services without a route and authorization policies ask; routes count their own. */
export function calledServices(services: Services, access: Access): ReadonlySet<string> {
  const limits = remembered(ofServices, services, limitsOf);
  const guards = remembered(ofAccess, access, guardsOf);
  return guards.size === 0 ? limits : limits.union(guards);
}

/** The services that limit the requests of one plan; in the shadow too. */
export function* limitServices({ enforced, shadow }: Policies<RequestPolicy>): Iterable<string> {
  for (const policy of shadow === null ? [enforced] : [enforced, shadow]) {
    const backend = policy.rateLimit?.global?.backend ?? null;
    if (backend !== null) yield backend;
  }
}

function* limitsOf(services: Services): Iterable<string> {
  for (const { fallback } of services.values()) {
    for (const { policy } of fallback.backends) yield* limitServices(policy);
  }
}

function* guardsOf(access: Access): Iterable<string> {
  for (const { policies } of access.values()) {
    for (const { externalAuth } of policies) {
      const backend = externalAuth === null ? null : externalAuth.backend;
      if (backend !== null) yield backend;
    }
  }
}

function remembered<K extends object>(
  known: WeakMap<K, ReadonlySet<string>>,
  key: K,
  find: (key: K) => Iterable<string>,
): ReadonlySet<string> {
  let found = known.get(key);
  if (found === undefined) {
    found = new Set(find(key));
    if (found.size === 0) found = NONE;
    known.set(key, found);
  }
  return found;
}
