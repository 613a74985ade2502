// The backends that routes and enrolled Services lead to; nothing is kept for the other Services of a cluster.

import type { BackendPlan, ServicePlan } from '../policies/plan.ts';
import { changedKeys } from '../routing/patched-map.ts';
import { presenters, withClientCertificate } from './backend-tls/client-certificate.ts';
import { tlsOfPort } from './backend-tls/policies.ts';
import type { Changes } from './changes.ts';
import type { DestinationsChange } from './destinations.ts';
import { DraftMap } from './draft-map.ts';
import { type Outside, outsideOfService, outsideOfXBackend, outsidePlan } from './egress/outside-plan.ts';
import { type XBackendState, xBackendOf } from './egress/x-backends.ts';
import { backendPlan, type SliceIndex, updateSlices } from './endpoints.ts';
import type { Environment } from './environment.ts';
import type { GatewayState } from './gateways.ts';
import type { PartiesChange } from './parties.ts';
import { backendPolicy } from './policies/backend-policy.ts';
import type { Refusal } from './policies/merge.ts';
import type { PoliciesChange, PolicyIndex } from './policies/targets.ts';
import type { Resources } from './resources.ts';
import { reuse } from './reuse.ts';
import type { ShardedMap } from './sharded-map.ts';
import type { State, Translation } from './translation.ts';

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
  readonly destinations: DestinationsChange;
  readonly parties: PartiesChange;
}

/** By backend id: what contradicts what other levels say of its endpoints. */
export type Refusals = ReadonlyMap<string, readonly Refusal[]>;

/** Names outside by the backend that they are: what has to be looked up in DNS. */
export type OutsideNames = ReadonlyMap<string, string>;

export interface BackendsChange {
  readonly backends: ReadonlyMap<string, BackendPlan>;
  readonly slices: SliceIndex;
  readonly refusals: Refusals;
  readonly outsideNames: OutsideNames;
  /** `Kind namespace/name` of the policies of which something else is refused now. */
  readonly changedPolicies: ReadonlySet<string>;
}

const NONE: readonly never[] = [];

export function updateBackends(
  before: Translation,
  { resources, environment }: Pick<State, 'resources' | 'environment'>,
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
    ...portsOf(needs.destinations.changedTargets, resources),
    ...moved(before, environment, changes, needs),
  ]);
  const sources = { resources, environment, slices: slices.index, presenters: presenters(needs.parties.gateways) };
  const draft = new DraftMap(snapshot.backends);
  const refusals = new DraftMap(state.refusals);
  const outsideNames = new DraftMap(state.outsideNames);
  for (const id of stale) {
    const isNeeded = needs.uses.get(id) !== undefined || needs.services.has(id) || needs.called.has(id);
    const made = isNeeded ? planOf(id, sources, needs) : undefined;
    outsideNames.put(id, made?.outside?.hostname);
    draft.put(id, made && reuse(snapshot.backends.get(id), made.plan));
    const refused = made?.refused ?? NONE;
    refusals.put(id, refused.length === 0 ? undefined : reuse(state.refusals.get(id), refused));
  }
  const all = [state.refusals, refusals.current].flatMap((map) =>
    [...refusals.changed].flatMap((id) => map.get(id) ?? NONE),
  );
  const changedPolicies = new Set(all.map(({ setting }) => setting.from));
  return {
    backends: draft.current,
    slices: slices.index,
    refusals: refusals.current,
    outsideNames: outsideNames.current,
    changedPolicies,
  };
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

