import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { PathLevel } from './path.ts';
import { normalisePath } from './path.ts';

const LEVELS: readonly PathLevel[] = ['none', 'base', 'merge-slashes', 'decode-and-merge'];

// The published expectations of Istio (tests/integration/security/normalization_test.go), a column for each level.
const ISTIO: readonly (readonly [input: string, none: string, base: string, merge: string, decode: string])[] = [
  ['/', '/', '/', '/', '/'],
  ['/app#foo', '/app', '/app', '/app', '/app'],
  ['/app/', '/app/', '/app/', '/app/', '/app/'],
  ['/app/../admin', '/app/../admin', '/admin', '/admin', '/admin'],
  ['/app', '/app', '/app', '/app', '/app'],
  ['/app//', '/app//', '/app//', '/app/', '/app/'],
  ['/app/%2f', '/app/%2f', '/app/%2f', '/app/%2f', '/app/'],
  ['/app%2f/', '/app%2f/', '/app%2f/', '/app%2f/', '/app/'],
  ['/xyz%30..//abc', '/xyz%30..//abc', '/xyz0..//abc', '/xyz0../abc', '/xyz0../abc'],
  ['/app/%2E./admin', '/app/%2E./admin', '/admin', '/admin', '/admin'],
  ['/app\\admin', '/app\\admin', '/app/admin', '/app/admin', '/app/admin'],
  ['/app/\\/\\/\\admin', '/app/\\/\\/\\admin', '/app//////admin', '/app/admin', '/app/admin'],
  [
    '/%2Fapp%5cadmin%5Cabc',
    '/%2Fapp%5cadmin%5Cabc',
    '/%2Fapp%5cadmin%5Cabc',
    '/%2Fapp%5cadmin%5Cabc',
    '/app/admin/abc',
  ],
  [
    '/%5Capp%2f%5c%2F%2e%2e%2fadmin%5c\\abc',
    '/%5Capp%2f%5c%2F%2e%2e%2fadmin%5c\\abc',
    '/%5Capp%2f%5c%2F..%2fadmin%5c/abc',
    '/%5Capp%2f%5c%2F..%2fadmin%5c/abc',
    '/app/admin/abc',
  ],
  ['/app//../admin', '/app//../admin', '/app/admin', '/app/admin', '/app/admin'],
  ['/app//../../admin', '/app//../../admin', '/admin', '/admin', '/admin'],
];

const ISTIO_DECODED: readonly (readonly [input: string, expected: string])[] = [
  ['/%c0%2e%c0%2e/admin', '/%c0.%c0./admin'],
  ['/%c0%2fadmin', '/%c0/admin'],
];

const ISTIO_UNCHANGED: readonly string[] = [
  '/0x2e0x2e/admin',
  '/0x2e0x2e0x2fadmin',
  '/0x2e0x2e0x5cadmin',
  '/0x2f0x2fadmin',
  '/0x5c0x5cadmin',
  '/%25c0%25ae%25c1%259cadmin',
  '/%25c0%25ae%25c0%25ae/admin',
  '/%25c0%25afadmin',
  '/%25c1%259cadmin',
  '/%252e%252e/admin',
  '/%252e%252e%252fadmin',
  '/%c1%9cadmin',
  '/%c0%ae%c0%ae/admin',
  '/%c0%afadmin',
  '/.../admin',
  '/..../admin',
  '/..;/admin',
  '/;/admin',
  '/admin;a=b',
  '/admin;a=b/xyz',
  '/admin,a=b/xyz',
  '/Admin',
  '/ADMIN',
];

