import assert from 'node:assert/strict';
import { filterContext, requestHead } from '../test/harness/heads.ts';
import { urlRewrite } from './url-rewrite.ts';

type Outcome = { readonly path: string | null; readonly authority: string | null };

const full = (value: string) => ({ path: { type: 'ReplaceFullPath', replaceFullPath: value } });
const prefix = (value: string) => ({ path: { type: 'ReplacePrefixMatch', replacePrefixMatch: value } });

const CASES: readonly (readonly [
  name: string,
  settings: object,
  path: string,
  matched: string | null,
  outcome: Outcome,
])[] = [
  ['nothing', {}, '/a', '/a', { path: null, authority: null }],
  ['host', { hostname: 'one.example.org' }, '/a', '/a', { path: null, authority: 'one.example.org' }],
  ['full path', full('/one'), '/full/two', '/full', { path: '/one', authority: null }],
  ['prefix', prefix('/one'), '/prefix/two', '/prefix', { path: '/one/two', authority: null }],
  ['strip prefix', prefix('/'), '/strip-prefix', '/strip-prefix', { path: '/', authority: null }],
  ['strip prefix, deeper', prefix('/'), '/strip-prefix/three', '/strip-prefix', { path: '/three', authority: null }],
  ['both', { hostname: 'b', ...full('/x') }, '/a', null, { path: '/x', authority: 'b' }],
];

describe('url rewrite', () => {
  for (const [name, settings, path, matchedPrefix, outcome] of CASES) {
    it(name, () => {
      const filter = urlRewrite.decode(settings, 'f', { unsupported: assert.fail })!;
      const head = requestHead({ path, query: 'a=b' });
      assert.equal(urlRewrite.request!(filter, filterContext(head, { matchedPrefix })), null);
      assert.deepEqual({ path: head.forwardPath, authority: head.forwardAuthority }, outcome);
      assert.deepEqual([head.path, head.query, head.authority], [path, 'a=b', 'shop.test']);
    });
  }

  it('answers 400 where the rest would climb above the root', () => {
    const filter = urlRewrite.decode(prefix('/'), 'f', { unsupported: assert.fail })!;
    const head = requestHead({ path: '/app/../admin' });
    const reply = urlRewrite.request!(filter, filterContext(head, { matchedPrefix: '/app' }));
    assert.deepEqual([reply?.status, head.forwardPath], [400, null]);
  });

  it('refuses what it cannot write', () => {
    const paths: string[] = [];
    const report = { unsupported: (path: string) => paths.push(path) };
    assert.equal(urlRewrite.decode({ hostname: 'a:80' }, 'f', report), null);
    assert.equal(urlRewrite.decode(full('//x'), 'f', report), null);
    assert.deepEqual(paths, ['f.hostname', 'f.path.replaceFullPath']);
  });

  it('describes itself', () => {
    const filter = urlRewrite.decode({ hostname: 'b', ...prefix('/x') }, 'f', { unsupported: assert.fail })!;
    assert.equal(urlRewrite.describe(filter), 'URLRewrite: host becomes b, matched prefix becomes /x');
  });
});
