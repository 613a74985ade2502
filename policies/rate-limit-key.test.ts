import assert from 'node:assert/strict';
import { filterContext, requestHead } from '../test/harness/heads.ts';
import { type KeyPart, rateLimitKey } from './rate-limit-key.ts';

const CONTEXT = filterContext(
  requestHead({
    method: 'PUT',
    path: '/a/b',
    query: 'user=%41nn&user=Bob',
    headers: [
      ['X-Tenant', 'one'],
      ['x-tenant', 'two'],
      ['cookie', 'sid=1; other=x=y;  last='],
      ['cookie', 'late=3'],
    ],
  }),
);

const CASES: readonly (readonly [source: KeyPart['source'], name: string, key: string])[] = [
  ['header', 'x-tenant', 'one,two'],
  ['header', 'x-absent', ''],
  ['cookie', 'sid', '1'],
  ['cookie', 'other', 'x=y'],
  ['cookie', 'last', ''],
  ['cookie', 'late', '3'],
  ['cookie', 'id', ''],
  ['cookie', 'si', ''],
  ['cookie', 'SID', ''],
  ['query', 'user', 'Ann'],
  ['query', 'absent', ''],
  ['sourceIP', '', '127.0.0.1'],
  ['method', '', 'PUT'],
  ['path', '', '/a/b'],
];

describe('rate limit key', () => {
  for (const [source, name, key] of CASES) {
    it(`${source} ${name} is "${key}"`, () => {
      assert.equal(rateLimitKey([{ source, name }], CONTEXT), key);
    });
  }

  it('is empty without parts', () => {
    assert.equal(rateLimitKey([], CONTEXT), '');
  });

  it('keeps its parts apart', () => {
    const parts = ['a', 'b'].map((name): KeyPart => ({ source: 'header', name }));
    const keys = [
      ['x', 'yz'],
      ['xy', 'z'],
      ['1:x', ''],
      ['', '1:x'],
      ['x', ''],
      ['', 'x'],
    ].map(([a, b]) => {
      const head = requestHead({
        headers: [
          ['a', a!],
          ['b', b!],
        ],
      });
      return rateLimitKey(parts, filterContext(head));
    });
    assert.equal(new Set(keys).size, keys.length);
  });
});