/** Backends outside with other addresses or another name now, and those that are shown another certificate of ours. */
function* moved(
  { state, snapshot }: Translation,
  { addresses }: Environment,
  changes: Changes,
  { destinations, parties }: BackendNeeds,
): Iterable<string> {
  const changed = changedKeys(state.environment.addresses, addresses);
  for (const [id, name] of state.outsideNames) {
    if (changed.has(name) || changes.Service.has(id.slice(0, id.lastIndexOf(':')))) yield id;
  }
  for (const key of destinations.changedXBackends) {
    for (const { xBackends } of [state.destinations, destinations]) {
      const outside = xBackends.get(key);
      if (outside !== undefined) yield outside.id;
    }
  }
  const isShown = ({ gateways }: Pick<PartiesChange, 'gateways'>, key: string): boolean =>
    (gateways.get(key)?.clientCertificate ?? null) !== null;
  if ([...parties.changedGateways].some((key) => isShown(parties, key) || isShown(state.parties, key))) {
    for (const [id, { tls }] of snapshot.backends) if (tls !== null) yield id;
  }
}

interface Made {
  readonly plan: BackendPlan;
  readonly refused: readonly Refusal[];
  /** null: it is inside. */
  readonly outside: Outside | null;
}

interface Sources {
  readonly resources: Resources;
  readonly environment: Environment;
  readonly slices: SliceIndex;
  /** Gateways with a client certificate. */
  readonly presenters: readonly GatewayState[];
}

function planOf(id: string, sources: Sources, needs: BackendNeeds): Made | undefined {
  const { policies, destinations } = needs;
  const xBackend = xBackendOf(id, destinations.xBackends);
  const found = xBackend?.id === id ? fromXBackend(xBackend, sources) : fromService(id, sources, needs);
  if (found === null) return undefined;
  const { service, port } = found;
  const gateways = gatewaysTo(id, policies.policies, needs);
  const { policy, origins, refused } = backendPolicy(policies.policies, { service, port, gateways });
  return { plan: { ...found.plan, policy, origins }, refused, outside: found.outside };
}

interface FoundBackend {
  readonly plan: Omit<BackendPlan, 'policy' | 'origins'>;
  readonly outside: Outside | null;
  /** Whom policies name. */
  readonly service: string;
  readonly port: string;
}

function fromXBackend(state: XBackendState, { environment }: Sources): FoundBackend | null {
  const outside = outsideOfXBackend(state);
  if (outside === null) return null;
  return { plan: outsidePlan(outside, environment.addresses), outside, service: '', port: '' };
}

function fromService(id: string, sources: Sources, needs: BackendNeeds): FoundBackend | null {
  const { resources, environment, slices } = sources;
  const colon = id.lastIndexOf(':');
  const key = id.slice(0, colon);
  const number = Number(id.slice(colon + 1));
  const service = resources.Service.get(key);
  if (service === undefined) return null;
  const isOutside = service.spec.type === 'ExternalName';
  if (isOutside && !environment.allowExternalName) return null;
  const port =
    service.spec.ports.find((candidate) => candidate.port === number && candidate.protocol === 'TCP') ??
    // An ExternalName may leave its ports to those who refer to it.
    (isOutside && service.spec.ports.length === 0 ? { port: number, protocol: 'TCP' } : undefined);
  if (port === undefined) return null;
  const names = { service: key, port: port.name ?? '' };
  const asked = tlsOfPort(needs.destinations.backendTls, key, names.port);
  const reach = { gateways: needs.parties.gateways, services: needs.services, uses: needs.uses };
  const tls = asked && withClientCertificate(asked, id, sources.presenters, reach);
  if (!isOutside) return { plan: { ...backendPlan(id, port, slices.get(key) ?? NONE), tls }, outside: null, ...names };
  const outside = outsideOfService(service, port, { id, tls, clusterDomain: environment.clusterDomain });
  return outside === null ? null : { plan: outsidePlan(outside, environment.addresses), outside, ...names };
}

/** Of the Gateways with policies those through which the backend is reached: by routes, or where it is enrolled. */
function gatewaysTo(id: string, { gatewayTargets }: PolicyIndex, { uses, services }: BackendNeeds): readonly string[] {
  const home = services.get(id)?.gateway;
  return gatewayTargets.filter((gateway) => gateway === home || uses.get(`${id}@${gateway}`) !== undefined);
}
