// Random edits of a small world in which everything may refer to everything: what the translation's property tests run on.

import fc from 'fast-check';
import type { AnyResource, Resources } from '../../gateway-api/resources.ts';
import { authority } from './certificates.ts';

export type Edit =
  | { readonly kind: 'Put'; readonly resource: AnyResource }
  | { readonly kind: 'Delete'; readonly of: keyof Resources; readonly key: string }
  | { readonly kind: 'BindError'; readonly id: string; readonly error: string | null }
  | { readonly kind: 'Scope'; readonly gateway: string | null }
  | { readonly kind: 'Time'; readonly now: number }
  | { readonly kind: 'Interfaces'; readonly addresses: readonly string[] | null }
  | { readonly kind: 'Names'; readonly addresses: Readonly<Record<string, readonly string[]>> }
  | { readonly kind: 'ExternalNames'; readonly allowed: boolean };

const GROUP = 'gateway.networking.k8s.io';
const namespace = fc.constantFrom('a', 'b');
const name = fc.constantFrom('x', 'y');
const hostname = fc.constantFrom('h.example.com', '*.example.com', 'other.org');
const labels = fc.constantFrom<Record<string, string>>(
  {},
  {},
  { 'waypoint.dev/use-waypoint': 'x' },
  { 'waypoint.dev/use-waypoint': 'y', 'waypoint.dev/use-waypoint-namespace': 'a' },
  { 'istio.io/use-waypoint': 'x' },
  { 'waypoint.dev/use-waypoint': 'none' },
  { 'waypoint.dev/use-waypoint': 'x', team: 't' },
  { team: 't' },
);

function resource(
  kind: string,
  spec: fc.Arbitrary<unknown>,
  labelled: fc.Arbitrary<Record<string, string>>,
): fc.Arbitrary<Edit> {
  return fc
    .record({
      namespace,
      name,
      spec,
      labels: labelled,
      createdAt: fc.integer({ min: 1, max: 3 }),
      generation: fc.integer({ min: 1, max: 2 }),
    })
    .map(({ spec, createdAt, ...metadata }): Edit => {
      const resource = {
        kind,
        apiVersion: 'v1',
        metadata: { ...metadata, annotations: {} },
        spec,
        createdAt,
        origin: { file: 'f', line: 1 },
      };
      return { kind: 'Put', resource: resource as AnyResource };
    });
}

function named(fixed: string): (edit: Edit) => Edit {
  return (edit) => {
    if (edit.kind !== 'Put') return edit;
    const metadata = { ...edit.resource.metadata, name: fixed };
    return { kind: 'Put', resource: { ...edit.resource, metadata } as AnyResource };
  };
}

