import assert from 'node:assert/strict';
import type { RouteEntry } from './candidate.ts';
import { candidatesOf } from './candidate.ts';
import type { RouteMatch } from './condition.ts';
import { compareCandidates } from './precedence.ts';
import { sampleMatch } from './sample-head.ts';

interface Place {
  readonly hostname?: string;
  readonly createdAt?: number;
  readonly name?: string;
  readonly kind?: string;
}

function entry(match: RouteMatch, place: Place = {}): RouteEntry<null> {
  const { kind = 'HTTPRoute', name = 'shop/r', createdAt = 1 } = place;
  const [namespace = '', own = ''] = name.split('/');
  const hostnames = place.hostname === undefined ? [] : [place.hostname];
  return {
    key: `${kind}/${name}`,
    kind,
    namespace,
    name: own,
    createdAt,
    hostnames,
    rules: [{ matches: [match], value: null }],
  };
}

const A = [['a', '1']] as const;
const AB = [...A, ['b', '1']] as const;

// Each before the next, whatever is worth less differs the other way.
const PAIRS: readonly (readonly [name: string, first: RouteEntry<null>, second: RouteEntry<null>])[] = [
  [
    'an exact host',
    entry(sampleMatch('/'), { hostname: 'a.com' }),
    entry(sampleMatch('=/long', 'GET'), { hostname: '*.long.a.com' }),
  ],
  [
    'a longer host',
    entry(sampleMatch('/'), { hostname: '*.b.a.com' }),
    entry(sampleMatch('=/long'), { hostname: '*.a.com' }),
  ],
  ['a wildcard over any', entry(sampleMatch('/'), { hostname: '*.com' }), entry(sampleMatch('=/long'))],
  ['an exact path', entry(sampleMatch('=/a')), entry(sampleMatch('~/a.*', 'GET', AB))],
  ['a pattern', entry(sampleMatch('~.*')), entry(sampleMatch('/long/prefix', 'GET', AB))],
  ['a longer pattern', entry(sampleMatch('~/a.*')), entry(sampleMatch('~/a.', 'GET', AB))],
  ['a longer prefix', entry(sampleMatch('/ab')), entry(sampleMatch('/a', 'GET', AB))],
  ['a prefix without its last slash', entry(sampleMatch('/ab')), entry(sampleMatch('/a/', 'GET'))],
  ['a method', entry(sampleMatch('/', 'GET')), entry(sampleMatch('/', null, AB, AB))],
  ['more headers', entry(sampleMatch('/', null, AB)), entry(sampleMatch('/', null, A, AB))],
  [
    'more headers, equivalent names once',
    entry(sampleMatch('/', null, AB)),
    entry(sampleMatch('/', null, [...A, ['A', '2'], ['a', '3']], AB)),
  ],
  ['more parameters', entry(sampleMatch('/', null, A, A), { createdAt: 9 }), entry(sampleMatch('/', null, A))],
  [
    'the older',
    entry(sampleMatch('/'), { createdAt: 1, name: 'z/z' }),
    entry(sampleMatch('/'), { createdAt: 2, name: 'a/a' }),
  ],
  ['the first namespace', entry(sampleMatch('/'), { name: 'a/z' }), entry(sampleMatch('/'), { name: 'b/a' })],
  ['namespace/name as one text', entry(sampleMatch('/'), { name: 'a-b/a' }), entry(sampleMatch('/'), { name: 'a/a' })],
  ['the first name', entry(sampleMatch('/'), { name: 'a/a' }), entry(sampleMatch('/'), { name: 'a/b' })],
  ['the first kind', entry(sampleMatch('/'), { kind: 'GRPCRoute' }), entry(sampleMatch('/'))],
];

describe('compareCandidates', () => {
  for (const [name, first, second] of PAIRS) {
    it(`puts ${name} first`, () => {
      const [a] = candidatesOf(first);
      const [b] = candidatesOf(second);
      assert.ok(a && b);
      assert.ok(compareCandidates(a, b) < 0);
      assert.ok(compareCandidates(b, a) > 0);
      assert.equal(compareCandidates(a, a), 0);
    });
  }

  it('keeps the order of rules and of matches for what is equal otherwise', () => {
    const matches = [sampleMatch('/'), sampleMatch('/')];
    const written = candidatesOf({
      ...entry(sampleMatch('/')),
      rules: [
        { matches, value: null },
        { matches, value: null },
      ],
    });
    assert.deepEqual([...written].reverse().sort(compareCandidates), written);
  });
});
