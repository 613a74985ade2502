import assert from 'node:assert/strict';
import type { RouteMatch } from './condition.ts';
import type { HeadSample } from './sample-head.ts';
import { sampleHead, sampleMatch } from './sample-head.ts';
import type { RouteEntry } from './table.ts';
import { RouteTable } from './table.ts';

function route(name: string, matches: readonly RouteMatch[], hostnames: readonly string[] = []): RouteEntry<string> {
  const rules = matches.map((match, at) => ({ matches: [match], value: `${name}${at === 0 ? '' : at}` }));
  return { key: `HTTPRoute/shop/${name}`, kind: 'HTTPRoute', namespace: 'shop', name, createdAt: 1, hostnames, rules };
}

function table(...routes: RouteEntry<string>[]): RouteTable<string> {
  return RouteTable.empty<string>().with(routes, []);
}

type Row = readonly [name: string, head: HeadSample, expected: string | null];

function check(title: string, subject: RouteTable<string>, rows: readonly Row[]): void {
  describe(title, () => {
    for (const [name, head, expected] of rows) {
      it(`${name}: ${expected ?? 'no route'}`, () => {
        assert.equal(subject.find(sampleHead(head))?.value ?? null, expected);
        const explained = [...subject.explain(sampleHead(head))].find(({ mismatch }) => mismatch === null);
        assert.equal(explained?.candidate.value ?? null, expected);
      });
    }
  });
}

