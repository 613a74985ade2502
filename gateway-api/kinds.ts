// The kinds we read: where each lives in the API, its schema, and how its fields become a resource's spec.
import type { AnyResource } from './resources.ts';
import { authorizationPolicy, istioAuthorizationPolicy } from './schemas/authorization-policy.ts';
import { backendTlsPolicy } from './schemas/backend-tls-policy.ts';
import { configMap } from './schemas/config-map.ts';
import { endpointSlice } from './schemas/endpoint-slice.ts';
import { gateway } from './schemas/gateway.ts';
import { gatewayClass } from './schemas/gateway-class.ts';
import { httpRoute } from './schemas/http-route.ts';
import { namespace } from './schemas/namespace.ts';
import { referenceGrant } from './schemas/reference-grant.ts';
import { istioRequestAuthentication, requestAuthentication } from './schemas/request-authentication.ts';
import type { Schema } from './schemas/schema.ts';
import { secret } from './schemas/secret.ts';
import { service } from './schemas/service.ts';
import { trafficPolicy } from './schemas/traffic-policy.ts';
import { xBackend } from './schemas/x-backend.ts';
import { xBackendTrafficPolicy } from './schemas/x-backend-traffic-policy.ts';

export type KindName = AnyResource['kind'];
type Fields = Readonly<Record<string, unknown>>;

export interface Kind {
  readonly name: KindName;
  readonly group: string;
  readonly versions: readonly string[];
  readonly scope: 'Namespaced' | 'Cluster';
  readonly schema: Schema;
  /** The spec, in the shape of resources.ts, from an object that passed its schema. */
  readonly spec: (object: Fields) => unknown;
  /** Ends the keys of its objects, where another group has a kind of this name: each group's objects are its own. */
  readonly suffix?: string;
  /** Kinds that guard: what of an object that violates its schema can be read, so that its targets stay guarded. */
  readonly broken?: (object: Fields, failure: string) => unknown;
}

/** Istio's annotation of a policy that only watches. */
export const DRY_RUN = 'istio.io/dry-run';

const gatewayApi = 'gateway.networking.k8s.io';
const both = ['v1', 'v1beta1'];
const asWritten = (object: Fields): unknown => object['spec'];

/** Istio's own objects, of which the spec may be missing. */
const istio = {
  group: 'security.istio.io',
  versions: ['v1', 'v1beta1'],
  scope: 'Namespaced',
  spec: (object: Fields): unknown => object['spec'] ?? {},
  suffix: '@security.istio.io',
  broken: brokenAccessPolicy,
} as const;

const kinds: readonly Kind[] = [
  { name: 'GatewayClass', group: gatewayApi, versions: both, scope: 'Cluster', schema: gatewayClass, spec: asWritten },
  { name: 'Gateway', group: gatewayApi, versions: both, scope: 'Namespaced', schema: gateway, spec: gatewaySpec },
  { name: 'HTTPRoute', group: gatewayApi, versions: both, scope: 'Namespaced', schema: httpRoute, spec: asWritten },
  {
    name: 'ReferenceGrant',
    group: gatewayApi,
    versions: both,
    scope: 'Namespaced',
    schema: referenceGrant,
    spec: asWritten,
  },
  { name: 'Service', group: '', versions: ['v1'], scope: 'Namespaced', schema: service, spec: serviceSpec },
  {
    name: 'EndpointSlice',
    group: 'discovery.k8s.io',
    versions: ['v1'],
    scope: 'Namespaced',
    schema: endpointSlice,
    spec: endpointSliceSpec,
  },
  {
    name: 'TrafficPolicy',
    group: 'waypoint.dev',
    versions: ['v1alpha1'],
    scope: 'Namespaced',
    schema: trafficPolicy,
    spec: asWritten,
  },
  {
    name: 'XBackendTrafficPolicy',
    group: 'gateway.networking.x-k8s.io',
    versions: ['v1alpha1'],
    scope: 'Namespaced',
    schema: xBackendTrafficPolicy,
    spec: asWritten,
  },
  {
    name: 'BackendTLSPolicy',
    group: gatewayApi,
    versions: ['v1', 'v1alpha3'],
    scope: 'Namespaced',
    schema: backendTlsPolicy,
    spec: asWritten,
  },
  {
    name: 'XBackend',
    group: 'gateway.networking.x-k8s.io',
    versions: ['v1alpha1'],
    scope: 'Namespaced',
    schema: xBackend,
    spec: xBackendSpec,
  },
  {
    name: 'AuthorizationPolicy',
    group: 'waypoint.dev',
    versions: ['v1alpha1'],
    scope: 'Namespaced',
    schema: authorizationPolicy,
    spec: asWritten,
    broken: brokenAccessPolicy,
  },
  {
    name: 'AuthorizationPolicy',
    ...istio,
    schema: istioAuthorizationPolicy,
  },
  {
    name: 'RequestAuthentication',
    group: 'waypoint.dev',
    versions: ['v1alpha1'],
    scope: 'Namespaced',
    schema: requestAuthentication,
    spec: asWritten,
    broken: brokenAccessPolicy,
  },
  {
    name: 'RequestAuthentication',
    ...istio,
    schema: istioRequestAuthentication,
  },
  { name: 'Namespace', group: '', versions: ['v1'], scope: 'Cluster', schema: namespace, spec: () => ({}) },
  { name: 'Secret', group: '', versions: ['v1'], scope: 'Namespaced', schema: secret, spec: secretSpec },
  { name: 'ConfigMap', group: '', versions: ['v1'], scope: 'Namespaced', schema: configMap, spec: configMapSpec },
];

