// The backends that routes and enrolled Services lead to; nothing is kept for the other Services of a cluster.

import type { BackendPlan, ServicePlan } from '../policies/plan.ts';
import type { Changes } from './changes.ts';
import { DraftMap } from './draft-map.ts';
import { backendPlan, type SliceIndex, updateSlices } from './endpoints.ts';
import { backendPolicy } from './policies/backend-policy.ts';
import type { Refusal } from './policies/merge.ts';
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
  /** Asked about requests, though no route leads there. */
  readonly called: ReadonlySet<string>;
  /** Backends of which the need changed. */
  readonly changed: Iterable<string>;
  readonly policies: PoliciesChange;
}

/** By backend id: what contradicts what other levels say of its endpoints. */
export type Refusals = ReadonlyMap<string, readonly Refusal[]>;

export interface BackendsChange {
  readonly backends: ReadonlyMap<string, BackendPlan>;
  readonly slices: SliceIndex;
  readonly refusals: Refusals;
  /** `Kind namespace/name` of the policies of which something else is refused now. */
  readonly changedPolicies: ReadonlySet<string>;
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
  const refusals = new DraftMap(state.refusals);
  for (const id of stale) {
    const isNeeded = needs.uses.get(id) !== undefined || needs.services.has(id) || needs.called.has(id);
    const made = isNeeded ? planOf(id, resources, slices.index, needs) : undefined;
    draft.put(id, made && reuse(snapshot.backends.get(id), made.plan));
    const refused = made?.refused ?? NONE;
    refusals.put(id, refused.length === 0 ? undefined : reuse(state.refusals.get(id), refused));
  }
  const all = [state.refusals, refusals.current].flatMap((map) =>
    [...refusals.changed].flatMap((id) => map.get(id) ?? NONE),
  );
  const changedPolicies = new Set(all.map(({ setting }) => setting.from));
  return { backends: draft.current, slices: slices.index, refusals: refusals.current, changedPolicies };
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

interface Made {
  readonly plan: BackendPlan;
  readonly refused: readonly Refusal[];
}

function planOf(id: string, resources: Resources, slices: SliceIndex, needs: BackendNeeds): Made | undefined {
  const colon = id.lastIndexOf(':');
  const key = id.slice(0, colon);
  const service = resources.Service.get(key);
  const number = Number(id.slice(colon + 1));
  const port = service?.spec.ports.find((candidate) => candidate.port === number && candidate.protocol === 'TCP');
  if (service === undefined || port === undefined) return undefined;
  const index = needs.policies.policies;
  const gateways = gatewaysTo(id, index, needs);
  const { policy, origins, refused } = backendPolicy(index, { service: key, port: port.name ?? '', gateways });
  return { plan: { ...backendPlan(id, port, slices.get(key) ?? NONE), policy, origins }, refused };
}

/** Of the Gateways with policies those through which the backend is reached: by routes, or where it is enrolled. */
function gatewaysTo(id: string, { gatewayTargets }: PolicyIndex, { uses, services }: BackendNeeds): readonly string[] {
  const home = services.get(id)?.gateway;
  return gatewayTargets.filter((gateway) => gateway === home || uses.get(`${id}@${gateway}`) !== undefined);
}
