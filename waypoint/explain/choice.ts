// Which endpoint a request comes back to by its session or its key: what else decides changes with every request.

import type { FilterContext } from '../../policies/policy.ts';
import { rateLimitKey } from '../../policies/rate-limit-key.ts';
import { balancerFor } from '../../routing/balancer.ts';
import { hashKey } from '../../routing/hash-key.ts';
import type { LoadBalancingPlan } from '../../routing/load-balancing.ts';
import type { Backend, Registry } from '../../routing/registry.ts';
import type { Fields } from '../../routing/request.ts';
import type { LivePlan } from '../live-plan.ts';
import type { ExplainedChoice, ExplainedSession } from './report.ts';

/** `fields` before any filter, as sessions are looked for; null: the rule keeps none. */
export function sessionOf({ sessions, shares }: LivePlan, fields: Fields, registry: Registry): ExplainedSession | null {
  if (sessions === null) return null;
  const { name } = sessions;
  const found = sessions.find(fields, Date.now());
  const share = shares.find(({ backend }) => backend !== null && backend.id === found?.backend);
  if (found === null || share === undefined) return { name, backend: null, endpoint: null };
  const endpoint = registry.peek(found.backend)?.persistent(found.endpoint, 0) ?? null;
  return { name, backend: found.backend, endpoint: endpoint?.id ?? null };
}

interface Chosen {
  readonly backend: Backend;
  /** What holds for this rule and this backend. */
  readonly balancing: LoadBalancingPlan | null;
  /** The request as its filters leave it. */
  readonly context: FilterContext;
  /** The waypoint's own. */
  readonly zone: string | null;
}

export function choiceOf({ backend, balancing, context, zone }: Chosen): ExplainedChoice | null {
  if (balancing === null || balancing.consistentHash === null) return null;
  const { source, name } = balancing.consistentHash;
  const by = source === 'sourceIP' ? 'source address' : `${source} ${name}`;
  // Whose address it will be nobody knows.
  const key = source === 'sourceIP' ? '' : rateLimitKey([balancing.consistentHash], context);
  if (key === '') return { by, key, endpoint: null };
  const asked = { now: 0, random: () => 0, avoid: null, zone, hash: hashKey(key) };
  return { by, key, endpoint: balancerFor(balancing).pick(backend, asked)?.id ?? null };
}
