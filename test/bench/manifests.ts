// Resources to load a waypoint with: a Gateway, two Services on loopback, and as many HTTPRoutes as a row asks for.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Backend } from './backend.ts';
import { benchCertificate } from './certificate.ts';
import type { Scheme } from './contenders/contender.ts';

export interface Fleet {
  readonly routes: number;
  /** Routes are dealt to this many namespaces. */
  readonly namespaces: number;
  readonly layout: 'file-per-route' | 'file-per-namespace';
  /** AuthorizationPolicies on the Service that the load hits; none unless said otherwise. */
  readonly policies?: number;
  /** Where an external authorizer listens that is asked about each request of the loaded route; none unless said otherwise. */
  readonly authorizerPort?: number;
  /** A RequestAuthentication on that Service believes tokens under these keys; none unless said otherwise. */
  readonly tokens?: { readonly issuer: string; readonly jwks: string };
}

/** The route that the load hits; it is there whatever the size of the fleet. */
export const LOADED_ROUTE_FILE = 'loaded.yaml';

export interface Listener {
  readonly port: number;
  readonly scheme: Scheme;
}

export function writeManifests(folder: string, listener: Listener, backend: Backend, fleet: Fleet): void {
  writeFileSync(join(folder, 'base.yaml'), baseManifests(listener, backend, fleet.namespaces));
  if (fleet.policies) writeFileSync(join(folder, 'policies.yaml'), accessPolicies(fleet.policies));
  if (fleet.authorizerPort)
    writeFileSync(join(folder, 'authorizer.yaml'), service('authorizer', '10.1.0.3', fleet.authorizerPort));
  if (fleet.tokens) writeFileSync(join(folder, 'tokens.yaml'), authentication(fleet.tokens));
  if (listener.scheme === 'https') writeFileSync(join(folder, 'certificate.yaml'), certificateSecret());
  writeFileSync(join(folder, LOADED_ROUTE_FILE), loadedRoute(null, fleet.authorizerPort !== undefined ? ASKED : ''));
  const byNamespace = new Map<string, string[]>();
  for (let i = 1; i < fleet.routes; i++) {
    const namespace = namespaceOf(i, fleet);
    if (fleet.layout === 'file-per-route') {
      mkdirSync(join(folder, namespace), { recursive: true });
      writeFileSync(join(folder, routeFile(i, fleet)), otherRoute(i, namespace));
      continue;
    }
    const routes = byNamespace.get(namespace) ?? [];
    routes.push(otherRoute(i, namespace));
    byNamespace.set(namespace, routes);
  }
  for (const [namespace, routes] of byNamespace) writeFileSync(join(folder, `${namespace}.yaml`), routes.join('---\n'));
}

export function namespaceOf(i: number, fleet: Fleet): string {
  return `team-${i % fleet.namespaces}`;
}

/** Where route `i` is in the layout 'file-per-route', from the folder given to the waypoint. */
export function routeFile(i: number, fleet: Fleet): string {
  return join(namespaceOf(i, fleet), `route-${i}.yaml`);
}

const ASKED = `    filters:
    - type: ExternalAuth
      externalAuth: {protocol: GRPC, backendRef: {name: authorizer, port: 80}, grpc: {}}
`;

/** `version` comes back in a response header: how a row sees that an edit is served. null: as plain as the others' configurations. */
export function loadedRoute(version: string | null, others = ''): string {
  const filters =
    version === null
      ? others
      : `    filters:
    - type: ResponseHeaderModifier
      responseHeaderModifier: {set: [{name: x-version, value: "${version}"}]}
`;
  return `${routeHead('loaded', 'bench')}
  hostnames: [shop.example.com]
  rules:
  - matches:
    - path: {type: PathPrefix, value: /api/orders}
${filters}    timeouts: {request: 10s, backendRequest: 5s}
    retry: {attempts: 2, codes: [502, 503, 504]}
    backendRefs: [{name: answers, port: 80}]
  - matches:
    - path: {type: Exact, value: /mib}
    backendRefs: [{name: answers, port: 80}]
  - matches:
    - path: {type: Exact, value: /upload}
    backendRefs: [{name: sink, port: 80}]
`;
}

/** Of ten routes six have a host of their own, two share the loaded host, one a wildcard, one matches on headers. */
export function otherRoute(i: number, namespace: string): string {
  const backend = 'backendRefs: [{name: answers, namespace: bench, port: 80}]';
  const rule = (match: string): string => `  rules:\n  - matches: [${match}]\n    ${backend}\n`;
  const prefix = (value: string): string => `path: {type: PathPrefix, value: ${value}}`;
  const head = routeHead(`route-${i}`, namespace);
  const hosts = (name: string): string => `\n  hostnames: ["${name}"]\n`;
  switch (i % 10) {
    case 0:
      return `${head}${hosts('shop.example.com')}${rule(`{${prefix(`/part-${i}`)}}`)}`;
    case 1:
      return `${head}${hosts('shop.example.com')}${rule(`{path: {type: Exact, value: /api/page-${i}}}`)}`;
    case 2:
      return `${head}${hosts(`*.team-${i}.example.com`)}${rule(`{${prefix('/')}}`)}`;
    case 3:
      return `${head}${hosts(`host-${i}.example.com`)}${rule(`{${prefix('/api')}, headers: [{name: x-tenant, value: t-${i}}]}, {${prefix('/')}}`)}`;
    default:
      return `${head}${hosts(`host-${i}.example.com`)}${rule(`{${prefix('/api')}}, {${prefix('/static')}, method: GET}`)}`;
  }
}

