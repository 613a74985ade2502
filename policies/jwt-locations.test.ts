import assert from 'node:assert/strict';
import { requestHead } from '../test/harness/heads.ts';
import type { TokenLocation } from './authentication.ts';
import { findToken, removeToken, SEVERAL_TOKENS } from './jwt-locations.ts';

type Lines = readonly (readonly [string, string])[];

const BEARER: TokenLocation = { in: 'header', name: 'authorization', prefix: 'Bearer ' };
const BARE: TokenLocation = { in: 'header', name: 'x-token', prefix: '' };
const QUERY: TokenLocation = { in: 'query', name: 'access_token' };
const COOKIE: TokenLocation = { in: 'cookie', name: 'session' };

describe('a token in a header', () => {
  const cases: readonly (readonly [name: string, location: TokenLocation, lines: Lines, expected: string | null])[] = [
    ['behind its scheme', BEARER, [['Authorization', 'Bearer a.b.c']], 'a.b.c'],
    ['whose scheme is lower-case', BEARER, [['authorization', 'bearer a.b.c']], 'a.b.c'],
    ['whose scheme is upper-case', BEARER, [['authorization', 'BEARER a.b.c']], 'a.b.c'],
    ['behind two blanks', BEARER, [['authorization', 'Bearer  a.b.c']], 'a.b.c'],
    ['behind a tab', BEARER, [['authorization', 'Bearer\ta.b.c']], 'a.b.c'],
    ['with the scheme twice', BEARER, [['authorization', 'Bearer Bearer a.b.c']], 'Bearer a.b.c'],
    ['none at all', BEARER, [], null],
    ['of another scheme', BEARER, [['authorization', 'Basic YTpi']], null],
    ['of a scheme that begins alike', BEARER, [['authorization', 'BearerX a.b.c']], null],
    ['the scheme alone', BEARER, [['authorization', 'Bearer']], null],
    [
      'in two fields, the same',
      BEARER,
      [
        ['authorization', 'Bearer a'],
        ['Authorization', 'bearer a'],
      ],
      'a',
    ],
    [
      'in two fields, different',
      BEARER,
      [
        ['authorization', 'Bearer a'],
        ['authorization', 'Bearer b'],
      ],
      SEVERAL_TOKENS,
    ],
    [
      'in the second of two fields',
      BEARER,
      [
        ['authorization', 'Basic x'],
        ['authorization', 'Bearer b'],
      ],
      'b',
    ],
    ['in one field, two of them', BEARER, [['authorization', 'Bearer a, Bearer b']], 'a, Bearer b'],
    ['without a prefix', BARE, [['X-Token', 'a.b.c']], 'a.b.c'],
    ['empty', BARE, [['x-token', '']], ''],
    ['with a prefix of its own', { in: 'header', name: 'x-a', prefix: 'Token=' }, [['x-a', 'token=a']], 'a'],
  ];
  for (const [name, location, headers, expected] of cases) {
    it(name, () => assert.equal(findToken(location, requestHead({ headers })), expected));
  }
});

describe('a token in the query', () => {
  const cases: readonly (readonly [query: string, expected: string | null])[] = [
    ['', null],
    ['a=b', null],
    ['access_token=a.b.c', 'a.b.c'],
    ['x=1&access_token=a.b.c&y=2', 'a.b.c'],
    ['access%5Ftoken=a.b.c', 'a.b.c'],
    ['access_token=a%2Eb', 'a.b'],
    ['access_token=a&access_token=a', 'a'],
    ['access_token=a&access_token=b', SEVERAL_TOKENS],
    ['access_token=a&access%5ftoken=b', SEVERAL_TOKENS],
    ['access_token=a&access_token=', SEVERAL_TOKENS],
    ['access_token', ''],
    ['Access_Token=a', null],
    ['xaccess_token=a', null],
  ];
  for (const [query, expected] of cases) {
    it(`?${query}`, () => assert.equal(findToken(QUERY, requestHead({ query })), expected));
  }
});

