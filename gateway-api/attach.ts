// From a route's parentRefs to the tables that it enters: listeners of Gateways, ports of Services.

import { intersect } from '../routing/host.ts';
import { no, type Verdict, yes } from './conditions.ts';
import { type Enrolment, isEnrolled, isHeadless } from './enrolment.ts';
import { GATEWAY_GROUP } from './environment.ts';
import { type GatewayState, isAccepted } from './gateways.ts';
import { hostnameOf, isUsable, type ListenerState } from './listeners.ts';
import type { Frontend } from './policies/request-policy.ts';
import { coreGroup } from './references.ts';
import type { HTTPRoute, ParentReference, Resources, Service } from './resources.ts';
import { admitsNamespace } from './selector.ts';
import { serviceTable } from './service-plans.ts';

/** What attachment reads; every read is recorded with `Reads`. */
export interface AttachScope {
  readonly resources: Resources;
  readonly gateways: ReadonlyMap<string, GatewayState>;
  readonly enrolments: ReadonlyMap<string, Enrolment>;
}

/** Collects what a result depends on, as `Kind key`. */
export type Reads = Set<string>;

/** One table that the route enters. */
interface Place {
  readonly table: string;
  readonly hostnames: readonly string[];
  /** The listener that counts the route among its attached ones; null for a Service. */
  readonly listener: string | null;
  /** Whose policies hold for the requests that come this way. */
  readonly frontend: Frontend;
}

export interface Attachment {
  readonly ref: ParentReference;
  readonly accepted: Verdict;
  readonly places: readonly Place[];
  /** Namespace of the Service that is the parent: clients reach it anyway. null for a Gateway. */
  readonly serviceNamespace: string | null;
}

const NONE: readonly never[] = [];
const ACCEPTED = yes('Accepted', 'Route is accepted');

/** One per parentRef that is ours to speak about. */
export function attachmentsOf(route: HTTPRoute, scope: AttachScope, reads: Reads): readonly Attachment[] {
  const attachments: Attachment[] = [];
  for (const ref of route.spec.parentRefs ?? NONE) {
    const attachment = attach(route, ref, scope, reads);
    if (attachment !== null) attachments.push(attachment);
  }
  return attachments;
}

/** A route asking to attach through one of its parentRefs. */
interface Claim {
  readonly route: HTTPRoute;
  readonly ref: ParentReference;
}

function attach(route: HTTPRoute, ref: ParentReference, scope: AttachScope, reads: Reads): Attachment | null {
  const key = `${ref.namespace ?? route.metadata.namespace}/${ref.name}`;
  if (ref.group === GATEWAY_GROUP && ref.kind === 'Gateway') {
    reads.add(`Gateway ${key}`);
    const state = scope.gateways.get(key);
    return state === undefined ? null : attachToGateway({ route, ref }, state, scope, reads);
  }
  if (coreGroup(ref.group) === '' && ref.kind === 'Service') {
    reads.add(`Service ${key}`);
    const service = scope.resources.Service.get(key);
    return service === undefined ? null : attachToService(route, ref, service, scope.enrolments.get(key));
  }
  return null;
}

