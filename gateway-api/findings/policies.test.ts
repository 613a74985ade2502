import assert from 'node:assert/strict';
import { DEFAULT_ENVIRONMENT } from '../environment.ts';
import { analyse } from '../findings.ts';
import { type Finding, Store } from '../store.ts';
import { translate } from '../translate.ts';

const WORLD = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web, namespace: shop}
spec:
  gatewayClassName: waypoint
  listeners:
  - {name: http, port: 8080, protocol: HTTP}
---
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec: {ports: [{name: http, port: 80, targetPort: 8000}]}
---
apiVersion: v1
kind: Service
metadata: {name: idle, namespace: shop}
spec: {ports: [{name: http, port: 80, targetPort: 8000}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: orders-1, namespace: shop, labels: {kubernetes.io/service-name: orders}}
addressType: IPv4
endpoints: [{addresses: [127.0.0.1]}]
ports: [{name: http, port: 8000}]
`;
const PLAIN = route('{name: all, backendRefs: [{name: orders, port: 80}]}');
const SERVICE = '{group: "", kind: Service, name: orders}';
const PORT = '{group: "", kind: Service, name: orders, sectionName: http}';
const ROUTE = '{group: gateway.networking.k8s.io, kind: HTTPRoute, name: r}';

function route(rule: string): string {
  return `
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: shop}
spec:
  parentRefs: [{name: web}]
  rules:
  - ${rule}
`;
}

function policy(name: string, target: string, spec: string, namespace = 'shop'): string {
  return `