/** Absent in half of the cases: a field holding undefined is not what a reader gives. */
function maybe<T>(field: string, value: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> {
  return fc.option(value, { nil: null }).map((some): Record<string, T> => (some === null ? {} : { [field]: some }));
}

function join(...parts: readonly fc.Arbitrary<object>[]): fc.Arbitrary<object> {
  return fc.tuple(...parts).map((all) => Object.assign({}, ...all));
}

const X_GROUP = 'gateway.networking.x-k8s.io';
const referred = fc.constantFrom(
  ...new Array<object>(4).fill({ group: '', kind: 'Service' }),
  { group: '', kind: 'Thing' },
  { group: X_GROUP, kind: 'XBackend' },
);
const backendRef = join(
  referred,
  fc.record({ name, port: fc.constantFrom(80, 81), weight: fc.integer({ min: 0, max: 2 }) }),
  maybe('namespace', namespace),
);
const filter = fc.oneof(
  fc.constant({ type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'x', value: 'y' }] } }),
  fc.constant({ type: 'ExtensionRef', extensionRef: { group: 'g', kind: 'K', name: 'n' } }),
  backendRef.map((ref) => ({ type: 'RequestMirror', requestMirror: { backendRef: ref } })),
  fc.tuple(backendRef, fc.constantFrom('HTTP', 'GRPC')).map(([ref, protocol]) => ({
    type: 'ExternalAuth',
    externalAuth: { protocol, backendRef: ref, [protocol.toLowerCase()]: {} },
  })),
);
const rule = join(
  fc.record({ matches: fc.constantFrom('/', '/a', '/b').map((value) => [{ path: { type: 'PathPrefix', value } }]) }),
  maybe('backendRefs', fc.array(backendRef, { maxLength: 2 })),
  maybe('filters', fc.array(filter, { maxLength: 2 })),
  maybe('retry', fc.constant({ attempts: 1 })),
  maybe('name', fc.constant('first')),
);
const parentRef = join(
  fc.oneof(
    fc.record({ group: fc.constant(GROUP), kind: fc.constant('Gateway'), name }),
    fc.record({ group: fc.constant(''), kind: fc.constant('Service'), name }),
  ),
  maybe('namespace', namespace),
  maybe('port', fc.constantFrom(80, 8080)),
);
const route = join(
  fc.record({
    parentRefs: fc.array(parentRef, { maxLength: 3 }),
    rules: fc.array(rule, { minLength: 1, maxLength: 2 }),
  }),
  maybe('hostnames', fc.array(hostname, { maxLength: 2 })),
);
/** Of these the times of edits make some valid and others not. */
const NOON = Date.UTC(2030, 0, 1, 12);
const HOUR_MS = 3_600_000;
const root = authority({ notBefore: NOON - HOUR_MS, notAfter: NOON + 3 * HOUR_MS });
const pairs = [0, 1, 2].map((hour) => {
  const { chain, key } = root.issue({ notBefore: NOON + (hour - 1) * HOUR_MS, notAfter: NOON + hour * HOUR_MS });
  return { 'tls.crt': chain, 'tls.key': key, 'ca.crt': root.certificate };
});
const data = fc
  .constantFrom(...pairs, ...pairs, { 'tls.crt': 'broken' }, {})
  .map((each) => ({ type: 'Opaque', data: each }));
