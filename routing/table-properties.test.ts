import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { RouteMatch } from './condition.ts';
import type { RequestHead } from './request.ts';
import { sampleHead, sampleMatch } from './sample-head.ts';
import type { RouteEntry } from './table.ts';
import { RouteTable } from './table.ts';

type Entry = RouteEntry<string>;

const paths = fc.constantFrom(
  '/',
  '/a',
  '/a/',
  '/a/b',
  '/a/b/c',
  '/ab',
  '=/',
  '=/a',
  '=/a/b',
  '~/a.*',
  '~/a/[bc]',
  '~/.b',
  '~.*',
);
const values = fc.uniqueArray(
  fc.constantFrom(['x', '1'], ['x', '~[12]'], ['y', '1'], ['X', '2']) as fc.Arbitrary<[string, string]>,
  { maxLength: 2 },
);
const varied: fc.Arbitrary<RouteMatch> = fc
  .tuple(paths, fc.constantFrom(null, null, 'GET', 'POST'), values, values)
  .map(([path, method, headers, query]) => sampleMatch(path, method, headers, query));
// Half of them alike, so that ties are decided too.
const matches = fc.oneof(varied, fc.constantFrom(sampleMatch('/'), sampleMatch('/a'), sampleMatch('~/a.*')));
const hostnames = fc.oneof(
  fc.constant<string[]>([]),
  fc.uniqueArray(fc.constantFrom('a.com', 'b.a.com', '*.a.com', '*.b.a.com', '*.com', 'com'), { maxLength: 2 }),
);

let serial = 0;

function nextValue(): string {
  serial += 1;
  return `value-${serial}`;
}

const entries: fc.Arbitrary<Entry> = fc
  .record({
    name: fc.constantFrom('r1', 'r2', 'r3', 'r4', 'r5', 'r6'),
    namespace: fc.constantFrom('n', 'n-m'),
    createdAt: fc.integer({ min: 1, max: 2 }),
    hostnames,
    rules: fc.array(fc.array(matches, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 2 }),
  })
  .map(({ name, namespace, createdAt, hostnames, rules }) => ({
    key: `HTTPRoute/${namespace}/${name}`,
    kind: 'HTTPRoute',
    namespace,
    name,
    createdAt,
    hostnames,
    rules: rules.map((list) => ({ matches: list, value: nextValue() })),
  }));

const heads = fc
  .record({
    method: fc.constantFrom('GET', 'POST'),
    host: fc.constantFrom('a.com', 'b.a.com', 'c.b.a.com', 'com', 'x.com', 'org', ''),
    path: fc.constantFrom('/', '/a', '/a/', '/a/b', '/a/b/c', '/a/b/c/d', '/ab', '/abc', '//a', '/a//b', '*'),
    headers: fc.array(fc.constantFrom(['X', '1'], ['x', '2'], ['y', '1']) as fc.Arbitrary<[string, string]>, {
      maxLength: 2,
    }),
    query: fc.constantFrom('', 'x=1', 'x=2', 'X=2&y=1', 'x=1&y=1', 'x=3&x=1'),
  })
  .map(sampleHead);

/** The specification read aloud: every match of every route in order of precedence, the first that fits. */
function slowFind(list: readonly Entry[], head: RequestHead): string | null {
  const all = list.flatMap((entry) =>
    (entry.hostnames.length === 0 ? [null] : entry.hostnames).flatMap((hostname) =>
      entry.rules.flatMap((rule, ruleIndex) =>
        rule.matches.map((match, matchIndex) => ({
          rule,
          match,
          rank: rank(entry, hostname, match, ruleIndex, matchIndex),
          hostname,
        })),
      ),
    ),
  );
  all.sort((a, b) => compareRanks(a.rank, b.rank));
  const found = all.find(({ hostname, match }) => slowHost(hostname, head.host) && slowMatch(match, head));
  return found?.rule.value ?? null;
}

type Rank = readonly (number | string)[];

function rank(entry: Entry, hostname: string | null, match: RouteMatch, ruleIndex: number, matchIndex: number): Rank {
  const names = (list: readonly { name: string }[], fold: (name: string) => string) =>
    new Set(list.map(({ name }) => fold(name))).size;
  const exactHost = hostname !== null && !hostname.startsWith('*');
  const path = match.path.value;
  return [
    exactHost ? -hostname.length : 0,
    hostname === null ? 0 : -hostname.length,
    ['Exact', 'RegularExpression', 'PathPrefix'].indexOf(match.path.type),
    -(match.path.type === 'PathPrefix' ? path.replace(/(.)\/$/, '$1') : path).length,
    match.method === null ? 1 : 0,
    -names(match.headers, (name) => name.toLowerCase()),
    -names(match.query, (name) => name),
    entry.createdAt,
    `${entry.namespace}/${entry.name}`,
    ruleIndex,
    matchIndex,
  ];
}

