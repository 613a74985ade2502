import assert from 'node:assert/strict';
import fc from 'fast-check';
import { normalisePath, type PathLevel } from '../routing/path.ts';
import { checkHostname, decodePathEdit, describePathEdit, editPath, type PathEdit } from './path-edit.ts';

const PREFIXED: readonly (readonly [
  path: string,
  prefix: string | null,
  replacement: string,
  expected: string | null,
])[] = [
  // The table of HTTPPathModifier in the Gateway API; a prefix reaches a filter without its trailing '/'.
  ['/foo/bar', '/foo', '/xyz', '/xyz/bar'],
  ['/foo/bar', '/foo', '/xyz/', '/xyz/bar'],
  ['/foo', '/foo', '/xyz', '/xyz'],
  ['/foo/', '/foo', '/xyz', '/xyz/'],
  ['/foo/bar', '/foo', '', '/bar'],
  ['/foo/', '/foo', '', '/'],
  ['/foo', '/foo', '', '/'],
  ['/foo/', '/foo', '/', '/'],
  ['/foo', '/foo', '/', '/'],
  // Every path has the prefix '/'.
  ['/', '/', '/xyz', '/xyz'],
  ['/bar', '/', '/xyz', '/xyz/bar'],
  ['/bar', '/', '/', '/bar'],
  ['/bar/', '/', '', '/bar/'],
  // Nothing to replace.
  ['/foo/bar', null, '/xyz', '/foo/bar'],
  ['*', '/', '/xyz', '*'],
  // A listener that normalises nothing.
  ['/foo//evil.test', '/foo', '', '/evil.test'],
  ['/foo///evil.test', '/foo', '/', '/evil.test'],
  ['/foo/\\evil.test', '/foo', '', '/evil.test'],
  ['/foo/../admin', '/foo', '', null],
  ['/foo/%2e%2E/admin', '/foo', '', null],
  ['/foo/../admin', '/foo', '/xyz', '/admin'],
  ['/foo/./a', '/foo', '', '/a'],
  ['/foo/a/..//evil.test', '/foo', '', '/evil.test'],
  ['/foo/.well-known', '/foo', '', '/.well-known'],
  ['/foo/..;/a', '/foo', '', '/..;/a'],
];

const DECODED: readonly (readonly [name: string, settings: object, expected: PathEdit | string])[] = [
  ['full path', { type: 'ReplaceFullPath', replaceFullPath: '/a/b' }, { type: 'ReplaceFullPath', value: '/a/b' }],
  ['empty full path', { type: 'ReplaceFullPath', replaceFullPath: '' }, { type: 'ReplaceFullPath', value: '/' }],
  ['escapes', { type: 'ReplaceFullPath', replaceFullPath: '/%C3%A9' }, { type: 'ReplaceFullPath', value: '/%C3%A9' }],
  ['prefix', { type: 'ReplacePrefixMatch', replacePrefixMatch: '/a/' }, { type: 'ReplacePrefixMatch', value: '/a' }],
  ['empty prefix', { type: 'ReplacePrefixMatch', replacePrefixMatch: '' }, { type: 'ReplacePrefixMatch', value: '' }],
  ['unknown type', { type: 'ReplaceRegex' }, 'path.type'],
  ['value of the other type', { type: 'ReplaceFullPath', replacePrefixMatch: '/a' }, 'path.replaceFullPath'],
  ['no slash', { type: 'ReplaceFullPath', replaceFullPath: 'a' }, 'path.replaceFullPath'],
  ['line break', { type: 'ReplaceFullPath', replaceFullPath: '/a\r\nx: y' }, 'path.replaceFullPath'],
  ['blank', { type: 'ReplacePrefixMatch', replacePrefixMatch: '/a b' }, 'path.replacePrefixMatch'],
  ['a letter whose low byte is LF', { type: 'ReplaceFullPath', replaceFullPath: '/\u010a' }, 'path.replaceFullPath'],
  ['query', { type: 'ReplaceFullPath', replaceFullPath: '/a?b' }, 'path.replaceFullPath'],
  ['fragment', { type: 'ReplaceFullPath', replaceFullPath: '/a#b' }, 'path.replaceFullPath'],
  ['half an escape', { type: 'ReplaceFullPath', replaceFullPath: '/%4' }, 'path.replaceFullPath'],
  ['another server', { type: 'ReplaceFullPath', replaceFullPath: '//evil.test' }, 'path.replaceFullPath'],
  ['dot segment', { type: 'ReplacePrefixMatch', replacePrefixMatch: '/a/..' }, 'path.replacePrefixMatch'],
  ['escaped dot segment', { type: 'ReplacePrefixMatch', replacePrefixMatch: '/.%2E/a' }, 'path.replacePrefixMatch'],
  ['escaped slash', { type: 'ReplacePrefixMatch', replacePrefixMatch: '/a%2Fb' }, 'path.replacePrefixMatch'],
];