const secretRef = join(
  fc.record({ group: fc.constant(''), kind: fc.constantFrom('Secret', 'Secret', 'Secret', 'Thing'), name }),
  maybe('namespace', namespace),
);
const authorityRef = join(
  fc.record({ group: fc.constant(''), kind: fc.constantFrom('ConfigMap', 'Secret'), name }),
  maybe('namespace', namespace),
);
const clients = maybe(
  'validation',
  fc.record({
    mode: fc.constantFrom('AllowValidOnly', 'AllowInsecureFallback'),
    caCertificateRefs: fc.array(authorityRef, { minLength: 1, maxLength: 2 }),
  }),
);
const gatewayTls = join(
  maybe('backend', fc.record({ clientCertificateRef: secretRef })),
  maybe(
    'frontend',
    join(
      fc.record({ default: clients }),
      maybe(
        'perPort',
        clients.map((tls) => [{ port: 8080, tls }]),
      ),
    ),
  ),
);
const listener = join(
  fc.record({
    port: fc.constantFrom(8080, 8081),
    protocol: fc.constantFrom('HTTP', 'HTTP', 'HTTP', 'TCP', 'HTTPS', 'HTTPS', 'HTTPS', 'waypoint.dev/PROXY'),
    allowedRoutes: fc.record({
      kinds: fc.constantFrom([], [{ group: GROUP, kind: 'HTTPRoute' }], [{ group: GROUP, kind: 'TCPRoute' }]),
      namespaces: fc.constantFrom(
        { from: 'All' },
        { from: 'Same' },
        { from: 'Selector', selector: { matchLabels: { team: 't' } } },
      ),
    }),
  }),
  maybe('hostname', hostname),
  maybe('tls', fc.record({ mode: fc.constant('Terminate'), certificateRefs: fc.array(secretRef, { maxLength: 2 }) })),
);
const gateway = join(
  fc.record({
    gatewayClassName: fc.constantFrom('waypoint', 'waypoint', 'x'),
    listeners: fc
      .array(listener, { minLength: 1, maxLength: 3 })
      .map((list) => list.map((each, index) => ({ ...each, name: `l${index}` }))),
  }),
  maybe('tls', gatewayTls),
  maybe('addresses', fc.constantFrom([{ type: 'IPAddress', value: '127.0.0.2' }], [{ type: 'Hostname', value: 'h' }])),
);
const service = join(
  fc.record({
    type: fc.constantFrom('ClusterIP', 'ClusterIP', 'ExternalName'),
    ports: fc.subarray([
      { name: 'http', protocol: 'TCP', port: 80, targetPort: 8080 },
      { name: 'ws', protocol: 'TCP', port: 81, appProtocol: 'kubernetes.io/ws' },
      { name: 'later', protocol: 'TCP', port: 81 },
      { name: 'secure', protocol: 'TCP', port: 80, appProtocol: 'https' },
      { name: 'db', protocol: 'TCP', port: 82, appProtocol: 'mysql' },
    ]),
  }),
  maybe('externalName', fc.constantFrom('h.example.com', 'OTHER.org.', '127.0.0.1')),
  maybe('clusterIP', fc.constantFrom('127.0.0.2', '127.0.0.3', '10.0.0.1', 'None')),
);
const slice = fc.record({
  addressType: fc.constantFrom('IPv4', 'IPv4', 'FQDN'),
  endpoints: fc
    .subarray(['10.0.0.1', '10.0.0.2', '10.0.0.3'])
    .map((list) =>
      list.map((address) => ({ addresses: [address], conditions: { ready: true, serving: true, terminating: false } })),
    ),
  ports: fc.constantFrom([{ name: 'http', port: 8080 }], [{ name: 'ws', port: 81 }], [{ port: 8080 }]),
});
const grant = fc.record({
  from: fc.array(
    join(
      fc.constantFrom(
        { group: GROUP, kind: 'HTTPRoute' },
        { group: GROUP, kind: 'Gateway' },
        { group: 'security.istio.io', kind: 'AuthorizationPolicy' },
      ),
      fc.record({ namespace }),
    ),
    { maxLength: 2 },
  ),
  to: fc.array(
    join(
      fc.constantFrom(...['Service', 'Secret', 'ConfigMap'].map((kind) => ({ group: '', kind })), {
        group: X_GROUP,
        kind: 'XBackend',
      }),
      maybe('name', name),
    ),
    { maxLength: 2 },
  ),
});
const seconds = fc.constantFrom('1s', '20s', '600s');
const serviceTarget = join(
  fc.record({ group: fc.constant(''), kind: fc.constant('Service'), name }),
  maybe('sectionName', fc.constantFrom('http', 'ws')),
);
const routeTarget = join(
  fc.record({ group: fc.constant(GROUP), kind: fc.constant('HTTPRoute'), name }),
  maybe('sectionName', fc.constant('first')),
);
const gatewayTarget = fc.record({ group: fc.constant(GROUP), kind: fc.constant('Gateway'), name });
const globalLimit = fc.record({ name, port: fc.constantFrom(80, 81) }).map((service) => ({
  domain: 'd',
  service,
  descriptors: [[{ key: 'k', value: 'v' }]],
}));
const requestSettings = join(
  fc.record({ mode: fc.constantFrom('Enforce', 'Enforce', 'Shadow') }),
  maybe('retry', join(maybe('attempts', fc.integer({ min: 0, max: 2 })), maybe('perTryTimeout', seconds))),
  maybe('loadBalancing', maybe('algorithm', fc.constantFrom('Random', 'RoundRobin'))),
  maybe('rateLimit', maybe('global', globalLimit)),
);
const endpointSettings = join(
  requestSettings,
  maybe('circuitBreaker', maybe('maxRequests', fc.integer({ min: 1, max: 2 }))),
  // Two levels may contradict each other.
  maybe('outlierDetection', join(maybe('baseEjectionTime', seconds), maybe('maxEjectionTime', seconds))),
);

function targeting(target: fc.Arbitrary<object>): fc.Arbitrary<object> {
  const options = { minLength: 1, maxLength: 2, selector: (ref: object) => JSON.stringify(ref) };
  return fc.record({ targetRefs: fc.uniqueArray(target, options) });
}

