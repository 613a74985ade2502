// The backends that routes and enrolled Services lead to; nothing is kept for the other Services of a cluster.

import type { BackendPlan, ServicePlan } from '../policies/plan.ts';
import type { Changes } from './changes.ts';
import { DraftMap } from './draft-map.ts';
import { backendPlan, type SliceIndex, updateSlices } from './endpoints.ts';
import { backendPolicy } from './policies/backend-policy.ts';
import type { PoliciesChange, PolicyIndex } from './policies/targets.ts';
import type { Resources } from './resources.ts';
import { reuse } from './reuse.ts';
import type { ShardedMap } from './sharded-map.ts';
import type { Translation } from './translation.ts';

export interface BackendNeeds {
  /** By backend id, and by `backend@gateway`: how many routes lead there. */
  readonly uses: ShardedMap<number>;
  /** An enrolled Service may be forwarded to itself. */
  readonly services: ReadonlyMap<string, ServicePlan>;
  /** Backends of which the need changed. */
  readonly changed: Iterable<string>;
  readonly policies: PoliciesChange;
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
    ...backendsOf(needs.changed),
    ...retargeted(needs.policies.changedTargets, resources, snapshot.backends),
    ...portsOf(changes.Service, resources),
    ...portsOf(slices.services, resources),
  ]);
  const draft = new DraftMap(snapshot.backends);
  for (const id of stale) {
    const isNeeded = needs.uses.get(id) !== undefined || needs.services.has(id);
    const plan = isNeeded ? planOf(id, resources, slices.index, needs) : undefined;
    draft.put(id, plan && reuse(snapshot.backends.get(id), plan));
  }
  return { backends: draft.current, slices: slices.index };
}

function* portsOf(services: ReadonlySet<string>, resources: Resources): Iterable<string> {
  for (const key of services) {
    for (const { port } of resources.Service.get(key)?.spec.ports ?? NONE) yield `${key}:${port}`;
  }
}

/** The Gateway behind `@` changes the policies that hold. */
function* backendsOf(changed: Iterable<string>): Iterable<string> {
  for (const use of changed) yield use.split('@')[0]!;
}

/** Backends for which other policies may hold now. */
function* retargeted(
  targets: ReadonlySet<string>,
  resources: Resources,
  backends: ReadonlyMap<string, BackendPlan>,
): Iterable<string> {
  const services = new Set<string>();
  for (const target of targets) {
    const [kind, key] = target.split(' ') as [string, string];
    if (kind === 'Service') services.add(key);
    if (kind === 'Gateway') yield* backends.keys();
  }
  yield* portsOf(services, resources);
}

function planOf(id: string, resources: Resources, slices: SliceIndex, needs: BackendNeeds): BackendPlan | undefined {
  const colon = id.lastIndexOf(':');
  const key = id.slice(0, colon);
  const service = resources.Service.get(key);
  const number = Number(id.slice(colon + 1));
  const port = service?.spec.ports.find((candidate) => candidate.port === number && candidate.protocol === 'TCP');
  if (service === undefined || port === undefined) return undefined;
  const index = needs.policies.policies;
  const gateways = gatewaysTo(id, index, needs);
  const { policy, origins } = backendPolicy(index, { service: key, port: port.name ?? '', gateways });
  return { ...backendPlan(id, port, slices.get(key) ?? NONE), policy, origins };
}

/** Of the Gateways with policies those through which the backend is reached: by routes, or where it is enrolled. */
export function gatewaysTo(
  id: string,
  { gatewayTargets }: PolicyIndex,
  { uses, services }: Pick<BackendNeeds, 'uses' | 'services'>,
): readonly string[] {
  const home = services.get(id)?.gateway;
  return gatewayTargets.filter((gateway) => gateway === home || uses.get(`${id}@${gateway}`) !== undefined);
}
