import assert from 'node:assert/strict';
import fc from 'fast-check';
import { normalisePath } from './path.ts';
import { hasParameters, withoutParameters } from './path-parameters.ts';

const CASES: readonly (readonly [path: string, bare: string])[] = [
  ['/admin;x', '/admin'],
  ['/admin;a=b;c=d', '/admin'],
  ['/admin;a=b/users;c', '/admin/users'],
  ['/;/admin', '/admin'],
  ['/;a=b/;c/admin', '/admin'],
  ['/a/;', '/a/'],
  ['/;', '/'],
  ['/public/..;/admin', '/admin'],
  ['/public/..;a=b/admin', '/admin'],
  ['/..;/..;/admin', '/admin'],
  ['/a/b/..;', '/a/'],
  ['/a/.;/b', '/a/b'],
  ['/a/.;', '/a/'],
  ['/a/...;/b', '/a/.../b'],
  ['/a;b', '/a'],
  ['/a%3Bb;c', '/a%3Bb'],
  ['/a//b;c', '/a//b'],
];

describe('paths without parameters', () => {
  for (const [path, expected] of CASES) {
    it(`${path} is ${expected}`, () => {
      assert.ok(hasParameters(path));
      assert.equal(withoutParameters(path), expected);
    });
  }

  it('have none left, and are normal where the path was', () => {
    const piece = fc.constantFrom('a', 'admin', '..', '.', ';', ';x', '..;', '.;a', 'b;c=d', '%2e', '...');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const path = normalisePath(`/${pieces.join('/')}`, 'merge-slashes');
        if (path === null) return;
        const bare = withoutParameters(path);
        assert.ok(!hasParameters(bare), bare);
        assert.equal(normalisePath(bare, 'merge-slashes'), bare);
      }),
    );
  });

  it('are the paths themselves where there are none', () => {
    for (const path of ['/', '/a/b', '/a/', '/%3B']) assert.ok(!hasParameters(path));
  });
});
