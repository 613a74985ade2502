import assert from 'node:assert/strict';
import { filterContext, requestHead, responseHead } from '../test/harness/heads.ts';
import {
  applyRequestFilters,
  applyResponseFilters,
  type DecodedFilters,
  decodeFilters,
  describeFilter,
  FILTER_KINDS,
} from './index.ts';

const set = (name: string, value: string) => ({ set: [{ name, value }] });
const AUTH = {
  type: 'ExternalAuth',
  externalAuth: { protocol: 'HTTP', http: {}, backendRef: { name: 'auth', port: 1 } },
};
const REQUEST = { type: 'RequestHeaderModifier', requestHeaderModifier: set('a', '1') };
const RESPONSE = { type: 'ResponseHeaderModifier', responseHeaderModifier: set('b', '2') };
const REDIRECT = { type: 'RequestRedirect', requestRedirect: { statusCode: 301 } };
const REWRITE = { type: 'URLRewrite', urlRewrite: { hostname: 'b.test' } };
const CORS = { type: 'CORS', cors: { allowOrigins: ['*'] } };
const MIRROR = { type: 'RequestMirror', requestMirror: { backendRef: { name: 'copy', port: 80 } } };

type Raw = Parameters<typeof decodeFilters>[0];

function decode(raw: Raw): { readonly decoded: DecodedFilters; readonly reports: readonly string[] } {
  const reports: string[] = [];
  const decoded = decodeFilters(raw, 'filters', { unsupported: (path) => reports.push(path) });
  return { decoded, reports };
}

const LISTS: readonly (readonly [
  name: string,
  raw: Raw,
  kinds: readonly string[],
  bad: readonly (readonly [string, string])[],
])[] = [
  ['absent', undefined, [], []],
  ['empty', [], [], []],
  [
    'in listed order',
    [RESPONSE, CORS, REQUEST, REWRITE],
    ['ResponseHeaderModifier', 'CORS', 'RequestHeaderModifier', 'URLRewrite'],
    [],
  ],
  [
    'unknown type',
    [{ type: 'Teleport' }, REQUEST],
    ['RequestHeaderModifier'],
    [['UnsupportedValue', 'filters[0].type']],
  ],
  ['extension', [{ type: 'ExtensionRef', extensionRef: {} }], [], [['UnsupportedValue', 'filters[0].type']]],
  [
    'external auth',
    [{ type: 'ExternalAuth', externalAuth: {} }],
    [],
    [
      ['UnsupportedValue', 'filters[0].externalAuth.protocol'],
      ['UnsupportedValue', 'filters[0].externalAuth.backendRef'],
    ],
  ],
  ['external auth twice', [AUTH, AUTH], ['ExternalAuth'], [['IncompatibleFilters', 'filters[1]']]],
  ['a name of Object.prototype', [{ type: 'constructor' }], [], [['UnsupportedValue', 'filters[0].type']]],
  ['settings missing', [{ type: 'CORS' }], [], [['UnsupportedValue', 'filters[0].cors']]],
  [
    'settings refused',
    [{ type: 'URLRewrite', urlRewrite: { hostname: '*' } }],
    [],
    [['UnsupportedValue', 'filters[0].urlRewrite.hostname']],
  ],
  [
    'one type twice',
    [REQUEST, RESPONSE, REQUEST],
    ['RequestHeaderModifier', 'ResponseHeaderModifier'],
    [['IncompatibleFilters', 'filters[2]']],
  ],
  ['redirect and rewrite', [REDIRECT, REWRITE], ['RequestRedirect'], [['IncompatibleFilters', 'filters[1]']]],
  ['rewrite and redirect', [REWRITE, REDIRECT], ['URLRewrite'], [['IncompatibleFilters', 'filters[1]']]],
];

