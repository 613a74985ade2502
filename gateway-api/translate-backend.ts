// One backendRef: the backend that it names, or the reason why its share of the requests is answered 500.

import type { PlanFailure } from '../policies/plan.ts';
import { carriesGrpc, forwardedAs } from './app-protocol.ts';
import type { Reads } from './attach.ts';
import { GATEWAY_GROUP } from './environment.ts';
import { coreGroup, type Grants, isGranted } from './references.ts';
import type { Resources, Service } from './resources.ts';

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
  if (group !== '' || kind !== 'Service') {
    return failed(
      'InvalidKind',
      `${group === '' ? 'core' : group}/${kind} ${ref.name} is no kind of backend: name a Service`,
    );
  }
  const namespace = ref.namespace ?? requester.namespace;
  const key = `${namespace}/${ref.name}`;
  if (namespace !== requester.namespace && namespace !== requester.reachable) {
    reads.add(`Grant ${namespace}`);
    const from = { group: GATEWAY_GROUP, kind: 'HTTPRoute', namespace: requester.namespace };
    if (!isGranted(scope.grants, from, { group, kind, namespace, name: ref.name })) {
      const message = `Service ${key} may not be referred to from namespace ${requester.namespace}: a ReferenceGrant in namespace ${namespace} can allow it`;
      return failed('RefNotPermitted', message);
    }
  }
  reads.add(`Service ${key}`);
  const service = scope.resources.Service.get(key);
  return service === undefined
    ? failed('BackendNotFound', `There is no Service ${key}`)
    : resolvePort(service, key, ref.port, requester);
}

function resolvePort(service: Service, key: string, number: number | undefined, { speaks }: Requester): Resolution {
  if (service.spec.type === 'ExternalName') {
    const message = `Service ${key} is an ExternalName, which would lead anywhere: use a Service with EndpointSlices`;
    return failed('InvalidKind', message);
  }
  if (number === undefined) return failed('BackendNotFound', `The reference to Service ${key} names no port`);
  const ports = service.spec.ports.filter((candidate) => candidate.port === number);
  const port = ports.find((candidate) => candidate.protocol === 'TCP') ?? ports[0];
  if (port === undefined) {
    const known = service.spec.ports.map((candidate) => candidate.port).join(', ');
    return failed('BackendNotFound', `Service ${key} has no port ${number}; it has ${known || 'none'}`);
  }
  const isSpoken = speaks === 'grpc' ? carriesGrpc(port.appProtocol) : forwardedAs(port.appProtocol) !== null;
  if (port.protocol !== 'TCP' || !isSpoken) {
    const protocol = port.protocol === 'TCP' ? `appProtocol ${port.appProtocol}` : `protocol ${port.protocol}`;
    return failed(
      'UnsupportedProtocol',
      `Port ${number} of Service ${key} has ${protocol}, which is not forwarded: only ${speaks === 'grpc' ? 'gRPC' : 'HTTP/1.1'} is`,
    );
  }
  return { backend: `${key}:${number}`, failure: null };
}

function failed(reason: string, message: string): Resolution {
  return { backend: null, failure: { reason, message } };
}
