// What `waypoint explain` says, from resources as they are written to the page as it is printed.

import assert from 'node:assert/strict';
import { DEFAULT_ENVIRONMENT } from '../gateway-api/environment.ts';
import { Store } from '../gateway-api/store.ts';
import { translate } from '../gateway-api/translate.ts';
import type { Snapshot } from '../policies/plan.ts';
import { DEFAULT_LIMITS } from '../waypoint/config.ts';
import { type ExplainRequest, explain } from '../waypoint/explain/explain.ts';
import type { ExplainReport } from '../waypoint/explain/report.ts';
import { explainText } from '../waypoint/explain/text.ts';

const KEY = 'of sixteen characters';

const SHOP = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: shop, namespace: shop}
spec:
  gatewayClassName: waypoint
  listeners:
  - {name: services, port: 15080, protocol: HTTP}
  - {name: web, port: 8080, protocol: HTTP, hostname: www.example}
---
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop, labels: {waypoint.dev/use-waypoint: shop}}
spec: {clusterIP: 127.0.20.2, ports: [{port: 80, targetPort: 9000}]}
---
apiVersion: v1
kind: Service
metadata: {name: plain, namespace: shop, labels: {waypoint.dev/use-waypoint: shop}}
spec: {ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: orders-1, namespace: shop, labels: {kubernetes.io/service-name: orders}}
addressType: IPv4
ports: [{port: 9000}]
endpoints:
- {addresses: [10.0.0.1], conditions: {ready: true}}
- {addresses: [10.0.0.2], conditions: {ready: false}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: orders, namespace: shop}
spec:
  parentRefs: [{group: '', kind: Service, name: orders}]
  rules:
  - name: canary
    matches: [{path: {type: PathPrefix, value: /orders}, headers: [{name: x-canary, value: '1'}]}]
    timeouts: {request: 2s}
    filters:
    - type: RequestHeaderModifier
      requestHeaderModifier: {set: [{name: x-version, value: v2}], remove: [x-secret]}
    - type: URLRewrite
      urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /v2}}
    backendRefs:
    - {name: orders, port: 80, weight: 3}
    - name: plain
      port: 80
      weight: 1
      filters: [{type: RequestHeaderModifier, requestHeaderModifier: {add: [{name: x-plain, value: 'yes'}]}}]
  - name: all
    matches: [{path: {type: PathPrefix, value: /orders}}]
    backendRefs: [{name: gone, port: 80}]
  - name: moved
    matches: [{path: {type: Exact, value: /old}}]
    filters: [{type: RequestRedirect, requestRedirect: {path: {type: ReplaceFullPath, replaceFullPath: /new}, statusCode: 301}}]
`;

/** Where nobody says anything. */
const ENDPOINT_POLICY = `           policy loadBalancing: PeakEWMA (default)
           policy connections: opened within 5s; closed after 15s of idleness (default)
           policy circuitBreaker: at most 1024 connections, 1024 requests, 1024 waiting, 3 retries (default)
           policy outlierDetection: 5 5xx in a row or 5 lost tries in a row ejects for 30s × times, at most 5m and 10 %; ignored below 50 % healthy (default)
           policy retryConstraint: 20 % of the requests of 10s, plus 10 per 1s (default)
           policy healthCheck: none (default)
`;

describe('waypoint explain', () => {
  let snapshot: Snapshot;

  before(() => {
    const store = new Store();
    store.apply('shop.yaml', SHOP);
    assert.deepEqual(store.findings, []);
    snapshot = translate(store.resources, DEFAULT_ENVIRONMENT, null).snapshot;
  });

  function asked(url: string, parts: Partial<ExplainRequest> = {}): ExplainReport | string {
    const request = { method: 'GET', url, headers: [], namespace: null, ...parts };
    return explain(request, snapshot, {
      limits: DEFAULT_LIMITS,
      pathNormalization: 'merge-slashes',
      zone: null,
      sessionKey: KEY,
    });
  }

  function reported(url: string, parts: Partial<ExplainRequest> = {}): ExplainReport {
    const report = asked(url, parts);
    assert.ok(typeof report !== 'string', String(report));
    return report;
  }

  const CANARY = {
    headers: [
      ['X-Canary', '1'],
      ['X-Secret', 's'],
    ],
  } as const;

  it('prints the whole story', () => {
    const page = explainText(reported('http://127.0.20.2//orders/./7?a=b', CANARY));
    assert.equal(
      page,
      `Request    GET /orders/7?a=b  (host 127.0.20.2)
Arrives at 127.0.20.2:80 of Gateway shop/shop, found by the address of Service shop/orders:80
Addressed  Service shop/orders:80
Table      Service/shop/orders:80

Candidates, in order of precedence:
 x shop/orders rule moved: Exact /old
     path is '/orders/7', not Exact /old
=> shop/orders rule canary: PathPrefix /orders, header x-canary = 1
     takes the request
 ~ shop/orders rule all: PathPrefix /orders
     would match, but comes later

