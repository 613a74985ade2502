import assert from 'node:assert/strict';
import { resolveProvider } from './external-providers.ts';
import type { Resources } from './resources.ts';
import { Store } from './store.ts';

const SERVICES = `
apiVersion: v1
kind: Service
metadata: {name: auth, namespace: shop}
spec: {ports: [{port: 9000}]}
---
apiVersion: v1
kind: Service
metadata: {name: auth, namespace: security}
spec: {ports: [{port: 9000}]}
`;

const GRANT = `
---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: g, namespace: security}
spec:
  from: [{group: security.istio.io, kind: AuthorizationPolicy, namespace: shop}]
  to: [{group: "", kind: Service, name: auth}]
`;

function configMap(key: string, mesh: string): string {
  const [namespace, name] = key.split('/');
  const text = mesh
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
  return `\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, namespace: ${namespace}}\ndata:\n  mesh: |\n${text}\n`;
}

function provider(fields: string, kind: string = 'envoyExtAuthzHttp', name: string = 'p'): string {
  return `extensionProviders:\n- name: ${name}\n  ${kind}: {${fields}}`;
}

function resources(text: string): Resources {
  const store = new Store();
  store.apply('f.yaml', SERVICES + text);
  assert.deepEqual(store.findings, []);
  return store.resources;
}

const LOCAL = 'service: auth.shop.svc.cluster.local, port: 9000';