---
apiVersion: waypoint.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: ${name}, namespace: ${namespace}}
spec: {targetRefs: [${target}], ${spec}}
`;
}

function timed(timeouts: string, retry: string): string {
  return route(`{name: all, timeouts: ${timeouts}, retry: ${retry}, backendRefs: [{name: orders, port: 80}]}`);
}

type Row = readonly [severity: string, code: string, object: string, path: string];

const CASES: [name: string, text: string, expected: readonly Row[]][] = [
  ['a policy that is in force', PLAIN + policy('a', SERVICE, 'retry: {attempts: 1}'), []],
  ['a shadow', PLAIN + policy('a', SERVICE, 'mode: Shadow, retry: {attempts: 1}'), []],
  [
    'a target that is not there',
    PLAIN + policy('a', SERVICE.replace('orders', 'order'), 'retry: {attempts: 1}'),
    [['error', 'dangling_target', 'TrafficPolicy shop/a', 'spec.targetRefs[0]']],
  ],
  [
    'one of two targets without such a port',
    PLAIN + policy('a', `${SERVICE}, ${PORT.replace('http', 'grpc')}`, 'retry: {attempts: 1}'),
    [['error', 'dangling_target', 'TrafficPolicy shop/a', 'spec.targetRefs[1]']],
  ],
  [
    'endpoint fields on a route',
    PLAIN + policy('a', ROUTE, 'circuitBreaker: {maxRequests: 1}'),
    [['error', 'invalid_policy', 'TrafficPolicy shop/a', 'spec.targetRefs[0]']],
  ],
  [
    'two policies that say the same',
    PLAIN + policy('a', SERVICE, 'retry: {attempts: 1}') + policy('b', SERVICE, 'retry: {attempts: 2}'),
    [['error', 'policy_conflict', 'TrafficPolicy shop/b', 'spec.targetRefs[0]']],
  ],
  [
    'two policies that say the same in part',
    PLAIN +
      policy('a', SERVICE, 'retry: {attempts: 1}') +
      policy('b', SERVICE, 'retry: {attempts: 2, perTryTimeout: 1s}'),
    [['warning', 'policy_conflict', 'TrafficPolicy shop/b', 'spec.targetRefs[0]']],
  ],
  [
    'a Service that nothing leads to',
    PLAIN + policy('a', SERVICE.replace('orders', 'idle'), 'retry: {attempts: 1}'),
    [['warning', 'policy_never_applies', 'TrafficPolicy shop/a', 'spec']],
  ],
  [
    'a policy that others override everywhere',
    PLAIN + policy('a', SERVICE, 'retry: {attempts: 1}') + policy('b', PORT, 'retry: {attempts: 2}'),
    [['warning', 'policy_never_applies', 'TrafficPolicy shop/a', 'spec']],
  ],
  [
    'levels that contradict each other',
    PLAIN +
      policy('a', SERVICE, 'outlierDetection: {maxEjectionTime: 40s}') +
      policy('b', PORT, 'outlierDetection: {baseEjectionTime: 50s, consecutive5xx: 1}'),
    [['warning', 'policy_contradiction', 'TrafficPolicy shop/b', 'spec.targetRefs[0]']],
  ],
  [
    'retries of what may be acted on twice',
    PLAIN + policy('a', SERVICE, 'retry: {methods: [GET, POST]}'),
    [['warning', 'retry_not_idempotent', 'TrafficPolicy shop/a', 'spec.retry.methods']],
  ],
  ['retries that fit', timed('{request: 3s, backendRequest: 1s}', '{attempts: 2}'), []],
  ['retries without any limit', timed('{request: 0s}', '{attempts: 5, backoff: 1m}'), []],
  [
    'retries that do not fit',
    timed('{request: 3s, backendRequest: 1s}', '{attempts: 2, backoff: 100ms}'),
    [['warning', 'retries_do_not_fit', 'HTTPRoute shop/r', 'spec.rules[0].timeouts']],
  ],
  [
    'tries of a policy that do not fit',
    timed('{request: 3s}', '{attempts: 2}') + policy('a', SERVICE, 'retry: {perTryTimeout: 2s}'),
    [['warning', 'retries_do_not_fit', 'HTTPRoute shop/r', 'spec.rules[0].timeouts']],
  ],
  [
    'a hedge that never starts',
    PLAIN + policy('a', SERVICE, 'retry: {perTryTimeout: 1s, hedgeAfter: 1s}'),
    [['warning', 'hedge_never_starts', 'HTTPRoute shop/r', 'spec.rules[0]']],
  ],
];

function findings(text: string): readonly Finding[] {
  const store = new Store();
  store.apply('shop.yaml', WORLD + text);
  assert.deepEqual(store.findings, []);
  const found = analyse(store.resources, translate(store.resources, DEFAULT_ENVIRONMENT, null));
  return found.filter(({ code }) => code !== 'no_endpoint');
}

describe('findings about policies', () => {
  for (const [name, text, expected] of CASES) {
    it(name, () => {
      const rows = findings(text).map(({ severity, code, object, path }) => [severity, code, object, path]);
      assert.deepEqual(rows, expected);
    });
  }

  it('tell how many tries there is room for', () => {
    const [finding] = findings(timed('{request: 2s, backendRequest: 1s}', '{attempts: 2, backoff: 100ms}'));
    const message =
      '3 tries of 1s and 200ms of waiting need 3s200ms, but timeouts.request ends them all after 2s, so that only 1 ' +
      'fits: raise timeouts.request, shorten the tries or lower attempts';
    assert.equal(finding?.message, message);
  });

  it('point at a target of that name in another namespace', () => {
    const [finding] = findings(PLAIN + policy('a', SERVICE, 'retry: {attempts: 1}', 'bank'));
    assert.match(finding?.message ?? '', /there is shop\/orders, but a policy never reaches beyond its own namespace$/);
  });

  it('name the winner and the field of a conflict', () => {
    const both = policy('a', SERVICE, 'retry: {attempts: 1}') + policy('b', SERVICE, 'retry: {attempts: 2}');
    const [finding] = findings(PLAIN + both);
    assert.match(finding?.message ?? '', /retry\.attempts is set by TrafficPolicy shop\/a, which is older$/);
  });
});