function attachToGateway({ route, ref }: Claim, state: GatewayState, scope: AttachScope, reads: Reads): Attachment {
  const refuse = (reason: string, message: string): Attachment => refusal(ref, no(reason, message), null);
  const { metadata, spec } = state.gateway;
  const named = state.listeners.filter((listener) => isNamed(listener, ref));
  if (named.length === 0) {
    const names = spec.listeners.map(({ name, port }) => `${name}:${port}`).join(', ');
    return refuse('NoMatchingParent', `Gateway ${state.key} has no listener${describe(ref)}; it has ${names}`);
  }
  const usable = isAccepted(state) ? named.filter(isUsable) : NONE;
  if (usable.length === 0) {
    const why = isAccepted(state) ? named[0]!.accepted.message : state.accepted.message;
    return refuse('Pending', `No listener of Gateway ${state.key} that this names is accepted: ${why}`);
  }
  if (usable.some((listener) => listener.spec.allowedRoutes.namespaces.from === 'Selector')) {
    reads.add(`Namespace ${route.metadata.namespace}`);
  }
  const { namespace } = route.metadata;
  const admitting = usable.filter(
    (listener) =>
      listener.supportedKinds.some(({ kind }) => kind === 'HTTPRoute') &&
      admitsNamespace(listener.spec, metadata.namespace, namespace, scope.resources.Namespace),
  );
  if (admitting.length === 0) {
    const message = `allowedRoutes of Gateway ${state.key} admit no HTTPRoute of namespace ${namespace}: widen namespaces or kinds there`;
    return refuse('NotAllowedByListeners', message);
  }
  const places = admitting.map((listener) => placeAt(listener, route, state.key)).filter((place) => place !== null);
  if (places.length === 0) {
    const hosts = admitting.map((listener) => hostnameOf(listener.spec)).join(', ');
    return refuse('NoMatchingListenerHostname', `No hostname of the route is among those of the listeners: ${hosts}`);
  }
  return { ref, accepted: ACCEPTED, places, serviceNamespace: null };
}

function isNamed(listener: ListenerState, ref: ParentReference): boolean {
  return (
    (ref.sectionName === undefined || ref.sectionName === listener.spec.name) &&
    (ref.port === undefined || ref.port === listener.spec.port)
  );
}

function placeAt(listener: ListenerState, route: HTTPRoute, gateway: string): Place | null {
  const { hostname, table, id } = listener.plan;
  const wanted = route.spec.hostnames ?? NONE;
  const hostnames = hostname === null ? wanted : intersect(hostname, wanted);
  return hostnames === null ? null : { table, hostnames, listener: id, frontend: { gateway, parent: null } };
}

function attachToService(
  route: HTTPRoute,
  ref: ParentReference,
  service: Service,
  enrolment: Enrolment | undefined,
): Attachment | null {
  const { namespace, name } = service.metadata;
  const key = `${namespace}/${name}`;
  const refuse = (message: string): Attachment => refusal(ref, no('NoMatchingParent', message), namespace);
  if (service.spec.type === 'ExternalName' || isHeadless(service)) {
    return refuse(`Service ${key} is headless or an ExternalName: a route needs a Service with an address of its own`);
  }
  if (enrolment === undefined) {
    return refuse(
      `Service ${key} is not enrolled at a waypoint: label it waypoint.dev/use-waypoint: <name of a Gateway>`,
    );
  }
  if (enrolment.isElsewhere) return null;
  if (!isEnrolled(enrolment)) return refuse(`Service ${key} is not enrolled: ${enrolment.verdict.message}`);
  const ports = enrolment.ports.filter(
    (port) =>
      (ref.port === undefined || ref.port === port.port) &&
      (ref.sectionName === undefined || ref.sectionName === port.name),
  );
  if (ports.length === 0) {
    const known = enrolment.ports
      .map((port) => (port.name === '' ? port.port : `${port.name}:${port.port}`))
      .join(', ');
    return refuse(`Service ${key} serves nothing${describe(ref)}; it serves ${known}`);
  }
  const consumer = route.metadata.namespace === namespace ? null : route.metadata.namespace;
  const places = ports.map((port) => ({
    table: serviceTable(port.id, consumer),
    hostnames: NONE,
    listener: null,
    frontend: { gateway: enrolment.gateway, parent: { service: key, port: port.name } },
  }));
  return {
    ref,
    accepted: consumer === null ? ACCEPTED : consumerVerdict(consumer),
    places,
    serviceNamespace: namespace,
  };
}

function consumerVerdict(namespace: string): Verdict {
  return yes('Accepted', `Route is accepted, for clients known to be of namespace ${namespace}`);
}

function refusal(ref: ParentReference, accepted: Verdict, serviceNamespace: string | null): Attachment {
  return { ref, accepted, places: NONE, serviceNamespace };
}

function describe(ref: ParentReference): string {
  const name = ref.sectionName === undefined ? '' : ` named "${ref.sectionName}"`;
  return ref.port === undefined ? name : `${name} on port ${ref.port}`;
}