describe('extension providers', () => {
  it('are filled in: HTTP', () => {
    const plan = resolveProvider(resources(configMap('shop/waypoint', provider(LOCAL))), 'shop', 'p');
    const none = { exact: [], prefixes: [], suffixes: [] };
    assert.deepEqual(plan, {
      provider: 'p',
      protocol: 'HTTP',
      backend: 'shop/auth:9000',
      failure: null,
      pathPrefix: '',
      allowedHeaders: none,
      additionalHeaders: [],
      allowedResponseHeaders: none,
      clientHeadersOnDeny: null,
      clientHeadersOnAllow: none,
      forwardBody: null,
      timeoutMs: 600_000,
      failOpen: false,
      statusOnError: 403,
    });
  });

  it('keep every field that is written', () => {
    const fields = `${LOCAL}, timeout: 0.25s, failOpen: true, statusOnError: "503", pathPrefix: /check,
      includeRequestHeadersInCheck: [X-A, "x-b*", "*-c"], includeAdditionalHeadersInCheck: {X-Fixed: "1"},
      includeRequestBodyInCheck: {maxRequestBytes: 10, allowPartialMessage: true, packAsBytes: true},
      headersToUpstreamOnAllow: [x-user], headersToDownstreamOnDeny: [x-why], headersToDownstreamOnAllow: [set-cookie]`;
    const plan = resolveProvider(resources(configMap('shop/waypoint', provider(fields))), 'shop', 'p');
    const only = (...exact: string[]): object => ({ exact, prefixes: [], suffixes: [] });
    assert.deepEqual(plan, {
      provider: 'p',
      protocol: 'HTTP',
      backend: 'shop/auth:9000',
      failure: null,
      pathPrefix: '/check',
      allowedHeaders: { exact: ['x-a'], prefixes: ['x-b'], suffixes: ['-c'] },
      additionalHeaders: [['x-fixed', '1']],
      allowedResponseHeaders: only('x-user'),
      clientHeadersOnDeny: only('x-why'),
      clientHeadersOnAllow: only('set-cookie'),
      forwardBody: { maxBytes: 10, allowPartial: true, packAsBytes: true },
      timeoutMs: 250,
      failOpen: true,
      statusOnError: 503,
    });
  });

  it('gRPC is told every header', () => {
    const text = configMap('shop/waypoint', provider(LOCAL, 'envoyExtAuthzGrpc'));
    const { protocol, allowedHeaders, failure } = resolveProvider(resources(text), 'shop', 'p');
    assert.deepEqual([protocol, allowedHeaders, failure], ['GRPC', null, null]);
  });

  const backends: readonly (readonly [name: string, text: string, expected: string])[] = [
    [
      'a short name is of the namespace',
      configMap('shop/waypoint', provider('service: auth, port: 9000')),
      'shop/auth:9000',
    ],
    ['a namespace before it', configMap('shop/waypoint', provider('service: shop/auth, port: 9000')), 'shop/auth:9000'],
    ['a namespace behind it', configMap('shop/waypoint', provider('service: auth.shop, port: 9000')), 'shop/auth:9000'],
    [
      'another namespace with a grant',
      configMap('shop/waypoint', provider('service: auth.security.svc, port: 9000')) + GRANT,
      'security/auth:9000',
    ],
    [
      'another namespace by the mesh',
      configMap('istio-system/istio', provider('service: auth.security.svc, port: 9000')),
      'security/auth:9000',
    ],
    [
      'the own ConfigMap comes first',
      configMap('istio-system/istio', provider('service: auth.security.svc, port: 9000')) +
        configMap('shop/waypoint', provider(LOCAL)),
      'shop/auth:9000',
    ],
    [
      'unless it does not name it',
      configMap('istio-system/istio', provider(LOCAL)) + configMap('shop/waypoint', provider(LOCAL, 'zipkin', 'other')),
      'shop/auth:9000',
    ],
  ];
  for (const [name, text, expected] of backends) {
    it(name, () => assert.equal(resolveProvider(resources(text), 'shop', 'p').backend, expected));
  }

  const failures: readonly (readonly [name: string, text: string, message: RegExp])[] = [
    ['nobody knows it', '', /no extension provider "p" in ConfigMap shop\/waypoint nor istio-system\/istio/],
    ['no YAML', configMap('shop/waypoint', 'a: [b'), /ConfigMap shop\/waypoint, key mesh: line/],
    ['no list', configMap('shop/waypoint', 'extensionProviders: 1'), /is no list/],
    ['another kind', configMap('shop/waypoint', provider('port: 1', 'zipkin')), /here is zipkin/],
    ['two kinds', configMap('shop/waypoint', `${provider(LOCAL)}\n  zipkin: {}`), /here is envoyExtAuthzHttp, zipkin/],
    ['twice', configMap('shop/waypoint', `${provider(LOCAL)}\n- name: p\n  envoyExtAuthzHttp: {}`), /there are two/],
    ['unknown field', configMap('shop/waypoint', provider(`${LOCAL}, tls: {}`)), /\[0\]\.envoyExtAuthzHttp\.tls/],
    [
      'HTTP field of gRPC',
      configMap('shop/waypoint', provider(`${LOCAL}, pathPrefix: /a`, 'envoyExtAuthzGrpc')),
      /pathPrefix/,
    ],
    ['no port', configMap('shop/waypoint', provider('service: auth')), /\.port: is missing/],
    ['a bad timeout', configMap('shop/waypoint', provider(`${LOCAL}, timeout: soon`)), /\.timeout: "soon"/],
    ['a bad status', configMap('shop/waypoint', provider(`${LOCAL}, statusOnError: "1000"`)), /statusOnError/],
    [
      'a bad header',
      configMap('shop/waypoint', provider(`${LOCAL}, headersToUpstreamOnAllow: ["a b"]`)),
      /OnAllow\[0\]/,
    ],
    ['presence', configMap('shop/waypoint', provider(`${LOCAL}, headersToUpstreamOnAllow: ["*"]`)), /OnAllow\[0\]/],
    ['framing', configMap('shop/waypoint', provider(`${LOCAL}, includeAdditionalHeadersInCheck: {Host: a}`)), /Host/],
    ['cleared routes', configMap('shop/waypoint', provider(`${LOCAL}, clearRouteCache: true`)), /clearRouteCache/],
    [
      'a name outside',
      configMap('shop/waypoint', provider('service: auth.example.com, port: 1')),
      /no Service of the cluster/,
    ],
    ['no such Service', configMap('shop/waypoint', provider('service: nobody, port: 1')), /no Service shop\/nobody/],
    ['no such port', configMap('shop/waypoint', provider('service: auth, port: 1')), /has no port 1; it has 9000/],
    ['no grant', configMap('shop/waypoint', provider('service: auth.security, port: 9000')), /may not be asked/],
  ];
  for (const [name, text, message] of failures) {
    it(`${name}: nobody can be asked, and nobody passes`, () => {
      const { backend, failure, failOpen } = resolveProvider(resources(text), 'shop', 'p');
      assert.equal(backend, null);
      assert.match(failure?.message ?? '', message);
      assert.equal(failOpen, false);
    });
  }

  it('a mistake in one leaves the others', () => {
    const text = configMap('shop/waypoint', `${provider(LOCAL)}\n- name: bad\n  envoyExtAuthzHttp: {}`);
    assert.equal(resolveProvider(resources(text), 'shop', 'p').failure, null);
    assert.notEqual(resolveProvider(resources(text), 'shop', 'bad').failure, null);
  });
});
