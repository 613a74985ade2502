import assert from 'node:assert/strict';
import { filterContext, requestHead, responseHead } from '../test/harness/heads.ts';
import { type CorsFilter, cors } from './cors.ts';

type Line = readonly [name: string, value: string];

/** Of a response: each named field has this value (blanks do not count), null: it is absent. */
type Expected = Readonly<Record<string, string | null>>;

const FULL = {
  allowOrigins: ['https://www.foo.com', 'https://*.bar.com'],
  allowMethods: ['GET', 'OPTIONS'],
  allowHeaders: ['x-header-1', 'x-header-2'],
  exposeHeaders: ['x-header-3', 'x-header-4'],
  allowCredentials: true,
  maxAge: 3600,
};
const ANY_METHOD = { allowOrigins: ['https://www.foo.com'], allowMethods: ['*'] };
const ANY_ORIGIN = { allowOrigins: ['*'], allowMethods: ['PUT'] };
const ANY = { allowOrigins: ['*'], allowMethods: ['*'], allowHeaders: ['*'], allowCredentials: true };
const ANY_PLAIN = { ...ANY, allowCredentials: false };

const ask = (origin: string, method: string, headers?: string): Line[] => [
  ['Origin', origin],
  ['access-control-request-method', method],
  ...(headers === undefined ? [] : [['access-control-request-headers', headers] as const]),
];
const BOTH = 'x-header-1, x-header-2';
const allowedBy = (origin: string): Expected => ({
  'access-control-allow-origin': origin,
  'access-control-allow-methods': 'GET,OPTIONS',
  'access-control-allow-headers': 'x-header-1,x-header-2',
  'access-control-expose-headers': 'x-header-3,x-header-4',
  'access-control-max-age': '3600',
  'access-control-allow-credentials': 'true',
});
const ORIGIN = 'access-control-allow-origin';
const CREDENTIALS = 'access-control-allow-credentials';
const ECHOED = { 'access-control-allow-methods': 'PUT', 'access-control-allow-headers': 'x-header-1,x-header-2' };

/** The cases of the conformance test HTTPRouteCORS, one row each. */
const CONFORMANCE: readonly (readonly [
  name: string,
  settings: object,
  method: string,
  headers: readonly Line[],
  expected: Expected,
])[] = [
  [
    'preflight, exact origin',
    FULL,
    'OPTIONS',
    ask('https://www.foo.com', 'GET', BOTH),
    allowedBy('https://www.foo.com'),
  ],
  [
    'preflight, wildcard origin',
    FULL,
    'OPTIONS',
    ask('https://www.bar.com', 'GET', BOTH),
    allowedBy('https://www.bar.com'),
  ],
  [
    'preflight, more labels',
    FULL,
    'OPTIONS',
    ask('https://xpto.www.bar.com', 'GET', BOTH),
    allowedBy('https://xpto.www.bar.com'),
  ],
  ['preflight, other origin', FULL, 'OPTIONS', ask('https://foobar.com', 'GET'), { [ORIGIN]: null }],
  ['simple, exact origin', FULL, 'GET', ask('https://www.foo.com', 'GET', BOTH), { [ORIGIN]: 'https://www.foo.com' }],
  [
    'simple, wildcard origin',
    FULL,
    'GET',
    ask('https://www.bar.com', 'GET', BOTH),
    { [ORIGIN]: 'https://www.bar.com' },
  ],
  ['simple, other origin', FULL, 'GET', ask('https://foobar.com', 'GET'), { [ORIGIN]: null }],
  [
    'preflight, any method',
    ANY_METHOD,
    'OPTIONS',
    ask('https://www.foo.com', 'POST'),
    { [ORIGIN]: 'https://www.foo.com', 'access-control-allow-methods': 'POST', [CREDENTIALS]: null },
  ],
  ['preflight, no credentials', ANY_METHOD, 'OPTIONS', ask('https://www.foo.com', 'POST'), { [CREDENTIALS]: null }],
  [
    'preflight, any origin',
    ANY_ORIGIN,
    'OPTIONS',
    ask('https://foobar.com', 'PUT'),
    { [ORIGIN]: 'https://foobar.com', 'access-control-allow-methods': 'PUT', [CREDENTIALS]: null },
  ],
  [
    'preflight, any origin with a port',
    ANY_ORIGIN,
    'OPTIONS',
    ask('https://foobar.com:12345', 'PUT'),
    { [ORIGIN]: 'https://foobar.com:12345', 'access-control-allow-methods': 'PUT', [CREDENTIALS]: null },
  ],
  [
    'any origin with a port',
    ANY_ORIGIN,
    'PUT',
    [['Origin', 'https://foobar.com:12345']],
    { [ORIGIN]: 'https://foobar.com:12345' },
  ],
  [
    'any origin',
    ANY_ORIGIN,
    'PUT',
    [['Origin', 'https://foobar.com']],
    { [ORIGIN]: 'https://foobar.com', [CREDENTIALS]: null },
  ],
  [
    'preflight, any of all, credentials',
    ANY,
    'OPTIONS',
    ask('https://other.foo.com', 'PUT', BOTH),
    { [ORIGIN]: 'https://other.foo.com', [CREDENTIALS]: 'true', ...ECHOED },
  ],
  [
    'preflight, any of all, no credentials',
    ANY_PLAIN,
    'OPTIONS',
    ask('https://other.foo.com', 'PUT', BOTH),
    { [ORIGIN]: 'https://other.foo.com', [CREDENTIALS]: null, ...ECHOED },
  ],
  [
    'simple with credentials',
    ANY,
    'GET',
    [
      ['Origin', 'https://other.foo.com'],
      ['Authorization', 'Bearer test'],
    ],
    { [ORIGIN]: 'https://other.foo.com', [CREDENTIALS]: 'true' },
  ],
  [
    'simple with credentials, not allowed',
    ANY_PLAIN,
    'GET',
    [
      ['Origin', 'https://other.foo.com'],
      ['Authorization', 'Bearer test'],
    ],
    { [ORIGIN]: 'https://other.foo.com', [CREDENTIALS]: null },
  ],
];