const traffic = fc.oneof(
  join(targeting(routeTarget), requestSettings),
  join(targeting(gatewayTarget), endpointSettings),
  join(targeting(serviceTarget), endpointSettings),
  join(targeting(fc.oneof(serviceTarget, routeTarget, gatewayTarget)), endpointSettings),
);
const backendTraffic = join(
  fc.record({ targetRefs: name.map((each) => [{ group: '', kind: 'Service', name: each }]) }),
  maybe('retryConstraint', fc.constant({ budget: { percent: 10, interval: '10s' } })),
  maybe('sessionPersistence', fc.constant({ sessionName: 's', type: 'Cookie' })),
);
const backendValidation = join(
  fc.record({ hostname }),
  fc.oneof(
    fc.record({
      caCertificateRefs: fc.array(
        fc.record({ group: fc.constant(''), kind: fc.constantFrom('ConfigMap', 'Secret', 'Thing'), name }),
        { minLength: 1, maxLength: 2 },
      ),
    }),
    fc.record({ wellKnownCACertificates: fc.constantFrom('System', 'example.com/theirs') }),
  ),
);
const backendTls = join(
  targeting(serviceTarget),
  fc.record({ validation: backendValidation }),
  maybe('options', fc.constant({ 'example.com/a': 'b' })),
);
const xBackend = join(
  fc.record({
    type: fc.constantFrom('ExternalHostname', 'ExternalHostname', 'EndpointSelector'),
    port: fc.constantFrom(80, 81),
    externalHostname: fc.record({ hostname: fc.constantFrom('h.example.com', 'other.org', '127.0.0.1') }),
  }),
  maybe('protocol', fc.constantFrom('HTTP', 'WSS', 'GRPC')),
  maybe(
    'tls',
    fc.oneof(
      fc.constantFrom({ mode: 'None' }, { mode: 'ServerOnly' }),
      fc.record({
        mode: fc.constant('ClientAndServer'),
        clientCertificateRef: secretRef,
        validation: backendValidation,
      }),
    ),
  ),
);
const accessTarget = fc.oneof(
  fc.record({ group: fc.constant(''), kind: fc.constantFrom('Service', 'Service', 'Pod'), name }),
  fc.record({ group: fc.constant(GROUP), kind: fc.constantFrom('HTTPRoute', 'Gateway'), name }),
  fc.record({ group: fc.constant(''), kind: fc.constant('Service'), name, namespace }),
);
const accessTargets = fc.oneof(
  fc.record({ targetRef: accessTarget }),
  fc.record({ targetRefs: fc.array(accessTarget, { maxLength: 2 }) }),
  maybe('selector', fc.constant({})),
);
const authorization = join(
  accessTargets,
  maybe('rules', fc.constantFrom([], [{}], [{ when: [{ key: 'source.ip', values: ['10.0.0.1'] }] }], [{ form: [] }])),
  fc.constantFrom<object>({ action: 'DENY' }, { action: 'CUSTOM', provider: { name: 'p' } }, { mode: 'Shadow' }, {}),
  maybe('failure', fc.constant('spec: broken')),
);
const authentication = join(
  accessTargets,
  maybe('jwtRules', fc.constantFrom([], [{ issuer: 'https://idp' }], [{ issuer: 7 }])),
);
const addresses = join(
  maybe('h.example.com', fc.subarray(['192.0.2.1', '192.0.2.2'])),
  maybe('other.org', fc.constant(['192.0.2.3'])),
) as fc.Arbitrary<Readonly<Record<string, readonly string[]>>>;
const providers = fc
  .record({ namespace, name, port: fc.constantFrom(80, 81) })
  .map(({ namespace: in_, name: service, port }) => ({
    data: { mesh: `extensionProviders: [{name: p, envoyExtAuthzHttp: {service: ${service}.${in_}, port: ${port}}}]` },
  }));