const byGroupAndName = new Map(kinds.map((kind) => [`${kind.group}/${kind.name}`, kind]));

export function findKind(group: string, name: string): Kind | null {
  return byGroupAndName.get(`${group}/${name}`) ?? null;
}

interface RawListener {
  readonly allowedRoutes: { readonly kinds?: readonly unknown[] };
}

function gatewaySpec(object: Fields): unknown {
  const spec = object['spec'] as Fields & { listeners: readonly RawListener[] };
  return {
    ...spec,
    listeners: spec.listeners.map((listener) => ({
      ...listener,
      allowedRoutes: { ...listener.allowedRoutes, kinds: listener.allowedRoutes.kinds ?? [] },
    })),
  };
}

function xBackendSpec(object: Fields): unknown {
  const spec = object['spec'] as Fields & { port: { port?: number; number?: number } };
  return { ...spec, port: spec.port.port ?? spec.port.number };
}

function serviceSpec(object: Fields): unknown {
  const spec = object['spec'] as Fields & { ports?: readonly unknown[] };
  return { ...spec, ports: spec.ports ?? [] };
}

interface RawConditions {
  readonly ready?: boolean;
  readonly serving?: boolean;
  readonly terminating?: boolean;
}

/** Unset means ready, serving as ready, and not terminating (EndpointConditions, discovery.k8s.io/v1). */
function conditions({ ready = true, serving = ready, terminating = false }: RawConditions): Required<RawConditions> {
  return { ready, serving, terminating };
}

function endpointSliceSpec(object: Fields): unknown {
  const endpoints = (object['endpoints'] ?? []) as readonly { conditions?: RawConditions }[];
  return {
    addressType: object['addressType'],
    endpoints: endpoints.map((endpoint) => ({ ...endpoint, conditions: conditions(endpoint.conditions ?? {}) })),
    ports: object['ports'] ?? [],
  };
}

type Data = Readonly<Record<string, string>>;

function decoded(data: unknown): Record<string, string> {
  const entries = Object.entries((data ?? {}) as Data);
  return Object.fromEntries(entries.map(([key, value]) => [key, Buffer.from(value, 'base64').toString('latin1')]));
}

function encoded(data: unknown): Record<string, string> {
  const entries = Object.entries((data ?? {}) as Data);
  return Object.fromEntries(entries.map(([key, value]) => [key, Buffer.from(value, 'utf8').toString('latin1')]));
}

function secretSpec(object: Fields): unknown {
  return { type: object['type'], data: { ...decoded(object['data']), ...encoded(object['stringData']) } };
}

function configMapSpec(object: Fields): unknown {
  return { data: { ...decoded(object['binaryData']), ...encoded(object['data']) } };
}

/** Whom a policy is for, and whether it only watches. What of that cannot be read is left out. */
function brokenAccessPolicy(object: Fields, failure: string): unknown {
  const spec = isFields(object['spec']) ? object['spec'] : {};
  const { targetRefs: list } = spec;
  const written = [spec['targetRef'], ...(Array.isArray(list) ? (list as unknown[]) : [list])];
  const targetRefs = written.filter(isTarget).map(({ group, kind, name, namespace }) => ({
    ...{ group: typeof group === 'string' ? group : '', kind, name },
    ...(typeof namespace === 'string' ? { namespace } : {}),
  }));
  // What tokens write is not for clients to write, whatever else is wrong.
  const { jwtRules } = spec;
  return {
    targetRefs,
    ...(spec['mode'] === 'Shadow' ? { mode: 'Shadow' } : {}),
    ...(Array.isArray(jwtRules) ? { jwtRules } : {}),
    failure,
  };
}

function isTarget(ref: unknown): ref is Fields & { readonly kind: string; readonly name: string } {
  return isFields(ref) && typeof ref['kind'] === 'string' && typeof ref['name'] === 'string';
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
