import assert from 'node:assert/strict';
import { isTemplate, PathTemplate, templateProblem } from './path-template.ts';

const MATCHES: readonly (readonly [template: string, path: string, matches: boolean])[] = [
  ['/foo/{*}', '/foo/bar', true],
  ['/foo/{*}', '/foo/bar/baz', false],
  ['/foo/{*}', '/foo/', false],
  ['/foo/{*}', '/foo', false],
  ['/foo/{**}', '/foo/bar', true],
  ['/foo/{**}', '/foo/bar/baz', true],
  ['/foo/{**}', '/foo/', true],
  ['/foo/{**}', '/foo', false],
  ['/foo/{**}', '/foobar', false],
  ['/foo/{**}/', '/foo/bar/', true],
  ['/foo/{**}/', '/foo//', true],
  ['/foo/{**}/', '/foo/bar', false],
  ['/foo/{**}/', '/foo/', false],
  ['/foo/{*}/bar/{**}', '/foo/buzz/bar/', true],
  ['/foo/{*}/bar/{**}', '/foo/buzz/bar/baz', true],
  ['/foo/{*}/bar/{**}', '/foo/bar/baz', false],
  ['/{*}/{*}', '/a/b', true],
  ['/{*}/{*}', '/a', false],
  ['/{*}/{*}', '//b', false],
  ['/{**}', '/', true],
  ['/{**}', '/a/b/c', true],
  ['/{*}/c', '/b/c', true],
  ['/{*}/c', '/b/d', false],
  ['/a/{**}/z', '/a/b/c/z', true],
  ['/a/{**}/z', '/a/z', false],
];

const PROBLEMS: readonly (readonly [template: string, problem: RegExp | null])[] = [
  ['/foo/{*}', null],
  ['/foo/{*}/bar/{**}', null],
  ['/foo/{**}/', null],
  ['/foo/{**}/bar', null],
  ['/*/baz/{*}', /"\*" is no segment/],
  ['/**/baz/{*}', /"\*\*" is no segment/],
  ['/{**}/foo/{*}', /last operator/],
  ['/{**}/{**}', /last operator/],
  ['/foo/{*}.txt', /"\{\*\}.txt" is no segment/],
  ['/{*}/foo/{bar}', /"\{bar\}" is no segment/],
  ['/{*}/{name=*}', /is no segment/],
  ['{*}/foo', /begin with \//],
  ['/{*}{*}', /is no segment/],
];

describe('path templates', () => {
  for (const [template, path, expected] of MATCHES) {
    it(`${path} ${expected ? 'is' : 'is not'} ${template}`, () => {
      assert.ok(isTemplate(template));
      assert.equal(templateProblem(template), null);
      assert.equal(new PathTemplate(template).matches(path), expected);
    });
  }

  for (const [template, expected] of PROBLEMS) {
    it(`${template} ${expected === null ? 'is sound' : 'is refused'}`, () => {
      const problem = templateProblem(template);
      if (expected === null) assert.equal(problem, null);
      else assert.match(problem ?? '', expected);
    });
  }

  it('takes no time for a path of slashes', () => {
    const template = new PathTemplate(`/${'{*}/'.repeat(50)}{**}/end`);
    assert.equal(template.matches('/'.repeat(8000)), false);
    assert.equal(template.matches('/a'.repeat(4000)), false);
  });
});
