// The listeners of one Gateway: what each may serve, which kinds attach to it, and which of them exclude each other.

import type { BindProtocol, ClientValidationPlan, ListenerPlan } from '../policies/plan.ts';
import { type ClientValidation, clientValidation } from './client-validation.ts';
import { no, type RouteKind, type Verdict, yes } from './conditions.ts';
import type { CredentialLookup } from './credentials/lookup.ts';
import { GATEWAY_GROUP } from './environment.ts';
import { CLEARTEXT, type ListenerTls, listenerTls } from './listener-tls.ts';
import type { Gateway, ListenerSpec } from './resources.ts';

export interface ListenerState {
  readonly spec: ListenerSpec;
  readonly plan: ListenerPlan;
  /** What comes first on its connections; null: it is not served. */
  readonly protocol: BindProtocol | null;
  /** What its port asks of client certificates. */
  readonly clientValidation: ClientValidationPlan | null;
  readonly supportedKinds: readonly RouteKind[];
  readonly accepted: Verdict;
  readonly conflicted: Verdict;
  readonly resolved: Verdict;
}

const HTTP_ROUTE: RouteKind = { group: GATEWAY_GROUP, kind: 'HTTPRoute' };

interface Protocol {
  readonly kinds: readonly RouteKind[];
  /** null: not served. */
  readonly served: BindProtocol | null;
  /** Protocols of one family share a port, told apart by hostname; families exclude each other. null: no claim (UDP, unknown). */
  readonly family: string | null;
}

const PROTOCOLS: ReadonlyMap<string, Protocol> = new Map([
  ['HTTP', { kinds: [HTTP_ROUTE], served: 'HTTP', family: 'HTTP' }],
  ['HTTPS', { kinds: [HTTP_ROUTE], served: 'HTTPS', family: 'TLS' }],
  ['TLS', { kinds: [], served: null, family: 'TLS' }],
  ['TCP', { kinds: [], served: null, family: 'TCP' }],
  ['UDP', { kinds: [], served: null, family: null }],
  ['HBONE', { kinds: [HTTP_ROUTE], served: null, family: 'HBONE' }],
  ['waypoint.dev/PROXY', { kinds: [HTTP_ROUTE], served: 'PROXY', family: 'PROXY' }],
]);
const UNKNOWN: Protocol = { kinds: [], served: null, family: null };
/** What to do instead, where that is not to take HTTP. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  ['TLS', 'use protocol HTTPS, which ends TLS here'],
  ['HBONE', "let the node's proxy end the tunnel and hand connections to a listener of protocol waypoint.dev/PROXY"],
]);

const ACCEPTED = yes('Accepted', 'Listener is valid');
const RESOLVED = yes('ResolvedRefs', 'References are resolved');
const NO_CONFLICTS = no('NoConflicts', 'No other listener of this Gateway conflicts');

export function listenersOf(gateway: Gateway, lookup: CredentialLookup): readonly ListenerState[] {
  return gateway.spec.listeners.map((spec) => listenerState(gateway, spec, lookup));
}

/** Nothing stands in its way but perhaps an address: routes attach to it. */
export function isUsable(listener: ListenerState): boolean {
  return listener.accepted.status === 'True';
}

/** Requests can come through it: it is usable, routes can attach, and it has something to present where it must. */
export function isServed({ accepted, supportedKinds, protocol, plan }: ListenerState): boolean {
  if (accepted.status === 'False' || supportedKinds.length === 0) return false;
  return protocol !== 'HTTPS' || plan.certificates.length > 0;
}

export function hostnameOf(spec: ListenerSpec): string | null {
  return spec.hostname === undefined || spec.hostname === '' ? null : spec.hostname.toLowerCase();
}

function listenerState(gateway: Gateway, spec: ListenerSpec, lookup: CredentialLookup): ListenerState {
  const protocol = PROTOCOLS.get(spec.protocol) ?? UNKNOWN;
  const { supportedKinds, resolved } = kindsOf(spec, protocol);
  const conflicted = conflictOf(gateway.spec.listeners, spec);
  const isSecure = protocol.served === 'HTTPS';
  const tls = isSecure ? listenerTls(spec, lookup) : CLEARTEXT;
  const validation = isSecure ? clientValidation(gateway, spec.port, lookup) : null;
  return {
    spec,
    plan: listenerPlan(gateway, spec, tls),
    protocol: protocol.served,
    clientValidation: validation?.plan ?? null,
    supportedKinds,
    accepted: tls.refused ?? validation?.refused ?? acceptance(spec, protocol, conflicted),
    conflicted,
    resolved: resolution(resolved, tls, validation),
  };
}

function listenerPlan(gateway: Gateway, spec: ListenerSpec, tls: ListenerTls): ListenerPlan {
  const key = `${gateway.metadata.namespace}/${gateway.metadata.name}`;
  const id = `${key}/${spec.name}`;
  return {
    id,
    gateway: key,
    name: spec.name,
    hostname: hostnameOf(spec),
    table: `Gateway/${id}`,
    certificates: tls.certificates,
    minTlsVersion: tls.minTlsVersion,
  };
}

function acceptance(spec: ListenerSpec, protocol: Protocol, conflicted: Verdict): Verdict {
  if (protocol.served === null) {
    const instead = INSTEAD.get(spec.protocol) ?? insteadOf(spec.protocol);
    return no('UnsupportedProtocol', `Protocol ${spec.protocol} is not served: ${instead}`);
  }
  return conflicted.status === 'True' ? no(conflicted.reason, conflicted.message) : ACCEPTED;
}

/** A name in the wrong case is not advised to give up its TLS. */
function insteadOf(protocol: string): string {
  const meant = protocol.toUpperCase();
  if (protocol !== meant && PROTOCOLS.get(meant)?.served) return `names are in capitals, write ${meant}`;
  return 'use protocol HTTP for this listener';
}

/** One condition for all references: the reason of the first that fails, the words of all. */
function resolution(kinds: Verdict, tls: ListenerTls, validation: ClientValidation | null): Verdict {
  const failed = [kinds.status === 'False' ? kinds : null, tls.unresolved, validation?.unresolved ?? null].filter(
    (verdict) => verdict !== null,
  );
  if (failed.length <= 1) return failed[0] ?? kinds;
  return no(failed[0]!.reason, failed.map(({ message }) => message).join('; '));
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
