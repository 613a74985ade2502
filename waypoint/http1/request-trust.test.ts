// Which fields of a request cross this hop: not those of the hop, not those only a proxy may say; and no field can be talked away.

import assert from 'node:assert/strict';
import { type HeadLimits, REQUEST_LIMITS } from './limits.ts';
import { RequestParser } from './request-parser.ts';

function parse(lines: string, trusted: 'trusted' | 'untrusted' = 'untrusted', start = 'GET / HTTP/1.1'): RequestParser {
  const parser = new RequestParser(REQUEST_LIMITS as HeadLimits, 'base');
  parser.trusted = trusted === 'trusted';
  parser.push(Buffer.from(`${start}|Host: a|${lines}||`.replaceAll('|', '\r\n'), 'latin1'), 0);
  return parser;
}

function forwarded(lines: string, trusted: 'trusted' | 'untrusted' = 'untrusted', start?: string): string {
  const { head, failure } = parse(lines, trusted, start);
  assert.equal(failure, null);
  return head.serialize('').split('\r\n').slice(2, -2).join('|');
}

/** H1, H2: `lines` and what is left of them. */
const HOPS: readonly [lines: string, kept: string][] = [
  ['Connection: close|A: b', 'A: b'],
  ['Connection: x-a|X-A: 1|X-B: 2', 'X-B: 2'],
  ['X-A: 1|CONNECTION: X-a , ,x-B|x-b: 2|x-c: 3', 'x-c: 3'],
  ['Connection: x-a|Connection: keep-alive,\tx-b|X-A: 1|X-B: 2|X-A: 3', ''],
  ['Connection: x a|x: 1|a: 2', 'x: 1|a: 2'],
  ['Keep-Alive: timeout=5|Proxy-Connection: keep-alive|TE: trailers|A: b', 'A: b'],
  ['Upgrade: websocket|Proxy-Authenticate: Basic|Proxy-Authorization: x|HTTP2-Settings: x|A: b', 'A: b'],
  ['tE: gzip|uPGRADE: h2c|a: b', 'a: b'],
  ['Trailer: X-Sum', 'Trailer: X-Sum'],
  ['Te_: x|Upgrades: y|Connections: z|Hos: h', 'Te_: x|Upgrades: y|Connections: z|Hos: h'],
  ['Connection: authorization, cookie|Authorization: x|Cookie: y', 'Authorization: x|Cookie: y'],
  ['Connection: host, via, x-request-id|Via: 1.1 p|X-Request-Id: 1', 'Via: 1.1 p|X-Request-Id: 1'],
  ['Connection: Content-Length|Content-Length: 0', 'Content-Length: 0'],
  ['Connection: transfer-encoding|Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
  ['Connection: expect|Content-Length: 1|Expect: 100-continue', 'Content-Length: 1|Expect: 100-continue'],
  ['Connection: sec-websocket-key, origin|Sec-WebSocket-Key: x|Origin: y', 'Sec-WebSocket-Key: x|Origin: y'],
];

const FORWARDING = [
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-forwarded-prefix',
];
const IDENTITY = ['x-forwarded-client-cert', 'x-real-ip', 'x-envoy-attempt-count', 'x-waypoint-principal'];

/** H3: other spellings that a framework takes for the same name. */
function spellings(name: string): string[] {
  const upper = name.toUpperCase();
  return [
    name,
    upper,
    name.replaceAll('-', '_'),
    upper.replaceAll('-', '.'),
    name.replace('-', '_'),
    name.replace(/-([^-]*)$/, '.$1'),
  ];
}

describe('Fields that cross the hop', () => {
  for (const [lines, kept] of HOPS) {
    it(`keeps of ${lines} only ${kept}`, () => assert.equal(forwarded(lines), kept));
  }

  for (const name of [...FORWARDING, ...IDENTITY]) {
    it(`takes ${name} from no untrusted client, in no spelling`, () => {
      for (const spelling of spellings(name)) {
        const parser = parse(`${spelling}: evil|A: b`);
        assert.equal(forwarded(`${spelling}: evil|A: b`), 'A: b', spelling);
        assert.equal(parser.head.fields.has(spelling.toLowerCase()), false);
        assert.deepEqual(parser.head.fields.values(name), []);
      }
    });
  }

  it('takes Forwarded from no untrusted client', () => {
    assert.equal(forwarded('Forwarded: for=evil|FORWARDED: for=evil|A: b'), 'A: b');
  });

  it('believes a trusted peer the forwarding fields, exactly spelled, and nothing about identity', () => {
    for (const name of FORWARDING) {
      assert.equal(forwarded(`${name}: x`, 'trusted'), `${name}: x`);
      assert.equal(forwarded(`${name.replaceAll('-', '_')}: x`, 'trusted'), '');
      assert.equal(forwarded(`Connection: ${name}|${name}: x`, 'trusted'), `${name}: x`);
    }
    assert.equal(forwarded('Forwarded: for=x', 'trusted'), 'Forwarded: for=x');
    for (const name of IDENTITY)
      for (const spelling of spellings(name)) assert.equal(forwarded(`${spelling}: x`, 'trusted'), '');
  });

  it('leaves names alone that only resemble those', () => {
    const lines =
      'x-forwarded-fo: 1|x-forwarded-foo: 2|x-envoy: 3|x-waypoint-: 4|x-real-ips: 5|forwarded-x: 6|xforwarded-for: 7|x-request-ids: 8';
    assert.equal(forwarded(lines), lines);
  });

  it('refuses a Connection field with more options than anyone has', () => {
    assert.deepEqual(parse(`Connection: ${'a,'.repeat(64)}`).failure, { status: 400, reason: 'connection_invalid' });
    assert.deepEqual(parse('Connection: a,b|'.repeat(33).slice(0, -1)).failure, {
      status: 400,
      reason: 'connection_invalid',
    });
    assert.equal(parse(`Connection: ${'a,'.repeat(63)}a`).failure, null);
  });
});

describe('Connection, Upgrade and Expect', () => {
  const KEEP: readonly [version: string, lines: string, keepAlive: boolean][] = [
    ['1.1', 'A: b', true],
    ['1.1', 'Connection: close', false],
    ['1.1', 'Connection: Keep-Alive, CLOSE', false],
    ['1.1', 'Connection: keep-alive|Connection: close', false],
    ['1.1', 'Proxy-Connection: close', true],
    ['1.0', 'A: b', false],
    ['1.0', 'Connection: keep-alive', true],
    ['1.0', 'Connection: KEEP-ALIVE', true],
    ['1.0', 'Connection: keep-alive, close', false],
  ];
  for (const [version, lines, keepAlive] of KEEP) {
    it(`HTTP/${version} with ${lines}: ${keepAlive ? 'stays open' : 'closes'}`, () => {
      assert.equal(parse(lines, 'untrusted', `GET / HTTP/${version}`).head.keepAlive, keepAlive);
    });
  }

  const UPGRADES: readonly [start: string, lines: string, upgrade: string | null][] = [
    ['GET / HTTP/1.1', 'Connection: Upgrade|Upgrade: WebSocket', 'websocket'],
    ['GET / HTTP/1.1', 'Upgrade: websocket|Connection: keep-alive, upgrade', 'websocket'],
    ['GET / HTTP/1.1', 'Connection: upgrade|Upgrade: foo/2|Content-Length: 0', 'foo/2'],
    ['GET / HTTP/1.1', 'Upgrade: websocket', null],
    ['GET / HTTP/1.1', 'Connection: upgrade', null],
    ['GET / HTTP/1.1', 'Connection: upgrade|Upgrade: websocket, foo', null],
    ['GET / HTTP/1.1', 'Connection: upgrade|Upgrade: websocket|Upgrade: websocket', null],
    ['GET / HTTP/1.1', 'Connection: upgrade|Upgrade:', null],
    ['GET / HTTP/1.1', 'Connection: upgrade|Upgrade: web socket', null],
    ['GET / HTTP/1.1', 'Connection: Upgrade, HTTP2-Settings|Upgrade: h2c|HTTP2-Settings: AAMAAABk', null],
    ['GET / HTTP/1.1', 'Connection: upgrade|Upgrade: websocket|Content-Length: 1', null],
    ['GET / HTTP/1.1', 'Connection: upgrade|Upgrade: websocket|Transfer-Encoding: chunked', null],
    ['POST / HTTP/1.1', 'Connection: upgrade|Upgrade: websocket', null],
    ['GET / HTTP/1.0', 'Connection: upgrade|Upgrade: websocket', null],
  ];
  for (const [start, lines, upgrade] of UPGRADES) {
    it(`${start} ${lines}: upgrade ${upgrade}`, () => {
      const { head } = parse(lines, 'untrusted', start);
      assert.equal(head.upgrade, upgrade);
      assert.doesNotMatch(head.serialize(''), /upgrade|http2-settings/i);
    });
  }

  const EXPECTATIONS: readonly [start: string, lines: string, expected: boolean | number, kept: string][] = [
    ['PUT / HTTP/1.1', 'Content-Length: 1|Expect: 100-continue', true, 'Content-Length: 1|Expect: 100-continue'],
    [
      'PUT / HTTP/1.1',
      'Transfer-Encoding: chunked|expect: 100-Continue',
      true,
      'Transfer-Encoding: chunked|expect: 100-Continue',
    ],
    ['GET / HTTP/1.1', 'Expect: 100-continue', false, ''],
    ['PUT / HTTP/1.1', 'Content-Length: 0|Expect: 100-continue', false, 'Content-Length: 0'],
    ['PUT / HTTP/1.0', 'Content-Length: 1|Expect: 100-continue', false, 'Content-Length: 1'],
    ['PUT / HTTP/1.0', 'Content-Length: 1|Expect: y', false, 'Content-Length: 1'],
    ['PUT / HTTP/1.1', 'Content-Length: 1|Expect: y 100-continue', 417, ''],
    ['PUT / HTTP/1.1', 'Content-Length: 1|Expect: 100-continue, y', 417, ''],
    ['PUT / HTTP/1.1', 'Content-Length: 1|Expect: 100-continue|Expect: 100-continue', 417, ''],
    ['PUT / HTTP/1.1', 'Content-Length: 1|Expect:', 417, ''],
    ['GET / HTTP/1.1', 'Expect: 200-ok', 417, ''],
  ];
  for (const [start, lines, expected, kept] of EXPECTATIONS) {
    it(`${start} ${lines}: ${expected}`, () => {
      const { head, failure } = parse(lines, 'untrusted', start);
      if (typeof expected === 'number') {
        assert.deepEqual(failure, { status: expected, reason: 'expectation_unsupported' });
        return;
      }
      assert.equal(head.expectContinue, expected);
      assert.equal(forwarded(lines, 'untrusted', start), kept);
    });
  }
});