describe('filter kinds', () => {
  for (const [name, raw, kinds, bad] of LISTS) {
    it(`decodes: ${name}`, () => {
      const { decoded, reports } = decode(raw);
      assert.deepEqual(
        decoded.filters.map((filter) => filter.kind),
        kinds,
      );
      assert.deepEqual(
        decoded.unsupported.map(({ reason, path }) => [reason, path]),
        bad,
      );
      assert.deepEqual(
        reports,
        bad.map(([, path]) => path),
      );
    });
  }

  it('counts the filters before each mirror', () => {
    const { mirrors } = decode([MIRROR, REQUEST, MIRROR, RESPONSE, MIRROR]).decoded;
    assert.deepEqual(
      mirrors.map((mirror) => [mirror.path, mirror.afterFilter]),
      [
        ['filters[0].requestMirror.backendRef', 0],
        ['filters[2].requestMirror.backendRef', 1],
        ['filters[4].requestMirror.backendRef', 2],
      ],
    );
  });

  it('says where among the filters the one is that asks outside', () => {
    const { externalAuth, filters } = decode([REQUEST, MIRROR, AUTH, RESPONSE]).decoded;
    assert.deepEqual(externalAuth, {
      index: 1,
      backendRef: { name: 'auth', port: 1 },
      path: 'filters[2].externalAuth.backendRef',
    });
    assert.equal(filters[1]!.kind, 'ExternalAuth');
    assert.equal(decode([REQUEST]).decoded.externalAuth, null);
  });

  it('shares the empty lists', () => {
    assert.equal(decode([]).decoded, decode(undefined).decoded);
    assert.equal(decode([MIRROR]).decoded.filters, decode([]).decoded.filters);
  });

  it('lists every kind by its type', () => {
    const types = ['RequestHeaderModifier', 'ResponseHeaderModifier', 'RequestRedirect', 'URLRewrite', 'CORS'];
    assert.deepEqual([...FILTER_KINDS.keys()], [...types, 'ExternalAuth']);
  });

  it('runs the request side until one answers', () => {
    const { filters } = decode([REQUEST, REDIRECT, RESPONSE]).decoded;
    const head = requestHead({ path: '/x' });
    assert.equal(applyRequestFilters(filters, filterContext(head))?.status, 301);
    assert.deepEqual(head.fields.entries(), [['a', '1']]);
    assert.equal(applyRequestFilters([], filterContext(head)), null);
  });

  it('runs the response side of all', () => {
    const { filters } = decode([REQUEST, CORS, RESPONSE]).decoded;
    const context = filterContext(requestHead({ headers: [['origin', 'https://a.test']] }));
    const head = responseHead(404, []);
    applyResponseFilters(filters, context, head);
    assert.deepEqual(head.fields.entries(), [
      ['vary', 'origin'],
      ['access-control-allow-origin', 'https://a.test'],
      ['b', '2'],
    ]);
  });

  it('dispatches every kind as its own file does', () => {
    const filters = [REQUEST, RESPONSE, REWRITE, CORS].map((raw) => decode([raw]).decoded.filters[0]!);
    for (const filter of [...filters, decode([REDIRECT]).decoded.filters[0]!]) {
      const direct = filterContext(requestHead({ path: '/x' }));
      const dispatched = filterContext(requestHead({ path: '/x' }));
      const kind = FILTER_KINDS.get(filter.kind)!;
      assert.deepEqual(applyRequestFilters([filter], dispatched), kind.request?.(filter, direct) ?? null);
      assert.deepEqual(dispatched.head.fields.entries(), direct.head.fields.entries());
      const answers = [responseHead(200, []), responseHead(200, [])] as const;
      applyResponseFilters([filter], dispatched, answers[0]);
      kind.response?.(filter, direct, answers[1]);
      assert.deepEqual(answers[0].fields.entries(), answers[1].fields.entries());
      assert.equal(describeFilter(filter), kind.describe(filter));
    }
  });

  it('yields data that survives a structured clone', () => {
    const { filters } = decode([REQUEST, RESPONSE, REWRITE, CORS]).decoded;
    assert.deepEqual(structuredClone(filters), filters);
  });
});
