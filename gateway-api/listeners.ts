// The listeners of one Gateway: what each may serve, which kinds attach to it, and which of them exclude each other.

import type { ListenerPlan } from '../policies/plan.ts';
import { no, type RouteKind, type Verdict, yes } from './conditions.ts';
import { GATEWAY_GROUP } from './environment.ts';
import type { Gateway, ListenerSpec } from './resources.ts';

export interface ListenerState {
  readonly spec: ListenerSpec;
  readonly plan: ListenerPlan;
  readonly supportedKinds: readonly RouteKind[];
  readonly accepted: Verdict;
  readonly conflicted: Verdict;
  readonly resolved: Verdict;
}

const HTTP_ROUTE: RouteKind = { group: GATEWAY_GROUP, kind: 'HTTPRoute' };

interface Protocol {
  readonly kinds: readonly RouteKind[];
  readonly served: boolean;
  /** Protocols of one family share a port, told apart by hostname; families exclude each other. null: no claim (UDP, unknown). */
  readonly family: string | null;
}

const PROTOCOLS: ReadonlyMap<string, Protocol> = new Map([
  ['HTTP', { kinds: [HTTP_ROUTE], served: true, family: 'HTTP' }],
  ['HTTPS', { kinds: [HTTP_ROUTE], served: false, family: 'TLS' }],
  ['TLS', { kinds: [], served: false, family: 'TLS' }],
  ['TCP', { kinds: [], served: false, family: 'TCP' }],
  ['UDP', { kinds: [], served: false, family: null }],
  ['HBONE', { kinds: [HTTP_ROUTE], served: false, family: 'HBONE' }],
  ['waypoint.dev/PROXY', { kinds: [HTTP_ROUTE], served: false, family: 'PROXY' }],
]);
const UNKNOWN: Protocol = { kinds: [], served: false, family: null };

const ACCEPTED = yes('Accepted', 'Listener is valid');
const RESOLVED = yes('ResolvedRefs', 'References are resolved');
const NO_CONFLICTS = no('NoConflicts', 'No other listener of this Gateway conflicts');

export function listenersOf(gateway: Gateway): readonly ListenerState[] {
  return gateway.spec.listeners.map((spec) => listenerState(gateway, spec));
}

/** Nothing stands in its way but perhaps an address: routes attach to it. */
export function isUsable(listener: ListenerState): boolean {
  return listener.accepted.status === 'True';
}

export function hostnameOf(spec: ListenerSpec): string | null {
  return spec.hostname === undefined || spec.hostname === '' ? null : spec.hostname.toLowerCase();
}

function listenerState(gateway: Gateway, spec: ListenerSpec): ListenerState {
  const protocol = PROTOCOLS.get(spec.protocol) ?? UNKNOWN;
  const { supportedKinds, resolved } = kindsOf(spec, protocol);
  const conflicted = conflictOf(gateway.spec.listeners, spec);
  return {
    spec,
    plan: listenerPlan(gateway, spec),
    supportedKinds,
    accepted: acceptance(spec, protocol, conflicted),
    conflicted,
    resolved,
  };
}

function listenerPlan(gateway: Gateway, spec: ListenerSpec): ListenerPlan {
  const key = `${gateway.metadata.namespace}/${gateway.metadata.name}`;
  const id = `${key}/${spec.name}`;
  return {
    id,
    gateway: key,
    name: spec.name,
    hostname: hostnameOf(spec),
    table: `Gateway/${id}`,
    certificates: [],
    minTlsVersion: '1.2',
  };
}

function acceptance(spec: ListenerSpec, protocol: Protocol, conflicted: Verdict): Verdict {
  if (!protocol.served) {
    return no('UnsupportedProtocol', `Protocol ${spec.protocol} is not served: use protocol HTTP for this listener`);
  }
  return conflicted.status === 'True' ? no(conflicted.reason, conflicted.message) : ACCEPTED;
}

function kindsOf(spec: ListenerSpec, protocol: Protocol): { supportedKinds: readonly RouteKind[]; resolved: Verdict } {
  const wanted = spec.allowedRoutes.kinds;
  if (wanted.length === 0) return { supportedKinds: protocol.kinds, resolved: RESOLVED };
  const isSupported = (kind: RouteKind) =>
    protocol.kinds.some((own) => own.group === kind.group && own.kind === kind.kind);
  const supportedKinds = protocol.kinds.filter((own) =>
    wanted.some((kind) => own.group === kind.group && own.kind === kind.kind),
  );
  const unknown = wanted.filter((kind) => !isSupported(kind)).map((kind) => `${kind.group}/${kind.kind}`);
  if (unknown.length === 0) return { supportedKinds, resolved: RESOLVED };
  const message = `allowedRoutes.kinds names ${unknown.join(', ')}, which cannot attach to a listener of protocol ${spec.protocol}`;
  return { supportedKinds, resolved: no('InvalidRouteKinds', message) };
}

/** Of listeners that exclude each other none is picked (Gateway API: no precedence within a Gateway). */
function conflictOf(listeners: readonly ListenerSpec[], spec: ListenerSpec): Verdict {
  const family = familyOf(spec);
  if (family === null) return NO_CONFLICTS;
  const neighbours = listeners.filter(
    (other) => other !== spec && other.port === spec.port && familyOf(other) !== null,
  );
  const foreign = neighbours.find((other) => familyOf(other) !== family);
  if (foreign !== undefined) {
    const message = `Listener "${foreign.name}" wants port ${spec.port} for protocol ${foreign.protocol}: give one of the two another port`;
    return yes('ProtocolConflict', message);
  }
  const twin = neighbours.find((other) => other.protocol === spec.protocol && hostnameOf(other) === hostnameOf(spec));
  if (twin === undefined) return NO_CONFLICTS;
  const host = hostnameOf(spec) ?? 'every hostname';
  return yes(
    'HostnameConflict',
    `Listener "${twin.name}" also wants ${host} on port ${spec.port}: change one of the two`,
  );
}

function familyOf(spec: ListenerSpec): string | null {
  return (PROTOCOLS.get(spec.protocol) ?? UNKNOWN).family;
}
