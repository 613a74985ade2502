// What `waypoint explain` says of policies: what holds, who says so, what is only in mode Shadow, who is chosen by a key.

import assert from 'node:assert/strict';
import { DEFAULT_ENVIRONMENT } from '../gateway-api/environment.ts';
import { Store } from '../gateway-api/store.ts';
import { translate } from '../gateway-api/translate.ts';
import type { Snapshot } from '../policies/plan.ts';
import { decodeSession, Sessions } from '../policies/session.ts';
import { DEFAULT_LIMITS } from '../waypoint/config.ts';
import { type ExplainRequest, explain } from '../waypoint/explain/explain.ts';
import type { ExplainedRule, ExplainedSection } from '../waypoint/explain/report.ts';
import { explainText } from '../waypoint/explain/text.ts';
import { sessionSigner } from '../waypoint/session-signer.ts';

const KEY = 'of sixteen characters';
const SESSION = { sessionName: 'sid', absoluteTimeout: '1h' };

const SHOP = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: shop, namespace: shop}
spec:
  gatewayClassName: waypoint
  listeners: [{name: web, port: 8080, protocol: HTTP}]
---
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec: {ports: [{name: http, port: 80, targetPort: 9000}]}
---
apiVersion: v1
kind: Service
metadata: {name: canary, namespace: shop}
spec: {ports: [{port: 80, targetPort: 9000}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: orders-1, namespace: shop, labels: {kubernetes.io/service-name: orders}}
addressType: IPv4
ports: [{name: http, port: 9000}]
endpoints:
- {addresses: [10.0.0.1], conditions: {ready: true}}
- {addresses: [10.0.0.2], conditions: {ready: true}}
- {addresses: [10.0.0.3], conditions: {ready: true}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: orders, namespace: shop}
spec:
  parentRefs: [{name: shop}]
  rules:
  - name: read
    matches: [{path: {type: PathPrefix, value: /orders}}]
    retry: {attempts: 2, codes: [503]}
    backendRefs: [{name: orders, port: 80, weight: 3}, {name: canary, port: 80, weight: 1}]
  - name: cart
    matches: [{path: {type: PathPrefix, value: /cart}}]
    sessionPersistence: ${JSON.stringify(SESSION)}
    backendRefs: [{name: orders, port: 80}]
  - name: moved
    matches: [{path: {type: Exact, value: /old}}]
    filters: [{type: RequestRedirect, requestRedirect: {path: {type: ReplaceFullPath, replaceFullPath: /new}}}]
---
apiVersion: waypoint.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: orders, namespace: shop}
spec:
  targetRefs: [{group: '', kind: Service, name: orders}]
  loadBalancing: {consistentHash: {header: x-user}}
  circuitBreaker: {maxRequests: 7}
  retry: {perTryTimeout: 1s, attempts: 5}
---
apiVersion: waypoint.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: careful, namespace: shop}
spec:
  mode: Shadow
  targetRefs: [{group: '', kind: Service, name: orders}]
  circuitBreaker: {maxRequests: 3}
---
apiVersion: waypoint.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: everybody, namespace: shop}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: shop}]
  rateLimit: {local: [{requests: 9, per: 1s}]}
