// The backends that routes and enrolled Services lead to; nothing is kept for the other Services of a cluster.

import type { BackendPlan, ServicePlan } from '../policies/plan.ts';
import type { Changes } from './changes.ts';
import { DraftMap } from './draft-map.ts';
import { backendPlan, type SliceIndex, updateSlices } from './endpoints.ts';
import type { Resources } from './resources.ts';
import { reuse } from './reuse.ts';
import type { ShardedMap } from './sharded-map.ts';
import type { Translation } from './translation.ts';

export interface BackendNeeds {
  /** By backend id: how many routes lead there. */
  readonly uses: ShardedMap<number>;
  /** An enrolled Service may be forwarded to itself. */
  readonly services: ReadonlyMap<string, ServicePlan>;
  /** Backends of which the need changed. */
  readonly changed: Iterable<string>;
}

export interface BackendsChange {
  readonly backends: ReadonlyMap<string, BackendPlan>;
  readonly slices: SliceIndex;
}

const NONE: readonly never[] = [];

export function updateBackends(
  before: Translation,
  resources: Resources,
  changes: Changes,
  needs: BackendNeeds,
): BackendsChange {
  const { state, snapshot } = before;
  const slices = updateSlices(
    state.slices,
    changes.EndpointSlice,
    state.resources.EndpointSlice,
    resources.EndpointSlice,
  );
  const stale = new Set([
    ...needs.changed,
    ...portsOf(changes.Service, resources),
    ...portsOf(slices.services, resources),
  ]);
  const draft = new DraftMap(snapshot.backends);
  for (const id of stale) {
    const isNeeded = needs.uses.get(id) !== undefined || needs.services.has(id);
    const plan = isNeeded ? planOf(id, resources, slices.index) : undefined;
    draft.put(id, plan && reuse(snapshot.backends.get(id), plan));
  }
  return { backends: draft.current, slices: slices.index };
}

function* portsOf(services: ReadonlySet<string>, resources: Resources): Iterable<string> {
  for (const key of services) {
    for (const { port } of resources.Service.get(key)?.spec.ports ?? NONE) yield `${key}:${port}`;
  }
}

function planOf(id: string, resources: Resources, slices: SliceIndex): BackendPlan | undefined {
  const colon = id.lastIndexOf(':');
  const key = id.slice(0, colon);
  const service = resources.Service.get(key);
  const number = Number(id.slice(colon + 1));
  const port = service?.spec.ports.find((candidate) => candidate.port === number && candidate.protocol === 'TCP');
  return service === undefined || port === undefined ? undefined : backendPlan(id, port, slices.get(key) ?? NONE);
}