describe('path edit', () => {
  for (const [path, prefix, replacement, expected] of PREFIXED) {
    it(`${path}, prefix ${prefix ?? 'none'}, replaced by "${replacement}": ${expected ?? 'refused'}`, () => {
      const settings = { type: 'ReplacePrefixMatch', replacePrefixMatch: replacement };
      const edit = decodePathEdit(settings, '', { unsupported: assert.fail });
      assert.equal(editPath(edit, path, prefix), expected);
    });
  }

  it('replaces a full path whatever matched', () => {
    assert.equal(editPath({ type: 'ReplaceFullPath', value: '/x' }, '/foo/bar', '/foo'), '/x');
    assert.equal(editPath({ type: 'ReplaceFullPath', value: '/x' }, '/foo/bar', null), '/x');
  });

  for (const [name, settings, expected] of DECODED) {
    it(`decodes: ${name}`, () => {
      const paths: string[] = [];
      const edit = decodePathEdit(settings, 'path', { unsupported: (path) => paths.push(path) });
      assert.deepEqual([edit, paths], typeof expected === 'string' ? [null, [expected]] : [expected, []]);
    });
  }

  it('never yields another authority, a dot segment or a line break', () => {
    const piece = fc.constantFrom(
      '/',
      '//',
      '.',
      '..',
      '%2e',
      '%2F',
      '\\',
      'foo',
      'a',
      ';',
      '%0d%0a',
      '%',
      '\r\n',
      '\u010a',
      ' ',
    );
    const text = fc.array(piece, { maxLength: 8 }).map((parts) => `/${parts.join('')}`);
    const level = fc.constantFrom<PathLevel[]>('none', 'base', 'merge-slashes', 'decode-and-merge');
    fc.assert(
      fc.property(text, text, fc.constantFrom('', '/foo'), level, (raw, replacement, prefix, pathLevel) => {
        const path = normalisePath(prefix + raw, pathLevel);
        const settings = { type: 'ReplacePrefixMatch', replacePrefixMatch: replacement };
        const edit = decodePathEdit(settings, '', { unsupported: () => undefined });
        if (path === null || edit === null || !path.startsWith(`${prefix}/`)) return;
        const edited = editPath(edit, path, prefix || '/');
        if (edited === null) return;
        assert.match(edited, /^\/(?![/\\])[!-~\x80-\xff]*$/);
        assert.doesNotMatch(edited, /\/(?:\.|%2e){1,2}(?:\/|$)/i);
      }),
      { numRuns: 2000 },
    );
  });

  it('takes host names only', () => {
    const sound = (hostname: string | undefined) =>
      checkHostname(hostname, 'hostname', { unsupported: () => undefined });
    for (const name of [undefined, 'shop.test', 'a', 'a-b.c1']) assert.ok(sound(name), String(name));
    for (const name of ['', 'a:80', '*.test', 'Shop.test', 'a..b', '-a', 'a_b', 'a/b', 'a\r\nx', 'a@b']) {
      assert.equal(sound(name), false, name);
    }
  });

  it('describes itself', () => {
    assert.equal(describePathEdit({ type: 'ReplaceFullPath', value: '/x' }), 'path becomes /x');
    assert.equal(describePathEdit({ type: 'ReplacePrefixMatch', value: '' }), 'matched prefix becomes /');
  });
});