/** Beyond conformance: what a backend answered, and what leaves. */
const ANSWERS: readonly (readonly [
  name: string,
  settings: object,
  headers: readonly Line[],
  backend: readonly Line[],
  expected: Expected,
])[] = [
  ['no Origin: only vary', FULL, [], [], { [ORIGIN]: null, vary: 'origin', 'access-control-expose-headers': null }],
  [
    'exposed fields',
    FULL,
    [['origin', 'https://www.foo.com']],
    [],
    { 'access-control-expose-headers': 'x-header-3,x-header-4' },
  ],
  ['vary is added to', FULL, [], [['Vary', 'Accept']], { vary: 'Accept,origin' }],
  ['vary names it already', FULL, [], [['Vary', 'Accept, Origin']], { vary: 'Accept,Origin' }],
  ['vary on everything', FULL, [], [['Vary', '*']], { vary: '*' }],
  [
    "the backend's permission does not count",
    FULL,
    [['origin', 'https://evil.test']],
    [
      [ORIGIN, '*'],
      [CREDENTIALS, 'true'],
    ],
    { [ORIGIN]: null, [CREDENTIALS]: null },
  ],
  [
    "the backend's permission is replaced",
    ANY_METHOD,
    [['origin', 'https://www.foo.com']],
    [
      ['Access-Control-Allow-Origin', '*'],
      ['Access-Control-Allow-Credentials', 'true'],
    ],
    { [ORIGIN]: 'https://www.foo.com', [CREDENTIALS]: null },
  ],
  [
    'two origins',
    FULL,
    [
      ['origin', 'https://www.foo.com'],
      ['origin', 'https://www.foo.com'],
    ],
    [],
    { [ORIGIN]: null },
  ],
  [
    'expose any',
    { ...ANY_PLAIN, exposeHeaders: ['*'] },
    [['origin', 'null']],
    [],
    { 'access-control-expose-headers': '*' },
  ],
  [
    'expose any with credentials',
    { ...ANY, exposeHeaders: ['*'] },
    [['origin', 'null']],
    [],
    { 'access-control-expose-headers': null },
  ],
];