function compareRanks(a: Rank, b: Rank): number {
  for (const [at, left] of a.entries()) {
    const right = b[at] ?? 0;
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

function slowHost(pattern: string | null, host: string): boolean {
  return (
    pattern === null ||
    (pattern.startsWith('*')
      ? new RegExp(`^.+${pattern.slice(1).replaceAll('.', '\\.')}$`).test(host)
      : pattern === host)
  );
}

function slowMatch(match: RouteMatch, head: RequestHead): boolean {
  const { type, value } = match.path;
  const element = `${value.replace(/\/$/, '')}/`;
  const path =
    type === 'Exact'
      ? head.path === value
      : type === 'RegularExpression'
        ? new RegExp(`^(?:${value})$`).test(head.path)
        : `${head.path}/`.startsWith(element);
  const query = new URLSearchParams(head.query);
  return (
    path &&
    (match.method === null || match.method === head.method) &&
    slowValues(
      match.headers,
      (name) => name.toLowerCase(),
      (name) => head.fields.get(name),
    ) &&
    slowValues(
      match.query,
      (name) => name,
      (name) => query.get(name) ?? undefined,
    )
  );
}

function slowValues(
  list: RouteMatch['headers'],
  fold: (name: string) => string,
  get: (name: string) => string | undefined,
): boolean {
  const first = list.filter(({ name }, at) => list.findIndex((other) => fold(other.name) === fold(name)) === at);
  return first.every(({ name, type, value }) => {
    const got = get(fold(name));
    return got !== undefined && (type === 'Exact' ? got === value : new RegExp(`^(?:${value})$`).test(got));
  });
}

function byKey(list: readonly Entry[]): Entry[] {
  return [...new Map(list.map((entry) => [entry.key, entry])).values()];
}

describe('RouteTable, by property', () => {
  it('finds what a scan in order of precedence finds, and explains the same', () => {
    fc.assert(
      fc.property(
        fc.array(entries, { maxLength: 8 }),
        fc.array(heads, { minLength: 4, maxLength: 8 }),
        (list, requests) => {
          const table = RouteTable.empty<string>().with(list, []);
          for (const head of requests) {
            const expected = slowFind(byKey(list), head);
            assert.equal(table.find(head)?.value ?? null, expected);
            const explained = [...table.explain(head)].find(({ mismatch }) => mismatch === null);
            assert.equal(explained?.candidate.value ?? null, expected);
          }
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('is the same table whatever the edits that led to it', () => {
    const edit = fc.record({
      upserts: fc.array(entries, { maxLength: 3 }),
      removals: fc.array(fc.constantFrom('HTTPRoute/n/r1', 'HTTPRoute/n/r2', 'HTTPRoute/n/r3', 'HTTPRoute/n-m/r1'), {
        maxLength: 3,
      }),
    });
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 6 }), heads, (edits, head) => {
        let table = RouteTable.empty<string>();
        const state = new Map<string, Entry>();
        const before: { table: RouteTable<string>; order: readonly string[] }[] = [];
        for (const { upserts, removals } of edits) {
          before.push({ table, order: orderOf(table, head) });
          table = table.with(upserts, removals);
          for (const key of removals) state.delete(key);
          for (const entry of upserts) state.set(entry.key, entry);
        }
        const fresh = RouteTable.empty<string>().with(state.values(), []);
        assert.deepEqual(orderOf(table, head), orderOf(fresh, head));
        assert.equal(table.find(head)?.value, fresh.find(head)?.value);
        assert.deepEqual(table.with([], state.keys()), RouteTable.empty());
        for (const { table: old, order } of before) assert.deepEqual(orderOf(old, head), order);
      }),
      { numRuns: 1500 },
    );
  });
});

function orderOf(table: RouteTable<string>, head: RequestHead): string[] {
  return [...table.explain(head)].map(({ candidate, mismatch }) => {
    const { hostname, value, matchIndex } = candidate;
    return `${hostname} ${value} ${matchIndex} ${mismatch?.which}`;
  });
}