`;

describe('waypoint explain, of policies', () => {
  let snapshot: Snapshot;

  before(() => {
    const store = new Store();
    store.apply('shop.yaml', SHOP);
    assert.deepEqual(store.findings, []);
    snapshot = translate(store.resources, DEFAULT_ENVIRONMENT, null).snapshot;
  });

  function told(path: string, headers: ExplainRequest['headers'] = []): { rule: ExplainedRule; page: string } {
    const request = { method: 'GET', url: `http://127.0.0.1:8080${path}`, headers, namespace: null };
    const options = {
      limits: DEFAULT_LIMITS,
      pathNormalization: 'merge-slashes',
      zone: null,
      sessionKey: KEY,
    } as const;
    const report = explain(request, snapshot, options);
    assert.ok(typeof report !== 'string' && report.rule !== null, JSON.stringify(report));
    return { rule: report.rule, page: explainText(report) };
  }

  function origins(sections: readonly ExplainedSection[], name: string): readonly string[] {
    const found = sections.find(({ section }) => section === name);
    assert.ok(found !== undefined, name);
    return found.fields.map(({ field, value, from, level, mode }) => `${mode} ${field} ${value}: ${from}, ${level}`);
  }

  it('says of each field of a rule who set it, the defaults too', () => {
    const [orders, canary] = told('/orders').rule.backends;
    assert.deepEqual(origins(orders!.policy, 'retry'), [
      'Enforce retry.attempts 2: HTTPRoute shop/orders, rule',
      'Enforce retry.codes [503]: HTTPRoute shop/orders, rule',
      'Enforce retry.on [connect-failure, refused-stream, reset-before-response, per-try-timeout]: default, default',
      'Enforce retry.methods [GET, HEAD, OPTIONS, PUT, DELETE, TRACE]: default, default',
      'Enforce retry.perTryTimeout 1s: TrafficPolicy shop/orders, Service',
      'Enforce retry.hedgeAfter 0s: default, default',
      'Enforce retry.backoff 0s: default, default',
    ]);
    assert.ok(origins(canary!.policy, 'retry').includes('Enforce retry.perTryTimeout 0s: default, default'));
    assert.match(
      origins(canary!.policy, 'rateLimit').join(),
      /rateLimit\.local .*TrafficPolicy shop\/everybody, Gateway/,
    );
  });

  it('says of a rule without backends what holds for its own answers', () => {
    const { rule } = told('/old');
    assert.match(origins(rule.policy, 'rateLimit').join(), /TrafficPolicy shop\/everybody, Gateway/);
    assert.deepEqual(origins(rule.policy, 'fault'), []);
  });

  it('says of each field of a backend who set it, and what is in mode Shadow only', () => {
    const [orders, canary] = told('/orders').rule.backends;
    const circuit = orders!.endpointPolicy.find(({ section }) => section === 'circuitBreaker');
    assert.match(circuit?.effect ?? '', / 7 requests/);
    assert.match(circuit?.shadow ?? '', / 3 requests/);
    assert.deepEqual(origins(orders!.endpointPolicy, 'circuitBreaker'), [
      'Enforce circuitBreaker.maxConnections 1024: default, default',
      'Enforce circuitBreaker.maxRequests 7: TrafficPolicy shop/orders, Service',
      'Enforce circuitBreaker.maxPendingRequests 1024: default, default',
      'Enforce circuitBreaker.maxRetries 3: default, default',
      'Shadow circuitBreaker.maxRequests 3: TrafficPolicy shop/careful, Service',
    ]);
    for (const { section, shadow, fields } of canary!.endpointPolicy) {
      assert.equal(shadow, null, section);
      assert.ok(
        fields.every(({ level }) => level === 'default'),
        section,
      );
    }
  });

  it('prints it for people', () => {
    const { page } = told('/orders');
    for (const line of [
      /^ {11}policy circuitBreaker: at most 1024 connections, 7 requests/m,
      /^ {15}in mode Shadow it would be: at most 1024 connections, 3 requests/m,
      /^ {15}maxRequests: 7 +TrafficPolicy shop\/orders, Service$/m,
      /^ {15}\(shadow\) maxRequests: 3 +TrafficPolicy shop\/careful, Service$/m,
      /^ {15}maxRetries: 3 +default$/m,
      /^ {15}attempts: 2 +HTTPRoute shop\/orders, rule$/m,
      /^ {11}policy sessionPersistence, fault, healthCheck: none \(default\)$/m,
    ]) {
      assert.match(page, line);
    }
    assert.match(told('/cart').page, /^Policy {5}retry: up to 5;/m);
  });

  it('says which endpoint a key leads to', () => {
    const { rule, page } = told('/orders', [['x-user', 'anna']]);
    const choice = rule.backends[0]?.choice;
    assert.deepEqual([choice?.by, choice?.key], ['header x-user', 'anna']);
    assert.match(choice?.endpoint ?? '', /^10\.0\.0\.[123]:9000$/);
    assert.ok(page.includes(`chosen by header x-user = anna: ${choice?.endpoint}, as long as it has room`), page);
    const others = ['b', 'c', 'd', 'e', 'f'].map(
      (user) => told('/orders', [['x-user', user]]).rule.backends[0]?.choice,
    );
    assert.ok(others.some((other) => other?.endpoint !== choice?.endpoint));
    assert.deepEqual(told('/orders').rule.backends[0]?.choice, { by: 'header x-user', key: '', endpoint: null });
    assert.equal(rule.backends[1]?.choice, null);
  });

  it('says where a session leads to, if its token is genuine', () => {
    const plan = decodeSession(SESSION, '', { unsupported: assert.fail });
    assert.ok(plan !== null);
    const cookieOf = (key: string, endpoint: string): string => {
      const now = Date.now();
      const session = { backend: 'shop/orders:80', endpoint, since: now, used: now };
      const sessions = new Sessions(plan, 'HTTPRoute shop/orders cart', sessionSigner(key));
      return sessions.field(session, now, Math.random)[1].split(';')[0] as string;
    };
    const cases: readonly (readonly [cookie: string, backend: string | null, endpoint: string | null, page: RegExp])[] =
      [
        [
          cookieOf(KEY, '10.0.0.2:9000'),
          'shop/orders:80',
          '10.0.0.2:9000',
          /Session +in sid: comes back to 10\.0\.0\.2:9000/,
        ],
        [cookieOf(KEY, '10.0.0.9:9000'), 'shop/orders:80', null, /at another endpoint: its own is gone/],
        [cookieOf('somebody else has this', '10.0.0.2:9000'), null, null, /Session +a new one begins/],
        ['sid=nonsense', null, null, /Session +a new one begins/],
      ];
    for (const [cookie, backend, endpoint, expected] of cases) {
      const { rule, page } = told('/cart', [['cookie', cookie]]);
      assert.deepEqual(rule.session, { name: 'sid', backend, endpoint });
      assert.match(page, expected);
    }
    assert.equal(told('/orders').rule.session, null);
  });
});