describe('RouteTable', () => {
  check(
    'paths',
    table(
      route('prefix', [sampleMatch('/abc')]),
      route('slashed', [sampleMatch('/slashed/')]),
      route('deep', [sampleMatch('/abc/d/e')]),
      route('exact', [sampleMatch('=/abc/exact'), sampleMatch('=/two')]),
      route('pattern', [sampleMatch('~/abc/[0-9]+')]),
      route('case', [sampleMatch('/Case')]),
    ),
    [
      ['the prefix itself', { path: '/abc' }, 'prefix'],
      ['with a slash', { path: '/abc/' }, 'prefix'],
      ['below it', { path: '/abc/d' }, 'prefix'],
      ['not in the middle of an element', { path: '/abcd' }, null],
      ['not a part of it', { path: '/ab' }, null],
      ['the slash of the prefix does not count', { path: '/slashed' }, 'slashed'],
      ['nor below', { path: '/slashed/x' }, 'slashed'],
      ['the longest', { path: '/abc/d/e/f' }, 'deep'],
      ['exact', { path: '/abc/exact' }, 'exact'],
      ['exact is exact', { path: '/abc/exact/' }, 'prefix'],
      ['exact second rule', { path: '/two' }, 'exact1'],
      ['exact with a slash', { path: '/two/' }, null],
      ['pattern before prefix', { path: '/abc/12' }, 'pattern'],
      ['pattern on the whole path', { path: '/abc/12/x' }, 'prefix'],
      ['case counts', { path: '/case' }, null],
      ['an empty element', { path: '/abc//x' }, 'prefix'],
      ['the asterisk', { path: '*', method: 'OPTIONS' }, null],
      ['a name of Object', { path: '/__proto__/constructor' }, null],
      ['very long', { path: `/abc/${'x'.repeat(8000)}` }, 'prefix'],
      ['very deep', { path: '/abc'.repeat(2000) }, 'prefix'],
    ],
  );

  check(
    'hosts',
    table(
      route('any', [sampleMatch('/'), sampleMatch('/only-any')]),
      route('wide', [sampleMatch('/w')], ['*.example.com']),
      route('wider', [sampleMatch('/')], ['*.com']),
      route('exact', [sampleMatch('/e')], ['a.example.com', 'b.example.com']),
      route('deep', [sampleMatch('/w')], ['*.x.y.example.com']),
    ),
    [
      ['exact', { host: 'a.example.com', path: '/e' }, 'exact'],
      ['the other exact', { host: 'B.example.com:8080', path: '/e' }, 'exact'],
      ['falls through to the wildcard', { host: 'a.example.com', path: '/w' }, 'wide'],
      ['falls through to the shorter wildcard', { host: 'a.example.com', path: '/only-any' }, 'wider'],
      ['a wildcard covers several labels', { host: 'c.b.example.com', path: '/w' }, 'wide'],
      ['the longest wildcard', { host: 'q.x.y.example.com', path: '/w' }, 'deep'],
      ['not the bare domain', { host: 'x.y.example.com', path: '/w' }, 'wide'],
      ['nor here', { host: 'example.com', path: '/w' }, 'wider'],
      ['any', { host: 'example.org', path: '/e' }, 'any'],
      ['no host', { path: '/only-any' }, 'any1'],
      ['the suffix alone', { host: 'com', path: '/' }, 'any'],
      ['very many labels', { host: `${'a.'.repeat(120)}example.com`, path: '/w' }, 'wide'],
    ],
  );

  check(
    'conditions',
    table(
      route('get', [sampleMatch('/m', 'GET')]),
      route('lower', [sampleMatch('/m', 'get')]),
      route('v2', [sampleMatch('/h', null, [['version', 'two']])]),
      route('list', [sampleMatch('/h', null, [['version', 'a,b']])]),
      route('both', [
        sampleMatch('/h', null, [
          ['version', 'two'],
          ['Color', 'red'],
          ['color', 'never'],
        ]),
      ]),
      route('proto', [sampleMatch('/h', null, [['__proto__', 'x']])]),
      route('like', [sampleMatch('/h', null, [['agent', '~curl/.*']])]),
      route('query', [sampleMatch('/q', null, [], [['animal', 'whale']])]),
      route('query-case', [sampleMatch('/q', null, [], [['Animal', 'whale']])]),
      route('query-like', [sampleMatch('/q', null, [], [['id', '~[0-9]+']])]),
      route('query-two', [
        sampleMatch(
          '/q',
          null,
          [],
          [
            ['animal', 'whale'],
            ['id', '~[0-9]+'],
          ],
        ),
      ]),
      route('broken', [sampleMatch('~/(', null), sampleMatch('/broken', null, [['a', '~(']])]),
    ),
    [
      ['method', { path: '/m' }, 'get'],
      ['method by case', { path: '/m', method: 'get' }, 'lower'],
      ['GET is not HEAD', { path: '/m', method: 'HEAD' }, null],
      ['header', { path: '/h', headers: [['Version', 'two']] }, 'v2'],
      ['header value by case', { path: '/h', headers: [['version', 'Two']] }, null],
      ['header absent', { path: '/h' }, null],
      [
        'repeated header',
        {
          path: '/h',
          headers: [
            ['version', 'a'],
            ['VERSION', 'b'],
          ],
        },
        'list',
      ],
      [
        'first of equivalent names',
        {
          path: '/h',
          headers: [
            ['version', 'two'],
            ['color', 'red'],
          ],
        },
        'both',
      ],
      ['__proto__', { path: '/h', headers: [['__proto__', 'x']] }, 'proto'],
      ['header pattern', { path: '/h', headers: [['agent', 'curl/8']] }, 'like'],
      ['header pattern on the whole value', { path: '/h', headers: [['agent', 'libcurl/8']] }, null],
      ['query', { path: '/q', query: 'animal=whale' }, 'query'],
      ['query name by case', { path: '/q', query: 'Animal=whale' }, 'query-case'],
      ['first of a repeated parameter', { path: '/q', query: 'animal=dog&animal=whale' }, null],
      ['query escaped', { path: '/q', query: '%61nimal=%77hale' }, 'query'],
      ['query pattern', { path: '/q', query: 'x=1&id=42' }, 'query-like'],
      ['query pattern on the whole value', { path: '/q', query: 'id=42x' }, null],
      ['more parameters', { path: '/q', query: 'id=1&animal=whale' }, 'query-two'],
      ['a broken pattern matches nothing', { path: '/(', headers: [['a', '(']] }, null],
      ['nor in a header', { path: '/broken', headers: [['a', '(']] }, null],
    ],
  );

  it('says which candidate it found', () => {
    const entry = route('r', [sampleMatch('=/x'), sampleMatch('/a/', 'GET')], ['*.com']);
    const found = table(entry).find(sampleHead({ host: 'a.com', path: '/a/b' }));
    assert.ok(found);
    const { hostname, ruleIndex, matchIndex, prefix, value } = found;
    assert.deepEqual([hostname, ruleIndex, matchIndex, prefix, value], ['*.com', 1, 0, '/a', 'r1']);
    assert.equal(found.entry, entry);
    assert.equal(found.match, entry.rules[1]?.matches[0]);
    assert.equal(table(entry).find(sampleHead({ host: 'a.com', path: '/x' }))?.prefix, null);
  });

  it('explains each candidate in order', () => {
    const subject = table(
      route('host', [sampleMatch('=/a')], ['b.com']),
      route('path', [sampleMatch('=/b')]),
      route('method', [sampleMatch('/a', 'POST')]),
      route('header', [
        sampleMatch('/a', null, [
          ['x', '1'],
          ['y', '~2|3'],
        ]),
      ]),
      route('query', [sampleMatch('/a', null, [['x', '1']], [['q', '1']])]),
      route('won', [sampleMatch('/a')]),
      route('late', [sampleMatch('/')]),
    );
    const head = sampleHead({
      host: 'a.com',
      path: '/a',
      headers: [
        ['X', '1'],
        ['Y', '4'],
      ],
    });
    const explained = [...subject.explain(head)].map(({ candidate, mismatch }) => [
      candidate.value,
      mismatch && `${mismatch.which} ${mismatch.name}: ${mismatch.wanted}, got ${mismatch.got}`,
    ]);
    assert.deepEqual(explained, [
      ['host', 'hostname null: b.com, got a.com'],
      ['path', 'path null: Exact /b, got /a'],
      ['method', 'method null: POST, got GET'],
      ['header', 'header y: RegularExpression 2|3, got 4'],
      ['query', 'query q: Exact 1, got null'],
      ['won', null],
      ['late', null],
    ]);
  });

  it('sees fields edited between two look-ups', () => {
    const subject = table(route('r', [sampleMatch('/', null, [['x', '1']], [['q', '1']])]));
    const head = sampleHead({ headers: [['x', '1']], query: 'q=1' });
    assert.equal(subject.find(head)?.value, 'r');
    head.fields.remove('x');
    assert.equal(subject.find(head), null);
  });

  it('is itself when nothing changes, and empty when everything is removed', () => {
    const entry = route('r', [sampleMatch('/'), sampleMatch('=/x'), sampleMatch('~/y')], ['a.com', '*.a.com', 'a.com']);
    const subject = table(entry);
    assert.equal(subject.with([entry], ['HTTPRoute/shop/unknown']), subject);
    assert.equal(subject.with([], []), subject);
    const emptied = subject.with([], [entry.key]);
    assert.deepEqual(emptied, RouteTable.empty());
    assert.equal(emptied.find(sampleHead({ host: 'a.com' })), null);
    assert.equal(subject.find(sampleHead({ host: 'a.com' }))?.value, 'r');
  });

  it('replaces a route that is removed and added, or added twice, at once', () => {
    const [one, two] = [route('r', [sampleMatch('/one')]), route('r', [sampleMatch('/two')])];
    for (const subject of [table(one).with([two], [one.key]), table(one, two), table(two).with([one, two], [])]) {
      assert.equal(subject.find(sampleHead({ path: '/one' })), null);
      assert.equal(subject.find(sampleHead({ path: '/two' }))?.value, 'r');
      assert.equal([...subject.explain(sampleHead({}))].length, 1);
    }
  });
});