Rule       HTTPRoute shop/orders, rule canary
Timeouts   request 2000 ms
Filter     ${rule(page, 0)}
Filter     ${rule(page, 1)}
Policy     retry: up to 1; on what was never sent; methods GET, HEAD, OPTIONS, PUT, DELETE, TRACE (default)
Policy     sessionPersistence, rateLimit, fault: none (default)
Forwarded, to which via, x-forwarded-* and x-request-id are added:
    - GET /orders/7?a=b HTTP/1.1
    - X-Secret: s
    + GET /v2/7?a=b HTTP/1.1
      host: 127.0.20.2
      X-Canary: 1
    + x-version: v2
Backend       75 %  shop/orders:80
${ENDPOINT_POLICY}           - 10.0.0.1:9000  ready
           x 10.0.0.2:9000  not ready
Backend       25 %  shop/plain:80
           filter ${/filter (.*)/.exec(page)?.[1]}
           forwarded, to which via, x-forwarded-* and x-request-id are added:
      GET /v2/7?a=b HTTP/1.1
      host: 127.0.20.2
      X-Canary: 1
      x-version: v2
    + x-plain: yes
${ENDPOINT_POLICY}           no endpoints

Answer     forwarded
`,
    );
  });

  function rule(page: string, index: number): string {
    return [...page.matchAll(/^Filter {5}(.*)$/gm)][index]?.[1] ?? '';
  }

  const frontends: readonly (readonly [url: string, bind: string, service: string | null])[] = [
    ['http://127.0.20.2/', '127.0.20.2:80', 'shop/orders:80'],
    ['http://orders.shop/', '127.0.20.2:80', 'shop/orders:80'],
    ['http://orders.shop.svc.cluster.local:80/', '127.0.20.2:80', 'shop/orders:80'],
    ['http://plain.shop:15080/', '127.0.0.1:15080', 'shop/plain:80'],
    ['http://localhost:15080/', '127.0.0.1:15080', null],
    ['http://www.example:8080/', '127.0.0.1:8080', null],
  ];
  for (const [url, bind, service] of frontends) {
    it(`finds who is addressed by ${url}`, () => {
      const report = reported(url);
      assert.equal(report.bind?.id, bind);
      assert.equal(report.frontend?.service ?? null, service);
    });
  }

  it('lets Host tell who is addressed on the shared port', () => {
    const report = reported('http://127.0.0.1:15080/orders', { headers: [['Host', 'orders.shop']] });
    assert.equal(report.frontend?.service, 'shop/orders:80');
  });

  const answers: readonly (readonly [
    name: string,
    url: string,
    parts: Partial<ExplainRequest>,
    status: number,
    reason: RegExp,
  ])[] = [
    ['no match', 'http://127.0.20.2/nothing', {}, 404, /^no_route$/],
    ['a broken reference', 'http://127.0.20.2/orders', {}, 500, /^BackendNotFound$/],
    ['a redirect', 'http://127.0.20.2/old', {}, 301, /redirect/],
    ['a malformed request', 'http://127.0.20.2/', { headers: [['content-length', 'x']] }, 400, /content_length/],
    ['a path above the root', 'http://127.0.20.2/../x', {}, 400, /^path_invalid$/],
    ['a line break in a header', 'http://127.0.20.2/', { headers: [['a', 'b\r\n\r\nGET /x HTTP/1.1']] }, 400, /./],
    ['a Service without endpoints', 'http://plain.shop:15080/', {}, 503, /^no_endpoint$/],
    ['a host that nobody has', 'http://other.example:8080/', {}, 404, /^no_frontend$/],
  ];
  for (const [name, url, parts, status, reason] of answers) {
    it(`answers ${name} as the waypoint would`, () => {
      const { answer } = reported(url, parts);
      assert.equal(answer?.status, status);
      assert.match(answer.reason, reason);
    });
  }

  it('names the hostnames that would have been served', () => {
    assert.match(reported('http://other.example:8080/').answer?.message ?? '', /www\.example/);
  });

  it('says that a Service without routes is forwarded to itself', () => {
    const report = reported('http://plain.shop:15080/any');
    assert.deepEqual([report.frontend?.table, report.rule?.kind, report.candidates], [null, 'Default', []]);
    assert.match(explainText(report), /forwarded to itself/);
  });

  const mistakes: readonly (readonly [url: string, expected: RegExp])[] = [
    ['orders.shop/', /no URL/],
    ['https://orders.shop/', /nothing here listens where orders\.shop leads/],
    ['https://127.0.20.2:80/', /127\.0\.20\.2:80 has no TLS: ask with http:/],
    ['ftp://orders.shop/', /no URL/],
    ['http://a b/', /no URL/],
    ['http://a:b/', /no host:port/],
    [
      'http://127.0.20.9/',
      /nothing here listens where 127\.0\.20\.9 leads; there are .*127\.0\.20\.2:80 \(shop\/orders:80\)/,
    ],
    ['http://127.0.0.1:1/', /nothing here listens/],
  ];
  for (const [url, expected] of mistakes) {
    it(`does not understand ${url}`, () => {
      const said = asked(url);
      assert.equal(typeof said, 'string');
      assert.match(said as string, expected);
    });
  }
});
