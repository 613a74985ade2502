// What rules do to heads: header modifiers, redirects and rewrites, by the conformance tables.

import assert from 'node:assert/strict';
import { call } from '../harness/call.ts';
import { echoed, sentField } from '../harness/echoed.ts';
import { backendRef, prefix, type RuleSetup } from '../harness/manifests.ts';
import { RoutingWorld } from '../harness/routing-world.ts';

type Fields = Readonly<Record<string, string | undefined>>;

function modifier(
  type: 'RequestHeaderModifier' | 'ResponseHeaderModifier',
  settings: unknown,
): Record<string, unknown> {
  return { type, [type === 'RequestHeaderModifier' ? 'requestHeaderModifier' : 'responseHeaderModifier']: settings };
}

const SET = { set: [{ name: 'X-Header-Set', value: 'set-overwrites-values' }] };
const ADD = { add: [{ name: 'X-Header-Add', value: 'add-appends-values' }] };
const REMOVE = { remove: ['X-Header-Remove'] };
const MANY = {
  set: [
    { name: 'X-Header-Set-1', value: 'set-1' },
    { name: 'X-Header-Set-2', value: 'set-2' },
  ],
  add: [
    { name: 'X-Header-Add-1', value: 'add-1' },
    { name: 'X-Header-Add-2', value: 'add-2' },
    { name: 'X-Header-Add-3', value: 'add-3' },
  ],
  remove: ['X-Header-Remove-1', 'X-Header-Remove-2'],
};

const MODIFIER_CASES: readonly (readonly [path: string, sent: Fields, got: Fields])[] = [
  ['/set', { 'Some-Other-Header': 'val' }, { 'some-other-header': 'val', 'x-header-set': 'set-overwrites-values' }],
  ['/set', { 'x-header-set': 'some-other-value' }, { 'x-header-set': 'set-overwrites-values' }],
  ['/add', {}, { 'x-header-add': 'add-appends-values' }],
  ['/add', { 'X-Header-Add': 'some-other-value' }, { 'x-header-add': 'some-other-value,add-appends-values' }],
  ['/remove', { 'X-HEADER-remove': 'val' }, { 'x-header-remove': undefined }],
  [
    '/many',
    { 'X-Header-Set-2': 'x', 'X-Header-Add-2': 'there', 'X-Header-Remove-1': 'r', 'Another-Header': 'another' },
    {
      'x-header-set-1': 'set-1',
      'x-header-set-2': 'set-2',
      'x-header-add-1': 'add-1',
      'x-header-add-2': 'there,add-2',
      'x-header-add-3': 'add-3',
      'x-header-remove-1': undefined,
      'another-header': 'another',
    },
  ],
  [
    '/many',
    { 'x-header-set-1': 'y', 'x-header-add-1': 'a', 'x-header-remove-2': 'r' },
    { 'x-header-set-1': 'set-1', 'x-header-add-1': 'a,add-1', 'x-header-remove-2': undefined },
  ],
];

const EDITS = [
  ['/set', SET],
  ['/add', ADD],
  ['/remove', REMOVE],
  ['/many', MANY],
] as const;

for (const place of ['rule', 'backendRef'] as const) {
  describe(`RequestHeaderModifier on a ${place}`, () => {
    let world: RoutingWorld;
    before(async () => {
      const rules = EDITS.map(([path, settings]): RuleSetup => {
        const filters = [modifier('RequestHeaderModifier', settings)];
        return place === 'rule'
          ? { matches: [prefix(path)], filters, backendRefs: [backendRef('v1')] }
          : { matches: [prefix(path)], backendRefs: [backendRef('v1', { filters })] };
      });
      world = await RoutingWorld.start([{ name: 'edits', rules }]);
    });
    after(() => world.close());
    MODIFIER_CASES.forEach(([path, sent, got], i) => {
      it(`${path} (${i})`, async () => {
        const answer = await call(world.port, { path, fields: Object.entries(sent) as [string, string][] });
        for (const [name, value] of Object.entries(got)) assert.equal(sentField(answer, name), value, name);
      });
    });
  });
}