const OURS: readonly (readonly [input: string, level: PathLevel, expected: string | null])[] = [
  ['*', 'decode-and-merge', '*'],
  ['', 'none', null],
  ['admin', 'base', null],
  ['\\admin', 'decode-and-merge', null],
  ['%2fadmin', 'decode-and-merge', null],
  ['/..', 'base', null],
  ['/a/../..', 'merge-slashes', null],
  ['/%2e%2e/admin', 'base', null],
  ['/..%2fadmin', 'base', '/..%2fadmin'],
  ['/..%2fadmin', 'decode-and-merge', null],
  ['/..\\admin', 'base', null],
  ['/a/..', 'base', '/'],
  ['/a/.', 'base', '/a/'],
  ['/./a', 'base', '/a'],
  ['/.well-known/x', 'base', '/.well-known/x'],
  ['/a.b/c..d', 'base', '/a.b/c..d'],
  ['//', 'base', '//'],
  ['//', 'merge-slashes', '/'],
  ['///a///', 'merge-slashes', '/a/'],
  ['/#/../admin', 'decode-and-merge', '/'],
  ['/#', 'none', '/'],
  ['/%', 'base', null],
  ['/%a', 'merge-slashes', null],
  ['/%ax', 'decode-and-merge', null],
  ['/%%32e', 'decode-and-merge', null],
  ['/%ax', 'none', '/%ax'],
  ['/a%00', 'none', null],
  ['/a\0', 'none', null],
  ['/a b', 'none', null],
  ['/a\tb', 'base', null],
  ['/a\x7f', 'decode-and-merge', null],
  ['/caf\xc3\xa9', 'base', '/caf%C3%A9'],
  ['/caf\xc3\xa9', 'none', '/caf\xc3\xa9'],
  ['/\u2215admin', 'none', null],
  ['/\u2215admin', 'decode-and-merge', null],
];

describe('normalisePath', () => {
  for (const [input, ...expected] of ISTIO) {
    it(`reads ${input} as Istio does, at every level`, () => {
      assert.deepEqual(
        LEVELS.map((level) => normalisePath(input, level)),
        expected,
      );
    });
  }

  for (const [input, expected] of ISTIO_DECODED) {
    it(`decodes ${input}`, () => assert.equal(normalisePath(input, 'decode-and-merge'), expected));
  }

  for (const input of ISTIO_UNCHANGED) {
    it(`leaves ${input}`, () => assert.equal(normalisePath(input, 'decode-and-merge'), input));
  }

  it('decodes unreserved characters and slashes, of %00 to %ff, and refuses NUL', () => {
    for (let byte = 0; byte <= 255; byte += 1) {
      const input = `/admin%${byte.toString(16).padStart(2, '0')}`;
      const char = String.fromCharCode(byte);
      const decoded = /[A-Za-z0-9._~-]/.test(char) ? `/admin${char}` : /[/\\]/.test(char) ? '/admin/' : input;
      assert.equal(normalisePath(input, 'decode-and-merge'), byte === 0 ? null : decoded, input);
    }
  });

  for (const [input, level, expected] of OURS) {
    it(`${JSON.stringify(input)} at ${level}: ${expected}`, () => assert.equal(normalisePath(input, level), expected));
  }

  it('reads its own answers as they are', () => {
    const piece = fc.constantFrom(
      '/',
      '/',
      '.',
      '..',
      'a',
      '%',
      '2',
      '5',
      'e',
      'f',
      '%2e',
      '%2F',
      '%5c',
      '\\',
      '%25',
      '\xe9',
      '#',
      ';',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), fc.constantFrom(...LEVELS), (pieces, level) => {
        const once = normalisePath(`/${pieces.join('')}`, level);
        if (once !== null) assert.equal(normalisePath(once, level), once);
      }),
      { numRuns: 5000 },
    );
  });

  it('leaves no dot segment, no double slash and no encoded slash at the strictest level', () => {
    const piece = fc.constantFrom('/', '.', '..', 'a', '%2e', '%2F', '%5c', '\\', '%25', '%c0');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const path = normalisePath(`/${pieces.join('')}`, 'decode-and-merge');
        if (path !== null) assert.doesNotMatch(path, /\/\/|\\|%2f|%5c|%2e|\/\.\.?(?:\/|$)/i);
      }),
      { numRuns: 5000 },
    );
  });
});