const gatewayClass = join(
  fc.record({
    controllerName: fc.constantFrom('waypoint.dev/controller', 'waypoint.dev/controller', 'example.com/other'),
  }),
  maybe('parametersRef', fc.constant({ group: 'g', kind: 'K', name: 'n' })),
);

const kinds = fc.constantFrom<keyof Resources>(
  'GatewayClass',
  'Gateway',
  'HTTPRoute',
  'ReferenceGrant',
  'Service',
  'EndpointSlice',
  'TrafficPolicy',
  'XBackendTrafficPolicy',
  'BackendTLSPolicy',
  'XBackend',
  'AuthorizationPolicy',
  'RequestAuthentication',
  'Namespace',
  'Secret',
  'ConfigMap',
);

export const edits: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 1, arbitrary: resource('GatewayClass', gatewayClass, fc.constant({})) },
  { weight: 3, arbitrary: resource('Gateway', gateway, fc.constant({})) },
  { weight: 6, arbitrary: resource('HTTPRoute', route, fc.constant({})) },
  { weight: 2, arbitrary: resource('ReferenceGrant', grant, fc.constant({})) },
  { weight: 6, arbitrary: resource('Service', service, labels) },
  {
    weight: 4,
    arbitrary: resource(
      'EndpointSlice',
      slice,
      name.map((service) => ({ 'kubernetes.io/service-name': service })),
    ),
  },
  { weight: 4, arbitrary: resource('TrafficPolicy', traffic, fc.constant({})) },
  { weight: 2, arbitrary: resource('XBackendTrafficPolicy', backendTraffic, fc.constant({})) },
  { weight: 4, arbitrary: resource('BackendTLSPolicy', backendTls, fc.constant({})) },
  { weight: 3, arbitrary: resource('XBackend', xBackend, fc.constant({})) },
  { weight: 4, arbitrary: resource('AuthorizationPolicy', authorization, fc.constant({})) },
  { weight: 2, arbitrary: resource('RequestAuthentication', authentication, fc.constant({})) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('Names' as const), addresses }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('ExternalNames' as const), allowed: fc.boolean() }) },
  { weight: 4, arbitrary: resource('Namespace', fc.constant({}), labels) },
  { weight: 4, arbitrary: resource('Secret', data, fc.constant({})) },
  { weight: 2, arbitrary: resource('ConfigMap', data, fc.constant({})) },
  {
    weight: 2,
    arbitrary: resource('ConfigMap', fc.oneof(providers, fc.constant({ data: {} })), fc.constant({})).map(
      named('waypoint'),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('Time' as const),
      now: fc.integer({ min: -2, max: 5 }).map((hours) => NOON + hours * HOUR_MS),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('Delete' as const),
      of: kinds,
      key: fc.tuple(namespace, name).map((parts) => parts.join('/')),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('BindError' as const),
      id: fc.constantFrom('127.0.0.1:8080', '127.0.0.2:80'),
      error: fc.constantFrom(null, 'EADDRINUSE', 'EADDRNOTAVAIL'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('Interfaces' as const),
      addresses: fc.constantFrom(null, [], ['10.0.0.1']),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('Scope' as const), gateway: fc.constantFrom(null, null, 'a/x') }),
  },
);

/** As a store does it: a new Resources, with the maps of all kinds but the changed one. */
export function editResources(resources: Resources, edit: Edit): Resources {
  if (edit.kind === 'Put') {
    const { kind, metadata } = edit.resource;
    const map = new Map<string, AnyResource>(resources[kind]).set(
      keyOf(kind, `${metadata.namespace}/${metadata.name}`),
      edit.resource,
    );
    return { ...resources, [kind]: map };
  }
  if (edit.kind !== 'Delete') return resources;
  const map = new Map<string, AnyResource>(resources[edit.of]);
  return map.delete(keyOf(edit.of, edit.key)) ? { ...resources, [edit.of]: map } : resources;
}

function keyOf(kind: keyof Resources, key: string): string {
  if (kind === 'GatewayClass') return key.endsWith('/x') ? 'x' : 'waypoint';
  return kind === 'Namespace' ? key.slice(0, key.indexOf('/')) : key;
}
