// The endpoints of one Service port, read from its EndpointSlices: headless and selector-less Services alike.

import type { BackendPlan, EndpointPlan } from '../policies/plan.ts';
import { forwardedInTls } from './app-protocol.ts';
import type { EndpointSlice, ServicePort } from './resources.ts';
import { ShardedDraft, type ShardedMap } from './sharded-map.ts';

/** Slices by the `namespace/name` of their Service, each list sorted by name. */
export type SliceIndex = ShardedMap<readonly EndpointSlice[]>;

const NONE: readonly never[] = [];
const SERVICE_LABEL = 'kubernetes.io/service-name';

export interface SliceChange {
  readonly index: SliceIndex;
  /** Services of which a slice changed. */
  readonly services: ReadonlySet<string>;
}

type Slices = ReadonlyMap<string, EndpointSlice>;

export function updateSlices(
  index: SliceIndex,
  changed: ReadonlySet<string>,
  before: Slices,
  after: Slices,
): SliceChange {
  const draft = new ShardedDraft(index);
  const services = new Set<string>();
  for (const key of changed) {
    const old = before.get(key);
    const owner = old === undefined ? null : serviceOf(old);
    if (owner !== null) {
      const left = draft.get(owner)!.filter((slice) => slice !== old);
      draft.put(owner, left.length === 0 ? undefined : left);
      services.add(owner);
    }
    const slice = after.get(key);
    const newOwner = slice === undefined ? null : serviceOf(slice);
    if (newOwner !== null) {
      draft.put(newOwner, [...(draft.get(newOwner) ?? NONE), slice!].sort(byName));
      services.add(newOwner);
    }
  }
  return { index: draft.current, services };
}

/** A backend but for its policies. */
type BackendEndpoints = Omit<BackendPlan, 'policy' | 'origins'>;

export function backendPlan(id: string, port: ServicePort, slices: readonly EndpointSlice[]): BackendEndpoints {
  const endpoints = new Map<string, EndpointPlan>();
  for (const slice of slices) {
    // A name would have to be resolved again and again, by rules that no EndpointSlice states.
    if (slice.spec.addressType === 'FQDN') continue;
    const number = portNumber(slice, port);
    if (number === null) continue;
    for (const endpoint of endpointsOf(slice, number)) {
      const key = `${endpoint.address} ${number}`;
      const twin = endpoints.get(key);
      // While a pod moves from one slice to another it is in both: it is ready where one of them says so.
      if (twin === undefined || (endpoint.ready && !twin.ready)) endpoints.set(key, endpoint);
    }
  }
  const protocol = forwardedInTls(port.appProtocol) ?? 'http';
  const all = endpoints.size === 0 ? NONE : [...endpoints.values()];
  return { id, protocol, tls: null, external: false, authority: null, endpoints: all };
}

function endpointsOf(slice: EndpointSlice, port: number): readonly EndpointPlan[] {
  return slice.spec.endpoints.flatMap(({ addresses, conditions, targetRef, hostname, nodeName, zone, hints }) =>
    addresses.map((address) => ({
      address,
      port,
      name: targetRef?.name ?? hostname ?? nodeName ?? null,
      zone: zone ?? null,
      hints: zonesOf(hints),
      ready: conditions.ready,
      serving: conditions.serving,
      terminating: conditions.terminating,
    })),
  );
}

function zonesOf(hints: unknown): readonly string[] {
  const { forZones = NONE } = (hints ?? {}) as { readonly forZones?: readonly { readonly name: string }[] };
  return forZones.length === 0 ? NONE : forZones.map(({ name }) => name);
}

/** By the port's name, which is what ties the two together; slices written by hand often only agree on the number. */
function portNumber(slice: EndpointSlice, port: ServicePort): number | null {
  const usable = slice.spec.ports.filter((candidate) => (candidate.protocol ?? 'TCP') === 'TCP');
  const target = typeof port.targetPort === 'number' ? port.targetPort : null;
  const named = usable.find((candidate) => (candidate.name ?? '') === (port.name ?? ''));
  if (named !== undefined) return named.port ?? target ?? port.port;
  return usable.find((candidate) => candidate.port === (target ?? port.port))?.port ?? null;
}

function serviceOf(slice: EndpointSlice): string | null {
  const name = slice.metadata.labels[SERVICE_LABEL];
  return name === undefined || name === '' ? null : `${slice.metadata.namespace}/${name}`;
}

function byName(a: EndpointSlice, b: EndpointSlice): number {
  return a.metadata.name < b.metadata.name ? -1 : 1;
}