const PREFLIGHTS: readonly (readonly [name: string, settings: object, headers: readonly Line[], expected: Expected])[] =
  [
    ['max age 5 unless told', ANY, ask('https://a.test', 'PUT'), { 'access-control-max-age': '5' }],
    ['no header asked for', ANY, ask('https://a.test', 'PUT'), { 'access-control-allow-headers': null }],
    ['a method that is none', ANY, ask('https://a.test', 'P U T'), { 'access-control-allow-methods': null }],
    ['a header that is none', ANY, ask('https://a.test', 'PUT', 'a b, c;d'), { 'access-control-allow-headers': null }],
    [
      'no methods listed',
      { allowOrigins: ['*'] },
      ask('https://a.test', 'GET'),
      { 'access-control-allow-methods': null },
    ],
  ];

function decode(settings: object): CorsFilter {
  return cors.decode(settings, 'cors', { unsupported: assert.fail })!;
}

function check(actual: ReturnType<typeof responseHead>['fields'], expected: Expected): void {
  for (const [name, value] of Object.entries(expected)) {
    assert.equal(actual.get(name)?.replaceAll(' ', ''), value ?? undefined, name);
  }
}

describe('cors', () => {
  for (const [name, settings, method, headers, expected] of CONFORMANCE) {
    it(name, () => {
      const filter = decode(settings);
      const context = filterContext(requestHead({ method, headers }));
      const reply = cors.request!(filter, context);
      assert.equal(reply !== null, method === 'OPTIONS');
      const denied = name === 'preflight, other origin';
      if (reply !== null) assert.equal(reply.status, denied ? 403 : 200);
      const answer = responseHead(reply?.status ?? 200, reply?.headers ?? []);
      if (reply !== null) check(answer.fields, expected);
      const before = answer.fields.entries().length;
      cors.response!(filter, context, answer);
      check(answer.fields, expected);
      if (reply !== null) assert.equal(answer.fields.entries().length, before, 'set twice stays the same');
    });
  }

  for (const [name, settings, headers, backend, expected] of ANSWERS) {
    it(name, () => {
      const context = filterContext(requestHead({ headers }));
      const answer = responseHead(200, backend);
      assert.equal(cors.request!(decode(settings), context), null);
      cors.response!(decode(settings), context, answer);
      check(answer.fields, expected);
    });
  }

  for (const [name, settings, headers, expected] of PREFLIGHTS) {
    it(`preflight: ${name}`, () => {
      const reply = cors.request!(decode(settings), filterContext(requestHead({ method: 'OPTIONS', headers })))!;
      check(responseHead(reply.status, reply.headers).fields, expected);
    });
  }

  it('forwards an OPTIONS that is no preflight', () => {
    const forwarded = (headers: readonly Line[]) =>
      cors.request!(decode(FULL), filterContext(requestHead({ method: 'OPTIONS', headers })));
    assert.equal(forwarded([]), null);
    assert.equal(forwarded([['origin', 'https://www.foo.com']]), null);
    assert.equal(forwarded([['access-control-request-method', 'GET']]), null);
  });

  it('refuses what it cannot send', () => {
    const paths: string[] = [];
    const settings = {
      allowOrigins: ['a'],
      allowMethods: ['GET', 'P\r\n'],
      allowHeaders: ['*', 'x-a'],
      exposeHeaders: ['a:b'],
    };
    assert.equal(cors.decode(settings, 'c', { unsupported: (path) => paths.push(path) }), null);
    assert.deepEqual(paths, ['c.allowOrigins[0]', 'c.allowMethods[1]', 'c.allowHeaders', 'c.exposeHeaders[0]']);
  });

  it('describes itself', () => {
    const text =
      'CORS: origins https://www.foo.com https://*.bar.com, methods GET, OPTIONS, headers x-header-1, x-header-2, ' +
      'exposes x-header-3, x-header-4, with credentials, preflights kept 3600 s';
    assert.equal(cors.describe(decode(FULL)), text);
    assert.equal(cors.describe(decode({})), 'CORS: origins none, preflights kept 5 s');
  });
});