describe('ResponseHeaderModifier', () => {
  let world: RoutingWorld;
  before(async () => {
    const rules = EDITS.map(
      ([path, settings]): RuleSetup => ({
        matches: [prefix(path)],
        filters: [
          modifier('ResponseHeaderModifier', settings),
          modifier('RequestHeaderModifier', { set: [{ name: 'X-Both', value: 'yes' }] }),
        ],
        backendRefs: [backendRef('v1')],
      }),
    );
    const broken: RuleSetup = {
      matches: [prefix('/none')],
      filters: [modifier('ResponseHeaderModifier', SET)],
      backendRefs: [],
    };
    world = await RoutingWorld.start([{ name: 'edits', rules: [...rules, broken] }]);
    world.backend('v1').script = async (request) => {
      await request.whole();
      const fields = request.message.fields.filter(([name]) => /^(x-header|another|some)/i.test(name));
      assert.equal(request.message.get('x-both'), 'yes');
      await request.respond({ fields });
    };
  });
  after(() => world.close());
  MODIFIER_CASES.forEach(([path, sent, got], i) => {
    it(`${path} (${i})`, async () => {
      const { message } = await call(world.port, { path, fields: Object.entries(sent) as [string, string][] });
      for (const [name, value] of Object.entries(got)) assert.equal(message.get(name), value, name);
    });
  });
  it('edits local answers, too', async () => {
    const answer = await call(world.port, { path: '/none' });
    assert.deepEqual([answer.status, answer.message.get('x-header-set')], [500, 'set-overwrites-values']);
  });
});

type Redirect = readonly [name: string, settings: unknown, path: string, status: number, location: string];

/** `PORT` stands for the listener's port. */
const REDIRECTS: readonly Redirect[] = [
  ['hostname', { hostname: 'example.org' }, '/x?y=z', 302, 'http://example.org:PORT/x?y=z'],
  ['hostname and status', { hostname: 'example.org', statusCode: 301 }, '/x', 301, 'http://example.org:PORT/x'],
  [
    '303',
    { path: { type: 'ReplaceFullPath', replaceFullPath: '/new' }, statusCode: 303 },
    '/x',
    303,
    'http://test.example:PORT/new',
  ],
  [
    '307',
    { path: { type: 'ReplaceFullPath', replaceFullPath: '/new' }, statusCode: 307 },
    '/x',
    307,
    'http://test.example:PORT/new',
  ],
  [
    '308',
    { path: { type: 'ReplaceFullPath', replaceFullPath: '/new' }, statusCode: 308 },
    '/x',
    308,
    'http://test.example:PORT/new',
  ],
  ['port', { port: 8083 }, '/x', 302, 'http://test.example:8083/x'],
  ['port 80 is left out for http', { port: 80 }, '/x', 302, 'http://test.example/x'],
  ['port 443 for http stays', { port: 443 }, '/x', 302, 'http://test.example:443/x'],
  ['scheme https means its own port', { scheme: 'https' }, '/x', 302, 'https://test.example/x'],
  ['scheme http means its own port', { scheme: 'http' }, '/x', 302, 'http://test.example/x'],
  ['scheme https and port 443', { scheme: 'https', port: 443 }, '/x', 302, 'https://test.example/x'],
  ['scheme https and port 8443', { scheme: 'https', port: 8443 }, '/x', 302, 'https://test.example:8443/x'],
  ['scheme https and port 80', { scheme: 'https', port: 80 }, '/x', 302, 'https://test.example:80/x'],
  ['scheme http and port 8080', { scheme: 'http', port: 8080 }, '/x', 302, 'http://test.example:8080/x'],
  [
    'full path keeps the query',
    { path: { type: 'ReplaceFullPath', replaceFullPath: '/full' } },
    '/x/y?a=b',
    302,
    'http://test.example:PORT/full?a=b',
  ],
  [
    'prefix',
    { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/xyz' } },
    '/x/bar',
    302,
    'http://test.example:PORT/xyz/bar',
  ],
  [
    'prefix and hostname',
    { hostname: 'example.org', path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } },
    '/x/bar',
    302,
    'http://example.org:PORT/bar',
  ],
];

