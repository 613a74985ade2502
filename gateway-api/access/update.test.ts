// Policies about access from files to plans: who guards what, what stays, and what fails closed.
import assert from 'node:assert/strict';
import type { AccessPlan } from '../../policies/plan.ts';
import type { PolicyStatus } from '../conditions.ts';
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
kind: Gateway
metadata: {name: foreign, namespace: shop}
spec: {gatewayClassName: other, listeners: [{name: http, port: 8081, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: other}
spec: {controllerName: example.com/other}
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
---
apiVersion: v1
kind: Service
metadata: {name: carts, namespace: shop}
spec: {ports: [{name: http, port: 80, targetPort: 8000}]}
`;

const ORDERS = 'targetRefs: [{group: "", kind: Service, name: orders}]';
const CARTS = 'targetRefs: [{group: "", kind: Service, name: carts}]';
const OURS = 'waypoint.dev/v1alpha1';
const ISTIO = 'security.istio.io/v1';

interface Parts {
  readonly kind?: string;
  readonly name?: string;
  readonly api?: string;
  readonly metadata?: string;
}

function policy(
  spec: string,
  { kind = 'AuthorizationPolicy', name = 'p', api = OURS, metadata = '' }: Parts = {},
): string {
  return `
---
apiVersion: ${api}
kind: ${kind}
metadata: {name: ${name}, namespace: shop${metadata}}
spec: {${spec}}
`;
}

function stored(...texts: readonly string[]): Store {
  const store = new Store();
  store.apply('world.yaml', WORLD);
  for (const [index, text] of texts.entries()) store.apply(`${index}.yaml`, text);
  return store;
}

function translated(store: Store, previous: Translation | null = null): Translation {
  return translate(store.resources, DEFAULT_ENVIRONMENT, previous);
}

function at(target: string, { snapshot }: Translation): AccessPlan | undefined {
  return snapshot.access.get(target);
}

function said(key: string, { statuses }: Translation): readonly string[] {
  const status = statuses.get(key) as PolicyStatus | undefined;
  return (status?.ancestors ?? []).flatMap(({ ancestorRef, conditions }) =>
    conditions.map(
      ({ type, status: value, reason }) => `${ancestorRef.kind} ${ancestorRef.name}: ${type}=${value} ${reason}`,
    ),
  );
}

const ALLOW = `${ORDERS}, rules: [{}]`;

describe('policies about access', () => {
  it('of both groups guard together, each for itself', () => {
    const deny = `${ORDERS}, action: DENY, rules: [{}]`;
    const after = translated(
      stored(policy(ALLOW), policy(deny, { api: ISTIO }), policy(deny, { api: ISTIO, name: 'q' })),
    );
    assert.deepEqual(
      at('Service shop/orders', after)?.policies.map(({ policy: name, action }) => [name, action]),
      [
        ['AuthorizationPolicy.waypoint.dev shop/p', 'ALLOW'],
        ['AuthorizationPolicy.security.istio.io shop/p', 'DENY'],
        ['AuthorizationPolicy shop/q', 'DENY'],
      ],
    );
    const accepted = ['Service orders: Accepted=True Accepted'];
    assert.deepEqual(said('AuthorizationPolicy/shop/p', after), accepted);
    assert.deepEqual(said('AuthorizationPolicy/shop/p@security.istio.io', after), accepted);
  });

  it('guard each of their targets', () => {
    const group = 'gateway.networking.k8s.io';
    const refs = `{kind: Service, name: orders}, {group: ${group}, kind: HTTPRoute, name: r}, {group: ${group}, kind: Gateway, name: web}`;
    const after = translated(stored(policy(`targetRefs: [${refs}], rules: [{}]`)));
    assert.deepEqual([...after.snapshot.access.keys()].sort(), [
      'Gateway shop/web',
      'HTTPRoute shop/r',
      'Service shop/orders',
    ]);
  });

  const refs: readonly (readonly [name: string, spec: string, conditions: readonly string[]])[] = [
    [
      'a target that is not there',
      'targetRefs: [{kind: Service, name: x}]',
      ['Service x: Accepted=False TargetNotFound'],
    ],
    ['a target of another kind', 'targetRefs: [{kind: Pod, name: x}]', ['Pod x: Accepted=False Invalid']],
    [
      'a Service of another group',
      'targetRef: {group: a.b, kind: Service, name: orders}',
      ['Service orders: Accepted=False Invalid'],
    ],
    [
      'a target elsewhere',
      'targetRefs: [{kind: Service, namespace: bank, name: x}]',
      ['Service x: Accepted=False Invalid'],
    ],
    ['no target', 'rules: []', ['Namespace shop: Accepted=False Invalid']],
    ['a selector', 'selector: {matchLabels: {a: b}}', ['Namespace shop: Accepted=False Invalid']],
    ['an older way to name it', 'targetRef: {kind: Service, name: orders}', ['Service orders: Accepted=True Accepted']],
    [
      'its own namespace',
      'targetRefs: [{kind: Service, namespace: shop, name: orders}]',
      ['Service orders: Accepted=True Accepted'],
    ],
    [
      'two, of which one is missing',
      'targetRefs: [{kind: Service, name: x}, {kind: Service, name: orders}]',
      ['Service x: Accepted=False TargetNotFound', 'Service orders: Accepted=True Accepted'],
    ],
    [
      'a Gateway that others serve',
      'targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: foreign}]',
      [],
    ],
  ];
  for (const [name, spec, conditions] of refs) {
    for (const kind of ['AuthorizationPolicy', 'RequestAuthentication']) {
      it(`${kind} with ${name}: ${conditions.join() || 'nothing to say'}`, () => {
        const text = kind === 'AuthorizationPolicy' ? spec : spec.replace('rules: []', 'jwtRules: []');
        const after = translated(stored(policy(text, { kind, api: ISTIO })));
        assert.deepEqual(said(`${kind}/shop/p@security.istio.io`, after), conditions);
        const isGuarded = conditions.some((each) => each.includes('=True'));
        assert.deepEqual([...after.snapshot.access.keys()], isGuarded ? ['Service shop/orders'] : []);
      });
    }
  }

  it('only watch in mode Shadow, and by the annotation of Istio', () => {
    const dryRun = ', annotations: {istio.io/dry-run: "true"}';
    const texts = [policy(`${ALLOW}, mode: Shadow`), policy(ALLOW, { api: ISTIO, name: 'q', metadata: dryRun })];
    const after = translated(stored(...texts, policy(ALLOW, { name: 'r' })));
    assert.deepEqual(
      at('Service shop/orders', after)?.policies.map(({ shadow }) => shadow),
      [true, true, false],
    );
    assert.equal(said('AuthorizationPolicy/shop/p', after)[1], 'Service orders: waypoint.dev/Shadow=True Shadow');
  });

  it('refuse an annotation that is neither true nor false', () => {
    const text = policy(ALLOW, { api: ISTIO, metadata: ', annotations: {istio.io/dry-run: "yes"}' });
    const after = translated(stored(text));
    assert.match(at('Service shop/orders', after)?.policies[0]?.failure ?? '', /must be "true" or "false"/);
  });
});

const BROKEN: readonly (readonly [name: string, text: string])[] = [
  ['an unknown field', policy(`${ORDERS}, rules: [{too: []}]`)],
  ['an unknown field of the spec', policy(`${ORDERS}, role: x`)],
  ['a wrong type', policy(`${ORDERS}, rules: {}`)],
  ['an unknown action', policy(`${ORDERS}, action: FORBID`)],
  ['a version that there is not', policy(ALLOW, { api: 'waypoint.dev/v1' })],
  ['labels that are none', policy(ALLOW, { metadata: ', labels: [a]' })],
  ['annotations that are none', policy(ALLOW, { metadata: ', annotations: {a: 1}' })],
  ['an unknown key', policy(`${ORDERS}, rules: [{when: [{key: a, values: [b]}]}]`)],
  ['a block that is none', policy(`${ORDERS}, rules: [{from: [{source: {ipBlocks: [x]}}]}]`)],
  ['CUSTOM without provider', policy(`${ORDERS}, action: CUSTOM, rules: [{}]`)],
  ['a field of the other group', policy(`${ALLOW}, mode: Enforce`, { api: ISTIO })],
  [
    'two ways to name its target',
    policy('targetRef: {kind: Service, name: orders}, targetRefs: [{kind: Service, name: orders}]'),
  ],
  ['a selector beside its target', policy(`${ALLOW}, selector: {matchLabels: {a: b}}`)],
];

describe('an AuthorizationPolicy that is broken', () => {
  for (const [name, text] of BROKEN) {
    it(`${name}: denies everything at its target, and nothing elsewhere`, () => {
      const after = translated(stored(text, policy(`${CARTS}, rules: [{}]`, { name: 'carts' })));
      const [plan] = at('Service shop/orders', after)?.policies ?? [];
      assert.ok(plan?.failure);
      assert.deepEqual([plan.rules, plan.shadow], [[], false]);
      assert.equal(at('Service shop/carts', after)?.policies[0]?.failure, null);
    });
  }

  it('keeps its last good version where it has one', () => {
    const store = stored(policy(ALLOW));
    const before = translated(store);
    store.apply('0.yaml', policy(`${ORDERS}, rules: [{too: []}]`));
    assert.match(store.findings[0]?.message ?? '', /its last good version keeps serving/);
    const after = translated(store, before);
    assert.equal(at('Service shop/orders', after), at('Service shop/orders', before));
  });

  it('is replaced by another that is broken, and by one that is not', () => {
    const store = stored(policy(`${ORDERS}, rules: [{too: []}]`));
    assert.match(store.findings[0]?.message ?? '', /fails closed/);
    const first = translated(store);
    store.apply('0.yaml', policy(`${CARTS}, rules: [{too: []}]`));
    const second = translated(store, first);
    assert.deepEqual([...second.snapshot.access.keys()], ['Service shop/carts']);
    store.apply('0.yaml', policy(ALLOW));
    const third = translated(store, second);
    assert.deepEqual([...third.snapshot.access.keys()], ['Service shop/orders']);
    assert.equal(at('Service shop/orders', third)?.policies[0]?.failure, null);
    assert.deepEqual(store.findings, []);
  });

  it('only watches where it says so', () => {
    const after = translated(stored(policy(`${ORDERS}, mode: Shadow, rules: [{too: []}]`)));
    const [plan] = at('Service shop/orders', after)?.policies ?? [];
    assert.deepEqual([plan?.shadow, plan?.failure !== null], [true, true]);
  });

  it('is nobody else in the list of objects', () => {
    const store = stored(policy(`${ORDERS}, rules: [{too: []}]`));
    assert.deepEqual(
      store.findings.map(({ object }) => object),
      ['AuthorizationPolicy shop/p'],
    );
    assert.deepEqual(said('AuthorizationPolicy/shop/p', translated(store)), ['Service orders: Accepted=False Invalid']);
  });
});

describe('a file that is no YAML', () => {
  const half = policy(ALLOW).replace('rules: [{}]', 'rules: [{}');
  const twice = policy(`${ALLOW}, rules: []`);

  for (const [name, text] of Object.entries({ half, twice, neighbour: `${policy(ALLOW)}---\n{` })) {
    it(`and never was (${name}): keeps the targets closed that can be read in it`, () => {
      const store = stored(text);
      const after = translated(store);
      const [plan] = at('Service shop/orders', after)?.policies ?? [];
      assert.ok(plan !== undefined);
      // A policy that is sound by itself is in force as it is.
      assert.equal(plan.failure === null, name === 'neighbour');
      assert.equal(store.findings.filter(({ code }) => code === 'syntax').length, 1);
      store.apply('0.yaml', policy(`${CARTS}, rules: [{}]`, { name: 'other' }));
      assert.deepEqual([...translated(store, after).snapshot.access.keys()], ['Service shop/carts']);
    });
  }

  it('and once was: keeps what it said', () => {
    const store = stored(policy(`${CARTS}, rules: [{}]`));
    const before = translated(store);
    store.apply('0.yaml', half);
    assert.equal(translated(store, before).snapshot.access, before.snapshot.access);
  });

  it('opens nothing else', () => {
    const store = new Store();
    store.apply('all.yaml', WORLD + half);
    assert.deepEqual([store.resources.Service.size, store.resources.AuthorizationPolicy.size], [0, 1]);
  });
});

describe('a RequestAuthentication that is broken', () => {
  for (const spec of [`${ORDERS}, jwtRules: [{isuer: a}]`, `${ORDERS}, jwtRules: [{issuer: a, jwks: "{"}]`]) {
    it(`${spec}: is in force with its failure`, () => {
      const after = translated(stored(policy(spec, { kind: 'RequestAuthentication' })));
      const [plan] = at('Service shop/orders', after)?.authentications ?? [];
      assert.ok(plan?.failure);
      assert.deepEqual(plan.rules, []);
    });
  }
});

describe('a change of a policy about access', () => {
  const carts = policy(`${CARTS}, rules: [{}]`, { name: 'carts' });

  it('is a change of its targets alone, and of none of its neighbours there', () => {
    const store = stored(policy(ALLOW), carts, policy(ALLOW, { name: 'other' }));
    const before = translated(store);
    store.apply('0.yaml', policy(`${ORDERS}, rules: [{to: [{operation: {methods: [GET]}}]}]`));
    const after = translated(store, before);
    assert.equal(at('Service shop/carts', after), at('Service shop/carts', before));
    assert.notEqual(at('Service shop/orders', after), at('Service shop/orders', before));
    assert.equal(at('Service shop/orders', after)?.policies[1], at('Service shop/orders', before)?.policies[1]);
    assert.equal(after.snapshot.tables, before.snapshot.tables);
    assert.equal(after.snapshot.backends, before.snapshot.backends);
  });

  it('of its label is none', () => {
    const store = stored(policy(ALLOW), carts);
    const before = translated(store);
    store.apply('0.yaml', policy(ALLOW, { metadata: ', labels: {a: b}' }));
    assert.equal(translated(store, before).snapshot.access, before.snapshot.access);
  });

  it('away from a target leaves it to the others', () => {
    const store = stored(policy(ALLOW));
    const before = translated(store);
    store.apply('0.yaml', policy(`${CARTS}, rules: [{}]`));
    const after = translated(store, before);
    assert.deepEqual([...after.snapshot.access.keys()], ['Service shop/carts']);
    store.remove('0.yaml');
    assert.equal(translated(store, after).snapshot.access.size, 0);
  });

  it('guards a target from the moment that it is there', () => {
    const store = stored(policy('targetRefs: [{kind: Service, name: late}], rules: [{}]'));
    const before = translated(store);
    assert.equal(before.snapshot.access.size, 0);
    store.apply('late.yaml', WORLD.split('---').at(-1)!.replace('carts', 'late'));
    const after = translated(store, before);
    assert.deepEqual([...after.snapshot.access.keys()], ['Service shop/late']);
    assert.deepEqual(said('AuthorizationPolicy/shop/p', after), ['Service late: Accepted=True Accepted']);
  });

  it('asks another provider as soon as it is another', () => {
    const service = (backend: string): string =>
      `{name: opa, envoyExtAuthzGrpc: {service: ${backend}.shop.svc.cluster.local, port: 80}}`;
    const mesh = (text: string): string => `
apiVersion: v1
kind: ConfigMap
metadata: {name: waypoint, namespace: shop}
data: {mesh: '{extensionProviders: [${text}]}'}
`;
    const store = stored(policy(`${ORDERS}, action: CUSTOM, provider: {name: opa}, rules: [{}]`));
    const before = translated(store);
    const asked = (of: Translation): string | null | undefined =>
      at('Service shop/orders', of)?.policies[0]?.externalAuth?.backend;
    assert.equal(asked(before), null);
    assert.match(said('AuthorizationPolicy/shop/p', before)[1] ?? '', /ResolvedRefs=False/);
    store.apply('mesh.yaml', mesh(service('carts')));
    const second = translated(store, before);
    assert.equal(asked(second), 'shop/carts:80');
    assert.equal(said('AuthorizationPolicy/shop/p', second).length, 1);
    assert.ok(second.snapshot.backends.has('shop/carts:80'));
    store.apply('mesh.yaml', mesh(service('nobody')));
    const third = translated(store, second);
    assert.match(said('AuthorizationPolicy/shop/p', third)[1] ?? '', /ResolvedRefs=False/);
    assert.ok(!third.snapshot.backends.has('shop/carts:80'));
  });
});
