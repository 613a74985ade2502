// A policy that becomes invalid: what it is attached to keeps the one before.
import assert from 'node:assert/strict';
import { DEFAULT_ENVIRONMENT } from '../environment.ts';
import { Store } from '../store.ts';
import { type Translation, translate } from '../translate.ts';

const WORLD = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web, namespace: shop}
spec: {gatewayClassName: waypoint, listeners: [{name: http, port: 8080, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: shop}
spec: {parentRefs: [{name: web}], rules: [{backendRefs: [{name: orders, port: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec: {ports: [{name: http, port: 80, targetPort: 8000}]}
`;

function policy(settings: string, more = ''): string {
  return `
apiVersion: waypoint.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: orders, namespace: shop}
spec: {targetRefs: [{group: "", kind: Service, name: orders${more}}], ${settings}}
`;
}

const GOOD = policy('circuitBreaker: {maxRequests: 7}, retry: {attempts: 2}');

const BAD: [name: string, text: string, path: string][] = [
  ['a wrong unit', policy('retry: {perTryTimeout: 5}'), 'spec.retry.perTryTimeout'],
  ['a unit that there is not', policy('retry: {perTryTimeout: 1d}'), 'spec.retry.perTryTimeout'],
  ['an unknown enum value', policy('loadBalancing: {algorithm: Fastest}'), 'spec.loadBalancing.algorithm'],
  ['a percentage above 100', policy('fault: {abort: {httpStatus: 503, percent: 101}}'), 'spec.fault.abort.percent'],
  [
    'a target of another namespace',
    policy('retry: {attempts: 1}', ', namespace: bank'),
    'spec.targetRefs[0].namespace',
  ],
  ['an unknown field', policy('retries: {attempts: 1}'), 'spec.retries'],
  ['a broken rule', policy('healthCheck: {interval: 1s}'), 'spec.healthCheck'],
  ['no YAML at all', `${GOOD}  : {`, ''],
];

function translated(store: Store, previous: Translation | null): Translation {
  return translate(store.resources, DEFAULT_ENVIRONMENT, previous);
}

describe('an invalid update of a policy', () => {
  for (const [name, text, path] of BAD) {
    it(`${name}: is refused with its path, and the target keeps what it had`, () => {
      const store = new Store();
      store.apply('world.yaml', WORLD);
      store.apply('policy.yaml', GOOD);
      const before = translated(store, null);
      const { enforced } = before.snapshot.backends.get('shop/orders:80')!.policy;
      assert.equal(enforced.circuitBreaker?.maxRequests, 7);

      store.apply('policy.yaml', text);
      const [finding] = store.findings;
      assert.equal(finding?.severity, 'error');
      assert.equal(finding?.path, path);
      assert.match(finding?.message ?? '', /last good version/);
      const after = translated(store, before);
      assert.equal(after.snapshot.backends, before.snapshot.backends);
      assert.equal(after.snapshot.tables, before.snapshot.tables);
      assert.equal(after.statuses, before.statuses);
    });
  }

  it('is in force once it is valid', () => {
    const store = new Store();
    store.apply('world.yaml', WORLD);
    store.apply('policy.yaml', GOOD);
    const before = translated(store, null);
    store.apply('policy.yaml', policy('circuitBreaker: {maxRequests: -1}'));
    store.apply('policy.yaml', policy('circuitBreaker: {maxRequests: 9}'));
    assert.deepEqual(store.findings, []);
    const { snapshot } = translated(store, before);
    assert.equal(snapshot.backends.get('shop/orders:80')!.policy.enforced.circuitBreaker?.maxRequests, 9);
  });
});

/** Another route at the same Gateway, to another Service. */
const OTHER = WORLD.replaceAll('orders', 'carts').replace('name: r,', 'name: s,').split('---').slice(1).join('---');

describe('a change of a policy', () => {
  it('is a change of nothing that it does not concern', () => {
    const store = new Store();
    store.apply('world.yaml', `${WORLD}---${OTHER}`);
    store.apply('policy.yaml', GOOD);
    const before = translated(store, null);
    store.apply('policy.yaml', policy('circuitBreaker: {maxRequests: 8}, retry: {attempts: 2}'));
    const after = translated(store, before);
    // Endpoint fields are the backend's alone.
    assert.equal(after.snapshot.tables, before.snapshot.tables);
    assert.notEqual(after.snapshot.backends.get('shop/orders:80'), before.snapshot.backends.get('shop/orders:80'));
    assert.equal(after.snapshot.backends.get('shop/carts:80'), before.snapshot.backends.get('shop/carts:80'));

    store.apply('policy.yaml', policy('circuitBreaker: {maxRequests: 8}, retry: {attempts: 3}'));
    const last = translated(store, after);
    assert.equal(last.snapshot.backends, after.snapshot.backends);
    const entry = (translation: Translation, key: string): unknown =>
      translation.snapshot.tables.get('Gateway/shop/web/http')!.entries.get(key);
    assert.notEqual(entry(last, 'HTTPRoute/shop/r'), entry(after, 'HTTPRoute/shop/r'));
    assert.equal(entry(last, 'HTTPRoute/shop/s'), entry(after, 'HTTPRoute/shop/s'));
  });
});
