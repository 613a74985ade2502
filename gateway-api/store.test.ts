// What the store keeps, replaces and tells when files change.
import assert from 'node:assert/strict';
import { Store } from './store.ts';

const route = (name: string, more = ''): string =>
  `apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: ${name}, namespace: shop${more}}\nspec:\n  rules:\n  - backendRefs:\n    - {name: ${name}, port: 80}\n`;
const file = (...documents: string[]): string => documents.join('---\n');

function told(store: Store): string[] {
  return store.findings.map(
    (each) =>
      `${each.severity} ${each.code} ${each.file}:${each.line}:${each.column} ${each.object} ${each.path} ${each.message}`,
  );
}

function loaded(text: string): Store {
  const store = new Store();
  store.apply('a.yaml', text);
  return store;
}

const names = (store: Store): string[] => [...store.resources.HTTPRoute.keys()];

describe('Store', () => {
  it('reads the objects of a file in the shapes of resources.ts', () => {
    const store = loaded(
      file(route('a'), 'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {team: x}}\n'),
    );
    const { createdAt, ...found } = store.resources.HTTPRoute.get('shop/a')!;
    assert.ok(createdAt < 0);
    assert.deepEqual(found, {
      kind: 'HTTPRoute',
      apiVersion: 'gateway.networking.k8s.io/v1',
      metadata: { name: 'a', namespace: 'shop', labels: {}, annotations: {}, generation: 1 },
      origin: { file: 'a.yaml', line: 1 },
      spec: {
        rules: [
          {
            matches: [{ path: { type: 'PathPrefix', value: '/' } }],
            backendRefs: [{ group: '', kind: 'Service', name: 'a', port: 80, weight: 1 }],
          },
        ],
      },
    });
    assert.deepEqual(store.resources.Namespace.get('shop')?.metadata.labels, { team: 'x' });
    assert.equal(store.resources.Namespace.get('shop')?.origin.line, 9);
    assert.deepEqual(store.findings, []);
  });

  it('moves what has no spec under spec, decoded and completed', () => {
    const store = loaded(
      file(
        'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: w6k=}\nstringData: {b: é}\n',
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: x}\n',
        'apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: e}\naddressType: IPv4\nendpoints:\n- addresses: [10.0.0.1]\n- addresses: [10.0.0.2]\n  conditions: {ready: false}\n',
        'apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {clusterIP: None}\n',
        'apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: g}\nspec: {gatewayClassName: w, listeners: [{name: l, port: 80, protocol: HTTP}]}\n',
      ),
    );
    const { resources } = store;
    assert.deepEqual(resources.Secret.get('default/s')?.spec, {
      type: 'Opaque',
      data: { a: '\u00c3\u00a9', b: '\u00c3\u00a9' },
    });
    assert.deepEqual(resources.ConfigMap.get('default/c')?.spec, { data: { a: 'x' } });
    assert.deepEqual(resources.EndpointSlice.get('default/e')?.spec, {
      addressType: 'IPv4',
      ports: [],
      endpoints: [
        { addresses: ['10.0.0.1'], conditions: { ready: true, serving: true, terminating: false } },
        { addresses: ['10.0.0.2'], conditions: { ready: false, serving: false, terminating: false } },
      ],
    });
    assert.deepEqual(resources.Service.get('default/s')?.spec, { type: 'ClusterIP', clusterIP: 'None', ports: [] });
    assert.deepEqual(resources.Gateway.get('default/g')?.spec.listeners[0]?.allowedRoutes, {
      namespaces: { from: 'Same' },
      kinds: [],
    });
    assert.deepEqual(told(store), []);
  });

  it('keeps the references of what did not change', () => {
    const store = loaded(file(route('a'), route('b'), route('c')));
    const before = store.resources;
    assert.equal(store.apply('a.yaml', file(route('a'), route('b').replace('80', '81'), route('c'))), true);
    const after = store.resources;
    assert.equal(after.HTTPRoute.get('shop/a'), before.HTTPRoute.get('shop/a'));
    assert.equal(after.HTTPRoute.get('shop/c'), before.HTTPRoute.get('shop/c'));
    assert.notEqual(after.HTTPRoute.get('shop/b'), before.HTTPRoute.get('shop/b'));
    assert.equal(after.HTTPRoute.get('shop/b')?.createdAt, before.HTTPRoute.get('shop/b')?.createdAt);
    assert.equal(after.Service, before.Service);
    assert.equal(before.HTTPRoute.get('shop/b')?.spec.rules[0]?.backendRefs?.[0]?.port, 80);
  });

  it('takes a comment, a new layout or a moved line for no change of the object', () => {
    const store = loaded(file(route('a'), route('b')));
    const { resources } = store;
    const b = resources.HTTPRoute.get('shop/b');
    assert.equal(store.apply('a.yaml', file(`# more\n${route('a')}`, `\n# b\n${route('b')}`)), false);
    assert.equal(store.resources, resources);
    assert.equal(b?.origin.line, 12);
  });

  it('unpacks a List, whose other items keep their references', () => {
    const item = (name: string, port: number): unknown => ({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name },
      spec: { rules: [{ backendRefs: [{ name: 's', port }] }] },
    });
    const listOf = (...items: unknown[]): string => JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 1);
    const store = loaded(listOf(item('a', 1), item('b', 1)));
    const before = store.resources.HTTPRoute;
    store.apply('a.yaml', listOf(item('a', 1), item('b', 2), item('c', 99999)));
    assert.equal(store.resources.HTTPRoute.get('default/a'), before.get('default/a'));
    assert.notEqual(store.resources.HTTPRoute.get('default/b'), before.get('default/b'));
    assert.deepEqual(told(store), [
      'error invalid a.yaml:55:9 HTTPRoute default/c spec.rules[0].backendRefs[0].port must be at most 65535 (got 99999)',
    ]);
  });

  it('refuses an invalid object with its place, and serves the rest', () => {
    const store = loaded(file(route('a'), route('b').replace('rules', 'rulez')));
    assert.deepEqual(names(store), ['shop/a']);
    assert.deepEqual(told(store), [
      'error invalid a.yaml:13:3 HTTPRoute shop/b spec.rulez unknown field (did you mean rules?)',
    ]);
  });

  it('keeps the last good version of an object that became invalid, until it is good or gone', () => {
    const store = loaded(file(route('a'), route('b')));
    const good = store.resources.HTTPRoute.get('shop/b');
    store.apply('a.yaml', file(route('a'), route('b').replace('80', '0')));
    assert.equal(store.resources.HTTPRoute.get('shop/b'), good);
    assert.match(told(store)[0]!, /must be at least 1 \(got 0\); its last good version keeps serving$/);
    store.apply('a.yaml', file(route('a'), route('b').replace('80', '-1')));
    assert.equal(store.resources.HTTPRoute.get('shop/b'), good);
    store.apply('a.yaml', file(route('a'), route('b')));
    assert.equal(store.resources.HTTPRoute.get('shop/b'), good);
    assert.deepEqual(store.findings, []);
    store.apply('a.yaml', route('a'));
    assert.deepEqual(names(store), ['shop/a']);
  });

  it('keeps the last good version of a whole file with a syntax error', () => {
    const store = loaded(file(route('a'), route('b')));
    const before = store.resources;
    store.apply('a.yaml', file(route('a'), 'a: "'));
    assert.equal(store.resources, before);
    assert.equal(told(store).length, 1);
    assert.match(told(store)[0]!, /^error syntax a.yaml:9:5 .*; the last good version of this file keeps serving$/);
    store.apply('a.yaml', route('a'));
    assert.deepEqual(names(store), ['shop/a']);
    assert.deepEqual(store.findings, []);
  });

  const ignored: [string, string, string][] = [
    [
      'an unknown kind',
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n',
      'warning unknown_kind a.yaml:1:1   Deployment (apps/v1) means nothing to a waypoint and is ignored',
    ],
    [
      'an unknown version',
      'apiVersion: gateway.networking.k8s.io/v1alpha2\nkind: HTTPRoute\n',
      'error invalid a.yaml:1:1 HTTPRoute apiVersion must be gateway.networking.k8s.io/v1 or gateway.networking.k8s.io/v1beta1 (got gateway.networking.k8s.io/v1alpha2)',
    ],
    ['no kind', '\n\napiVersion: v1\n', 'error invalid a.yaml:3:1   kind: is required'],
    [
      'no mapping',
      '- 1\n',
      'error invalid a.yaml:1:1   a document must be a mapping with apiVersion, kind and metadata',
    ],
    [
      'no name',
      'apiVersion: v1\nkind: Namespace\nmetadata: {}\n',
      'error invalid a.yaml:3:1 Namespace metadata name: is required',
    ],
  ];
  for (const [name, text, finding] of ignored) {
    it(`tells of ${name}`, () => assert.deepEqual(told(loaded(text)), [finding]));
  }

  it('lets the first of two definitions count, in order of files, then lines', () => {
    const store = new Store();
    store.apply('b.yaml', route('a').replace('80', '2'));
    store.apply('a.yaml', route('a').replace('80', '1'));
    const port = (): unknown => store.resources.HTTPRoute.get('shop/a')?.spec.rules[0]?.backendRefs?.[0]?.port;
    assert.equal(port(), 1);
    assert.deepEqual(told(store), [
      'error duplicate_object b.yaml:1:1 HTTPRoute shop/a  is defined here and in a.yaml:1: the first one counts',
    ]);
    store.remove('a.yaml');
    assert.equal(port(), 2);
    assert.deepEqual(store.findings, []);
    store.apply('b.yaml', file(route('a').replace('80', '3'), route('a').replace('80', '4')));
    assert.equal(port(), 3);
    assert.deepEqual(told(store), [
      'error duplicate_object b.yaml:9:1 HTTPRoute shop/a  is defined here and before, on line 1: the first one counts',
    ]);
  });

  it('removes a file’s objects with it', () => {
    const store = loaded(route('a'));
    assert.equal(store.remove('a.yaml'), true);
    assert.equal(store.remove('a.yaml'), false);
    assert.deepEqual(names(store), []);
  });

  it('dates objects by their timestamp, others in reading order and before', () => {
    const store = new Store();
    store.apply('b.yaml', file(route('c'), route('d', ", creationTimestamp: '2026-01-31T12:00:00Z'")));
    store.apply('a.yaml', file(route('a'), route('b')));
    const at = (name: string): number => store.resources.HTTPRoute.get(`shop/${name}`)!.createdAt;
    assert.ok(at('a') < at('b') && at('b') < at('c') && at('c') < at('d'));
    assert.equal(at('d'), Date.UTC(2026, 0, 31, 12));
    const before = store.resources.HTTPRoute;
    store.apply('a.yaml', file(route('x'), route('a'), route('w'), route('b')));
    for (const name of ['shop/a', 'shop/b', 'shop/c'])
      assert.equal(store.resources.HTTPRoute.get(name), before.get(name));
    assert.ok(at('x') < at('a') && at('a') < at('w') && at('w') < at('b'));
    store.apply('a.yaml', file(route('b'), route('x'), route('a'), route('w')));
    assert.ok(at('b') < at('x') && at('x') < at('a') && at('a') < at('w') && at('w') < at('c'));
  });

  it('survives running out of numbers', () => {
    const store = new Store();
    store.apply('a.yaml', route('a'));
    store.apply('z.yaml', route('z'));
    for (let index = 0; index < 120; index++) store.apply(`m${'m'.repeat(120 - index)}.yaml`, route(`m${index}`));
    const ordered = [...store.resources.HTTPRoute.values()].sort((a, b) => a.createdAt - b.createdAt);
    const files = ordered.map((each) => each.origin.file);
    assert.equal(files.length, 122);
    assert.deepEqual(files, files.toSorted());
  });

  it('carries findings about files as such', () => {
    const store = loaded(route('a'));
    const note = { severity: 'error', code: 'unreadable', line: 0, column: 0, message: 'm' } as const;
    assert.equal(store.note('b.yaml', note), true);
    assert.equal(store.note('b.yaml', { ...note }), false);
    assert.deepEqual(told(store), ['error unreadable b.yaml:0:0   m']);
    assert.equal(store.note('b.yaml', null), true);
    assert.deepEqual(store.findings, []);
  });
});
