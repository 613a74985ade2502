// The forms of a request-target and of Host: one authority, one path, or a refusal (RFC 9112 section 3.2).

import assert from 'node:assert/strict';
import { readRequests } from '../../test/harness/codec-reader.ts';

interface Expected {
  path?: string;
  query?: string;
  authority?: string;
  host?: string;
  port?: number;
  /** Request line and Host lines as forwarded. */
  sent?: string;
}

const TARGETS: readonly [target: string, host: string, expected: Expected][] = [
  ['/', 'shop', { path: '/', query: '', authority: 'shop', host: 'shop', port: 0 }],
  ['/a?b=c', 'Shop:8080', { path: '/a', query: 'b=c', authority: 'Shop:8080', host: 'shop', port: 8080 }],
  ['/a?b?c', 'shop', { path: '/a', query: 'b?c' }],
  ['/a?', 'shop', { path: '/a', query: '', sent: 'GET /a? HTTP/1.1|Host: shop' }],
  ['/a?//../%2e', 'shop', { path: '/a', query: '//../%2e' }],
  ['//a/./b/../%63', 'shop', { path: '/a/c', sent: 'GET /a/c HTTP/1.1|Host: shop' }],
  ['/a%2Fb?%2F', 'shop', { path: '/a/b', query: '%2F', sent: 'GET /a/b?%2F HTTP/1.1|Host: shop' }],
  ['/%252e%252e/admin', 'shop', { path: '/%252e%252e/admin' }],
  ['/a#b', 'shop', { path: '/a', sent: 'GET /a HTTP/1.1|Host: shop' }],
  ['/a#b?c', 'shop', { path: '/a', query: '', sent: 'GET /a HTTP/1.1|Host: shop' }],
  ['/a?b#c', 'shop', { path: '/a', query: 'b', sent: 'GET /a?b HTTP/1.1|Host: shop' }],
  ['/"<>^`{|}\\', 'shop', { path: '/"<>^`{|}/' }],
  ['/http://evil/', 'shop', { path: '/http:/evil/' }],
  ['/', 'SHOP.', { authority: 'SHOP.', host: 'shop' }],
  ['/', '[::1]:80', { host: '[::1]', port: 80 }],
  ['/', ' shop\t', { authority: 'shop', sent: 'GET / HTTP/1.1|Host: shop' }],
  ['http://shop/a?b', 'shop', { path: '/a', query: 'b', authority: 'shop', sent: 'GET /a?b HTTP/1.1|Host: shop' }],
  ['HTTP://Shop/', 'shop', { authority: 'Shop', host: 'shop', sent: 'GET / HTTP/1.1|host: Shop' }],
  ['http://shop', 'shop:80', { path: '/', authority: 'shop', port: 0, sent: 'GET / HTTP/1.1|host: shop' }],
  ['http://shop?b', 'shop', { path: '/', query: 'b', sent: 'GET /?b HTTP/1.1|Host: shop' }],
  ['http://shop#b', 'shop', { path: '/', sent: 'GET / HTTP/1.1|Host: shop' }],
  ['http://shop//a/../b', 'shop', { path: '/b' }],
  ['http://shop/http://evil/', 'shop', { path: '/http:/evil/', authority: 'shop' }],
];

/** P6, P7. `|` separates lines. */
const REFUSED: readonly [lines: string, fault: string][] = [
  ['GET / HTTP/1.1', '400 host_missing'],
  ['GET http://shop/ HTTP/1.1', '400 host_missing'],
  ['GET / HTTP/1.1|Host: shop|Host: shop', '400 host_repeated'],
  ['GET / HTTP/1.1|Host: shop|X: y|hOST: evil', '400 host_repeated'],
  ['GET / HTTP/1.0|Host: shop|Host: evil', '400 host_repeated'],
  ...[
    ...[
      '',
      'a,b',
      'a, b',
      'user@a',
      'user:pw@a',
      'a/',
      'a/b',
      'a?b',
      'a#b',
      'a b',
      'a:',
      ':80',
      'a:0',
      'a:98777',
      'a:8a',
    ],
    ...[
      'a:80:80',
      '[::1',
      '::1',
      '[::g]',
      '[]',
      '[::1]a',
      '[::1]:',
      'a..b',
      '.',
      '..',
      '.a',
      'a\x80',
      'a%2e',
      'a\\b',
      '*',
      '*.a',
    ],
    ...['http://a', 'a:-80', 'a:+80', 'a: 80', 'a;b', 'a=b', 'a"', `${'a'.repeat(256)}`],
  ].map((host): [string, string] => [`GET / HTTP/1.1|Host: ${host}`, '400 host_invalid']),
  ...['', 'user@shop', 'shop:', 'shop:98777', '[::1', 'shop,evil'].map((authority): [string, string] => [
    `GET http://${authority}/ HTTP/1.1|Host: shop`,
    '400 target_invalid',
  ]),
  ['GET http://evil/ HTTP/1.1|Host: shop', '400 host_mismatch'],
  ['GET http://shop:81/ HTTP/1.1|Host: shop', '400 host_mismatch'],
  ['GET http://shop/ HTTP/1.1|Host:', '400 host_mismatch'],
  ['GET http://shop/ HTTP/1.1|Host: shop@', '400 host_mismatch'],
  ['GET /%zz HTTP/1.1|Host: shop', '400 path_invalid'],
  ['GET /%a HTTP/1.1|Host: shop', '400 path_invalid'],
  ['GET /admin%00 HTTP/1.1|Host: shop', '400 path_invalid'],
  ['GET /../x HTTP/1.1|Host: shop', '400 path_invalid'],
  ['GET http://shop/../x HTTP/1.1|Host: shop', '400 path_invalid'],
];

function request(lines: string): string {
  return `${lines.replaceAll('|', '\r\n')}\r\n\r\n`;
}

describe('Request targets and Host', () => {
  for (const [target, host, { sent, ...expected }] of TARGETS) {
    it(`reads ${target} at ${host}`, () => {
      const [reading] = readRequests(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      assert.equal(reading?.fault, '');
      assert.partialDeepStrictEqual(JSON.parse(reading?.head ?? ''), expected);
      if (sent !== undefined) assert.equal(reading?.forwarded, request(sent));
    });
  }

  for (const [lines, fault] of REFUSED) {
    it(`refuses ${lines.slice(0, 70)}`, () => assert.equal(readRequests(request(lines))[0]?.fault, fault));
  }

  it('knows OPTIONS * and an absolute OPTIONS without a path', () => {
    for (const target of ['*', 'http://shop']) {
      const [reading] = readRequests(`OPTIONS ${target} HTTP/1.1\r\nHost: shop\r\n\r\n`);
      assert.equal(reading?.forwarded, 'OPTIONS * HTTP/1.1\r\nHost: shop\r\n\r\n');
    }
  });

  it('adds the Host that an HTTP/1.0 client named in its target only', () => {
    const [reading] = readRequests('GET http://shop/a HTTP/1.0\r\n\r\n');
    assert.equal(reading?.forwarded, 'GET /a HTTP/1.1\r\nhost: shop\r\n\r\n');
  });

  it('reads the same authority again from its cache, and many others after it', () => {
    for (let i = 0; i < 3000; i++) {
      const [reading] = readRequests(`GET / HTTP/1.1\r\nHost: H${i % 1500}:81\r\n\r\n`);
      assert.partialDeepStrictEqual(JSON.parse(reading?.head ?? ''), { host: `h${i % 1500}`, port: 81 });
    }
  });
});