describe('a token in a cookie', () => {
  const cases: readonly (readonly [lines: readonly string[], expected: string | null])[] = [
    [[], null],
    [['a=b'], null],
    [['session=a.b.c'], 'a.b.c'],
    [['x=1; session=a.b.c; y=2'], 'a.b.c'],
    [['x=1;session=a.b.c'], 'a.b.c'],
    [['session="a.b.c"'], 'a.b.c'],
    [['x=1', 'session=a'], 'a'],
    [['session=a; session=a'], 'a'],
    [['session=a; session=b'], SEVERAL_TOKENS],
    [['session=a', 'session=b'], SEVERAL_TOKENS],
    [['xsession=a; sessionx=b; x=session=c'], null],
    [['session'], null],
    [['session='], ''],
    [['Session=a'], null],
  ];
  for (const [lines, expected] of cases) {
    it(lines.join(' | '), () => {
      const head = requestHead({ headers: lines.map((line) => ['cookie', line]) });
      assert.equal(findToken(COOKIE, head), expected);
    });
  }
});

describe('taking a token out', () => {
  const headers: readonly (readonly [name: string, location: TokenLocation, before: Lines, after: Lines])[] = [
    [
      'of its header',
      BEARER,
      [
        ['authorization', 'Bearer a'],
        ['x', 'y'],
      ],
      [['x', 'y']],
    ],
    [
      'of every line',
      BEARER,
      [
        ['authorization', 'Bearer a'],
        ['Authorization', 'bearer a'],
      ],
      [],
    ],
    [
      'leaves other schemes',
      BEARER,
      [
        ['authorization', 'Basic x'],
        ['authorization', 'Bearer a'],
      ],
      [['authorization', 'Basic x']],
    ],
    ['leaves a header without', BEARER, [['authorization', 'Basic x']], [['authorization', 'Basic x']]],
    ['of a header of its own', BARE, [['X-Token', 'a']], []],
    ['of the only cookie', COOKIE, [['cookie', 'session=a']], []],
    ['leaves other cookies', COOKIE, [['cookie', 'x=1; session=a; y=2']], [['cookie', 'x=1; y=2']]],
    ['of the first cookie', COOKIE, [['cookie', 'session=a; y=2']], [['cookie', 'y=2']]],
    [
      'of each line of cookies',
      COOKIE,
      [
        ['cookie', 'x=1'],
        ['cookie', 'session=a'],
        ['cookie', 'session=a; y=2'],
      ],
      [
        ['cookie', 'x=1'],
        ['cookie', 'y=2'],
      ],
    ],
    ['leaves cookies without', COOKIE, [['Cookie', 'x=session; y']], [['Cookie', 'x=session; y']]],
  ];
  for (const [name, location, before, after] of headers) {
    it(name, () => {
      const head = requestHead({ headers: before });
      removeToken(location, head);
      assert.deepEqual(head.fields.entries(), after);
      assert.equal(head.forwardQuery, null);
    });
  }

  const queries: readonly (readonly [before: string, after: string | null])[] = [
    ['', null],
    ['a=b', null],
    ['access_token=a', ''],
    ['access_token=a&b=%20+c', 'b=%20+c'],
    ['b&access_token=a', 'b'],
    ['b&access%5ftoken=a&&access_token&c', 'b&&c'],
  ];
  for (const [before, after] of queries) {
    it(`of ?${before}`, () => {
      const head = requestHead({ query: before });
      removeToken(QUERY, head);
      assert.equal(head.forwardQuery, after);
      assert.equal(head.query, before, 'what was matched and is logged stays');
    });
  }

  it('of two parameters', () => {
    const head = requestHead({ query: 'access_token=a&b=c&token=a' });
    removeToken(QUERY, head);
    removeToken({ in: 'query', name: 'token' }, head);
    assert.equal(head.forwardQuery, 'b=c');
  });
});