function routeHead(name: string, namespace: string): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  parentRefs: [{name: bench, namespace: bench}]`;
}

function baseManifests({ port, scheme }: Listener, backend: Backend, namespaces: number): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: waypoint}
spec: {controllerName: waypoint.dev/controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: bench, namespace: bench}
spec:
  gatewayClassName: waypoint
  listeners:
  - {name: http, port: ${port}, ${scheme === 'http' ? 'protocol: HTTP' : 'protocol: HTTPS, tls: {certificateRefs: [{name: bench}]}'}, allowedRoutes: {namespaces: {from: All}}}
---
${service('answers', '10.1.0.1', backend.port)}---
${service('sink', '10.1.0.2', backend.sinkPort)}---
${POLICY}---
${grants(namespaces)}`;
}

/** What the loaded Service is protected by while it is measured; the other contenders have nothing like it. */
const POLICY = `apiVersion: waypoint.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: answers, namespace: bench}
spec:
  targetRefs: [{group: "", kind: Service, name: answers}]
  outlierDetection: {consecutive5xx: 5, interval: 10s}
  circuitBreaker: {maxConnections: 1024, maxRequests: 1024}
  retry: {"on": [connect-failure, reset-before-response, gateway-error], perTryTimeout: 4s}
`;

function certificateSecret(): string {
  const { chain, key } = benchCertificate();
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'bench', namespace: 'bench' },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': chain, 'tls.key': key },
  });
}

function authentication(rule: NonNullable<Fleet['tokens']>): string {
  return JSON.stringify({
    apiVersion: 'security.istio.io/v1',
    kind: 'RequestAuthentication',
    metadata: { name: 'tokens', namespace: 'bench' },
    spec: { targetRefs: [{ group: '', kind: 'Service', name: 'answers' }], jwtRules: [rule] },
  });
}

/** One of ten denies, the others allow; exactly one of them allows the load, and none of the others matches it. */
function accessPolicies(count: number): string {
  return Array.from({ length: count }, (_, i) => accessPolicy(i)).join('---\n');
}

function accessPolicy(i: number): string {
  const rules = [
    `  - to: [{operation: {methods: [POST, PUT], paths: [/api/orders/*, /api/part-${i}]}}]`,
    `  - from: [{source: {namespaces: [team-${i}], principals: ["cluster.local/ns/team-${i}/sa/*"]}}]`,
    `  - to: [{operation: {paths: [/reports/${i}/*], methods: [GET]}}]\n    when: [{key: "request.headers[x-tenant]", values: [t-${i}]}]`,
    `  - to: [{operation: {hosts: ["*.team-${i}.example.com"], notMethods: [DELETE]}}]`,
    `  - from: [{source: {ipBlocks: [10.${i}.0.0/16], notIpBlocks: [10.${i}.1.0/24]}}]`,
  ];
  const denies = `  - to: [{operation: {paths: [/admin/${i}, /admin/${i}/*]}}]\n  - when: [{key: "request.headers[x-blocked]", values: [b-${i}]}]`;
  const loaded = '  - to: [{operation: {methods: [GET], paths: ["/api/*"]}}]';
  return `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: access-${i}, namespace: bench}
spec:
  targetRefs: [{group: "", kind: Service, name: answers}]
  action: ${i % 10 === 9 ? 'DENY' : 'ALLOW'}
  rules:
${i % 10 === 9 ? denies : i === 42 ? loaded : rules[i % 5]}
`;
}

/** A ReferenceGrant names at most 16 namespaces. */
const NAMESPACES_PER_GRANT = 16;

function grants(namespaces: number): string {
  const documents: string[] = [];
  for (let first = 0; first < namespaces; first += NAMESPACES_PER_GRANT) {
    const count = Math.min(NAMESPACES_PER_GRANT, namespaces - first);
    const from = Array.from(
      { length: count },
      (_, i) => `  - {group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: team-${first + i}}\n`,
    );
    documents.push(`apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: teams-${first}, namespace: bench}
spec:
  from:
${from.join('')}  to: [{group: "", kind: Service}]
`);
  }
  return documents.join('---\n');
}

function service(name: string, clusterIP: string, endpointPort: number): string {
  return `apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: bench}
spec:
  clusterIP: ${clusterIP}
  ports: [{name: http, port: 80, targetPort: ${endpointPort}}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ${name}-1, namespace: bench, labels: {kubernetes.io/service-name: ${name}}}
addressType: IPv4
ports: [{name: http, port: ${endpointPort}}]
endpoints:
- {addresses: [127.0.0.1], conditions: {ready: true}}
`;
}