describe('RequestRedirect', () => {
  let world: RoutingWorld;
  before(async () => {
    const rules = REDIRECTS.map(
      ([, settings], i): RuleSetup => ({
        matches: [{ ...prefix('/x'), headers: [{ name: 'x-row', value: String(i) }] }],
        filters: [{ type: 'RequestRedirect', requestRedirect: settings }],
      }),
    );
    world = await RoutingWorld.start([
      { name: 'redirects-a', rules: rules.slice(0, 10) },
      { name: 'redirects-b', rules: rules.slice(10) },
    ]);
  });
  after(() => world.close());
  REDIRECTS.forEach(([name, , path, status, location], i) => {
    it(name, async () => {
      const answer = await world.send(`GET ${path} x-row: ${i}`);
      assert.deepEqual(
        [answer.status, answer.message.get('location')],
        [status, location.replace('PORT', String(world.port))],
      );
    });
  });

  it('R6 nothing of the request splits the Location', async () => {
    const answer = await call(world.port, { path: '/x/%0d%0aX-Evil:1?%0d%0aX-Evil:2', fields: [['x-row', '0']] });
    assert.equal(answer.message.get('x-evil'), undefined);
    assert.match(answer.message.get('location') ?? '', /%0d%0aX-Evil:1/i);
  });
});

/** gateway-api, HTTPPathModifier: path, prefix, replacement, result. */
const PREFIX_TABLE: readonly (readonly [path: string, prefix: string, replacement: string, result: string])[] = [
  ['/foo/bar', '/foo', '/xyz', '/xyz/bar'],
  ['/foo/bar', '/foo', '/xyz/', '/xyz/bar'],
  ['/foo/bar', '/foo/', '/xyz', '/xyz/bar'],
  ['/foo', '/foo', '/xyz', '/xyz'],
  ['/foo/', '/foo', '/xyz', '/xyz/'],
  ['/foo/bar', '/foo', '', '/bar'],
  ['/foo/', '/foo', '', '/'],
  ['/foo', '/foo', '', '/'],
  ['/foo/', '/foo', '/', '/'],
  ['/foo', '/foo', '/', '/'],
  ['/foo/bar?q=1', '/foo', '/xyz', '/xyz/bar?q=1'],
  ['/foo/a%20b', '/foo', '/xyz', '/xyz/a%20b'],
];

describe('URLRewrite', () => {
  let world: RoutingWorld;
  before(async () => {
    const path = (value: unknown): Record<string, unknown> => ({ type: 'URLRewrite', urlRewrite: value });
    const row = (i: number): unknown => ({ headers: [{ name: 'x-row', value: String(i) }] });
    const table = PREFIX_TABLE.map(
      ([, from, replacement], i): RuleSetup => ({
        matches: [{ ...prefix(from), ...(row(i) as object) }],
        filters: [path({ path: { type: 'ReplacePrefixMatch', replacePrefixMatch: replacement } })],
        backendRefs: [backendRef('v1')],
      }),
    );
    const others: RuleSetup[] = [
      { matches: [prefix('/host')], filters: [path({ hostname: 'one.example.org' })], backendRefs: [backendRef('v1')] },
      {
        matches: [prefix('/full')],
        filters: [path({ path: { type: 'ReplaceFullPath', replaceFullPath: '/one' } })],
        backendRefs: [backendRef('v1')],
      },
      {
        matches: [prefix('/both')],
        filters: [
          modifier('RequestHeaderModifier', MANY),
          path({ hostname: 'two.example.org', path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/p' } }),
        ],
        backendRefs: [backendRef('v1')],
      },
      {
        matches: [prefix('/backend')],
        backendRefs: [
          backendRef('v1', {
            filters: [
              path({ hostname: 'b.example.org', path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/at' } }),
            ],
          }),
        ],
      },
    ];
    world = await RoutingWorld.start([
      { name: 'table', rules: table },
      { name: 'others', rules: others },
    ]);
  });
  after(() => world.close());
  PREFIX_TABLE.forEach(([path, from, replacement, result], i) => {
    it(`${path} with ${from} by '${replacement}' → ${result}`, async () => {
      const answer = await world.expect(`GET ${path} x-row: ${i}`, 'v1');
      assert.deepEqual([echoed(answer).target, sentField(answer, 'host')], [result, 'test.example']);
    });
  });
  for (const [path, target, host] of [
    ['/host/a', '/host/a', 'one.example.org'],
    ['/full/a?q', '/one?q', 'test.example'],
    ['/both/a', '/p/a', 'two.example.org'],
    ['/backend/a', '/at/a', 'b.example.org'],
  ] as const) {
    it(`${path} → ${host}${target}`, async () => {
      const answer = await world.expect(`GET ${path}`, 'v1');
      assert.deepEqual([echoed(answer).target, sentField(answer, 'host')], [target, host]);
      if (path === '/both/a') assert.equal(sentField(answer, 'x-header-set-1'), 'set-1');
      assert.equal(sentField(answer, 'x-forwarded-host'), 'test.example');
    });
  }
});
