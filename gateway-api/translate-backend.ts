// One backendRef: the backend that it names, or the reason why its share of the requests is answered 500.

import type { PlanFailure } from '../policies/plan.ts';
import { carriesGrpc, forwardedAs, forwardedInTls } from './app-protocol.ts';
import type { Reads } from './attach.ts';
import { tlsOfPort } from './backend-tls/policies.ts';
import type { Destinations } from './destinations.ts';
import { outsideName, outsideProblem } from './egress/outside-name.ts';
import { X_BACKEND_GROUP } from './egress/x-backends.ts';
import { GATEWAY_GROUP } from './environment.ts';
import { coreGroup, type Grants, isGranted } from './references.ts';
import type { Resources, Service, ServicePort } from './resources.ts';

/** BackendObjectReference, before defaults: also what stands in a mirror filter. */
export interface BackendObjectReference {
  readonly group?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name: string;
  readonly port?: number;
}

export interface BackendScope {
  readonly resources: Resources;
  readonly grants: Grants;
  readonly destinations: Destinations;
}

/** On whose behalf a backend is asked for. */
export interface Requester {
  readonly namespace: string;
  /**
   * The namespace of the Service that is the route's parent: its clients are callers of that namespace already, so it
   * needs no ReferenceGrant (GEP-1294). Any other namespace does, mesh route or not: there the waypoint would lend its
   * callers a way that they may not have themselves.
   */
  readonly reachable: string | null;
  /** It calls the backend itself, over gRPC, and does not forward to it. */
  readonly speaks?: 'grpc';
}

export type Resolution =
  | { readonly backend: string; readonly failure: null }
  | { readonly backend: null; readonly failure: PlanFailure };

export function resolveBackend(
  ref: BackendObjectReference,
  requester: Requester,
  scope: BackendScope,
  reads: Reads,
): Resolution {
  const kind = ref.kind ?? 'Service';
  const group = coreGroup(ref.group ?? '');
  const isOutside = group === X_BACKEND_GROUP && kind === 'XBackend';
  if (!isOutside && (group !== '' || kind !== 'Service')) {
    const title = `${group === '' ? 'core' : group}/${kind} ${ref.name}`;
    return failed('InvalidKind', `${title} is no kind of backend: name a Service or an XBackend`);
  }
  const namespace = ref.namespace ?? requester.namespace;
  const key = `${namespace}/${ref.name}`;
  if (namespace !== requester.namespace && namespace !== requester.reachable) {
    reads.add(`Grant ${namespace}`);
    const from = { group: GATEWAY_GROUP, kind: 'HTTPRoute', namespace: requester.namespace };
    if (!isGranted(scope.grants, from, { group, kind, namespace, name: ref.name })) {
      const message = `${kind} ${key} may not be referred to from namespace ${requester.namespace}: a ReferenceGrant in namespace ${namespace} can allow it`;
      return failed('RefNotPermitted', message);
    }
  }
  reads.add(`${kind} ${key}`);
  if (isOutside) return resolveOutside(key, ref.port, scope.destinations);
  const service = scope.resources.Service.get(key);
  if (service === undefined) return failed('BackendNotFound', `There is no Service ${key}`);
  if (service.spec.type === 'ExternalName') return resolveExternalName(service, key, ref.port, scope.destinations);
  const port = portOf(service, key, ref.port);
  if ('failure' in port) return port;
  return resolvePort(port, key, requester, { destinations: scope.destinations, reads });
}

/** An XBackend has one port, so that a reference need not name it. */
function resolveOutside(key: string, number: number | undefined, { xBackends }: Destinations): Resolution {
  const state = xBackends.get(key);
  if (state === undefined) return failed('BackendNotFound', `There is no XBackend ${key}`);
  const { port } = state.xBackend.spec;
  if (number !== undefined && number !== port) {
    return failed('BackendNotFound', `XBackend ${key} has no port ${number}; it has ${port}`);
  }
  if (state.failure === null) return { backend: state.id, failure: null };
  return failed(state.failure.reason, `XBackend ${key}: ${state.failure.message}`);
}

/** Off by default: whoever may write Services would lead requests anywhere (CVE-2021-32783 of Contour). */
function resolveExternalName(
  { spec }: Service,
  key: string,
  number: number | undefined,
  { environment }: Destinations,
): Resolution {
  if (!environment.allowExternalName) {
    const message = `Service ${key} is an ExternalName, which would lead anywhere: use a Service with EndpointSlices or an XBackend, or start with --allow-external-name`;
    return failed('InvalidKind', message);
  }
  const problem = outsideProblem(outsideName(spec.externalName ?? ''), environment.clusterDomain);
  if (problem !== null) return failed('InvalidKind', `externalName of Service ${key}: ${problem}`);
  if (number === undefined) return failed('BackendNotFound', `The reference to Service ${key} names no port`);
  const isKnown = spec.ports.length === 0 || spec.ports.some(({ port }) => port === number);
  if (isKnown) return { backend: `${key}:${number}`, failure: null };
  const known = spec.ports.map(({ port }) => port).join(', ');
  return failed('BackendNotFound', `Service ${key} has no port ${number}; it has ${known}`);
}

function portOf(service: Service, key: string, number: number | undefined): ServicePort | Failed {
  if (number === undefined) return failed('BackendNotFound', `The reference to Service ${key} names no port`);
  const ports = service.spec.ports.filter((candidate) => candidate.port === number);
  const port = ports.find((candidate) => candidate.protocol === 'TCP') ?? ports[0];
  if (port !== undefined) return port;
  const known = service.spec.ports.map((candidate) => candidate.port).join(', ');
  return failed('BackendNotFound', `Service ${key} has no port ${number}; it has ${known || 'none'}`);
}

function resolvePort(
  { port, protocol, appProtocol, name = '' }: ServicePort,
  key: string,
  { speaks }: Requester,
  { destinations, reads }: { readonly destinations: Destinations; readonly reads: Reads },
): Resolution {
  const isPlain = speaks === 'grpc' ? carriesGrpc(appProtocol) : forwardedAs(appProtocol) !== null;
  if (protocol === 'TCP' && isPlain) return { backend: `${key}:${port}`, failure: null };
  const said = protocol === 'TCP' ? `appProtocol ${appProtocol}` : `protocol ${protocol}`;
  if (protocol === 'TCP' && speaks !== 'grpc' && forwardedInTls(appProtocol) !== null) {
    reads.add(`BackendTLS ${key}`);
    if (tlsOfPort(destinations.backendTls, key, name) !== null) return { backend: `${key}:${port}`, failure: null };
    const remedy = 'a BackendTLSPolicy for the Service must say whom to believe';
    return failed('UnsupportedProtocol', `Port ${port} of Service ${key} has ${said}: ${remedy}`);
  }
  const spoken = speaks === 'grpc' ? 'gRPC' : 'HTTP/1.1';
  return failed(
    'UnsupportedProtocol',
    `Port ${port} of Service ${key} has ${said}, which is not forwarded: only ${spoken} is`,
  );
}

type Failed = Extract<Resolution, { readonly backend: null }>;

function failed(reason: string, message: string): Failed {
  return { backend: null, failure: { reason, message } };
}
