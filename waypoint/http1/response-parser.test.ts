// What an upstream may answer: R1 – R8; every fault is a 502, and what can be read in two ways is a fault.

import assert from 'node:assert/strict';
import { readResponses } from '../../test/harness/codec-reader.ts';
import { RESPONSE_LIMITS } from './limits.ts';
import { ResponseParser } from './response-parser.ts';

/** Start line and lines, `|` for CRLF; the empty line is added. */
const REFUSED: readonly [head: string, reason: string][] = [
  // R1
  ...['+5', '-5', '0x5', '5, 5', '5,5', '', '5 5', '9007199254740992'].map((value): [string, string] => [
    `HTTP/1.1 200 OK|Content-Length: ${value}`,
    'content_length_invalid',
  ]),
  ['HTTP/1.1 200 OK|Content-Length: 5|Content-Length: 5', 'content_length_repeated'],
  ['HTTP/1.1 200 OK|Content-Length: 5|Content-Length: 6', 'content_length_repeated'],
  ['HTTP/1.1 304 Not Modified|Content-Length: 5|Content-Length: 5', 'content_length_repeated'],
  ['HTTP/1.1 204 No Content|Content-Length: x', 'content_length_invalid'],
  ['HTTP/1.1 200 OK|Content-Length: 5|Transfer-Encoding: chunked', 'framing_ambiguous'],
  ['HTTP/1.1 200 OK|Transfer-Encoding: chunked|Content-Length: 5', 'framing_ambiguous'],
  ['HTTP/1.1 200 OK|Transfer-Encoding: chunked|Transfer-Encoding: chunked', 'transfer_encoding_repeated'],
  ['HTTP/1.1 200 OK|Transfer-Encoding: gzip', 'transfer_encoding_invalid'],
  ['HTTP/1.1 200 OK|Transfer-Encoding: foo', 'transfer_encoding_invalid'],
  ['HTTP/1.1 200 OK|Transfer-Encoding: ,chunked', 'transfer_encoding_invalid'],
  ['HTTP/1.1 200 OK|Transfer-Encoding: chunked, identity', 'transfer_encoding_invalid'],
  ['HTTP/1.1 200 OK|Transfer-Encoding: gzip, chunked', 'transfer_encoding_unsupported'],
  ['HTTP/1.0 200 OK|Transfer-Encoding: chunked', 'transfer_encoding_http10'],
  // R8
  ...['000', '099', '600', '999', '20', '2000', '2xx', '-20', '+20', '20 ', ' 200', '2.0'].map(
    (status): [string, string] => [`HTTP/1.1 ${status} X`, 'status_invalid'],
  ),
  ['HTTP/1.1|', 'version_invalid'],
  ['HTTP/1.1 |', 'status_invalid'],
  ['HTTP/1.1\t200 OK', 'version_invalid'],
  ['HTTP/1.1  200 OK', 'status_invalid'],
  ['HTTP/1.1 200\tOK', 'status_invalid'],
  ['HTTP/1.2 200 OK', 'version_unsupported'],
  ['HTTP/2.0 200 OK', 'version_invalid'],
  ['HTTP/0.9 200 OK', 'version_invalid'],
  ['http/1.1 200 OK', 'version_invalid'],
  ['ICY 200 OK', 'version_invalid'],
  ['|HTTP/1.1 200 OK', 'version_invalid'],
  [' HTTP/1.1 200 OK', 'version_invalid'],
  ['<html>', 'version_invalid'],
  ['HTTP/1.1 200 O\x00K', 'reason_phrase_invalid'],
  ['HTTP/1.1 200 O\x7fK', 'reason_phrase_invalid'],
  ['HTTP/1.1 200 OK\nX: y', 'bare_lf'],
  ['HTTP/1.1 200\nX: y', 'bare_lf'],
  ['HTTP/1.1 200 OK\rX: y', 'bare_cr'],
  ['HTTP/1.1 200 OK|X: a\nY: b', 'bare_lf'],
  ['HTTP/1.1 200 OK|X: a\rY: b', 'bare_cr'],
  ['HTTP/1.1 200 OK|X: a\x00', 'field_value_invalid'],
  ['HTTP/1.1 200 OK|X: a| b', 'obs_fold'],
  ['HTTP/1.1 200 OK| X: a', 'obs_fold'],
  ['HTTP/1.1 200 OK|X : a', 'space_before_colon'],
  ['HTTP/1.1 200 OK|: a', 'field_name_empty'],
  ['HTTP/1.1 200 OK|X', 'field_without_colon'],
  [`HTTP/1.1 200 OK|Connection: ${'a,'.repeat(70)}`, 'connection_invalid'],
];

interface Expected {
  status?: number;
  reasonPhrase?: string;
  framing?: 0 | 1 | 2 | 3;
  contentLength?: number;
  keepAlive?: boolean;
  upgrade?: string | null;
}

const READ: readonly [method: string, head: string, forwarded: string, expected: Expected][] = [
  [
    'GET',
    'HTTP/1.1 200 OK|Content-Length: 5',
    '=',
    { status: 200, reasonPhrase: 'OK', framing: 1, contentLength: 5, keepAlive: true },
  ],
  ['GET', 'HTTP/1.1 200 OK|Content-Length: 005', 'HTTP/1.1 200 OK|content-length: 5', { framing: 1, contentLength: 5 }],
  ['GET', 'HTTP/1.1 200 OK|Content-Length: 0', '=', { framing: 1, contentLength: 0 }],
  [
    'GET',
    'HTTP/1.1 200 OK|Transfer-Encoding: Chunked|A: b',
    'HTTP/1.1 200 OK|A: b',
    { framing: 2, contentLength: -1, keepAlive: true },
  ],
  ['GET', 'HTTP/1.1 200 OK|A: b', '=', { framing: 3, contentLength: -1, keepAlive: false }],
  ['GET', 'HTTP/1.0 200 OK|Content-Length: 5', 'HTTP/1.1 200 OK|Content-Length: 5', { framing: 1, keepAlive: false }],
  [
    'GET',
    'HTTP/1.0 200 OK|Content-Length: 5|Connection: keep-alive',
    'HTTP/1.1 200 OK|Content-Length: 5',
    { framing: 1, keepAlive: true },
  ],
  ['GET', 'HTTP/1.0 200 OK|Connection: keep-alive', 'HTTP/1.1 200 OK', { framing: 3, keepAlive: false }],
  [
    'GET',
    'HTTP/1.1 200 OK|Content-Length: 5|Connection: close',
    'HTTP/1.1 200 OK|Content-Length: 5',
    { keepAlive: false },
  ],
  // R4
  ['HEAD', 'HTTP/1.1 200 OK|Content-Length: 5', '=', { framing: 0, contentLength: 5, keepAlive: true }],
  [
    'HEAD',
    'HTTP/1.1 200 OK|Transfer-Encoding: chunked',
    'HTTP/1.1 200 OK',
    { framing: 0, contentLength: -1, keepAlive: true },
  ],
  ['HEAD', 'HTTP/1.1 200 OK', '=', { framing: 0, keepAlive: true }],
  [
    'GET',
    'HTTP/1.1 304 Not Modified|Content-Length: 5|ETag: x',
    '=',
    { framing: 0, contentLength: 5, keepAlive: true },
  ],
  [
    'GET',
    'HTTP/1.1 204 No Content|Content-Length: 5|A: b',
    'HTTP/1.1 204 No Content|A: b',
    { framing: 0, keepAlive: true },
  ],
  ['GET', 'HTTP/1.1 204 No Content|Transfer-Encoding: chunked', 'HTTP/1.1 204 No Content', { framing: 0 }],
  [
    'GET',
    'HTTP/1.1 103 Early Hints|Link: </a>|Content-Length: 5',
    'HTTP/1.1 103 Early Hints|Link: </a>',
    { framing: 0 },
  ],
  ['head', 'HTTP/1.1 200 OK|Content-Length: 5', '=', { framing: 1 }],
  // phrases
  ['GET', 'HTTP/1.1 200', 'HTTP/1.1 200 ', { reasonPhrase: '' }],
  ['GET', 'HTTP/1.1 200 ', '=', { reasonPhrase: '' }],
  ['GET', 'HTTP/1.0 404', 'HTTP/1.1 404 ', { status: 404, reasonPhrase: '' }],
  ['GET', 'HTTP/1.1 200  OK', '=', { reasonPhrase: ' OK' }],
  ['GET', 'HTTP/1.0 599 \xe4 b\t', 'HTTP/1.1 599 \xe4 b\t', { status: 599, reasonPhrase: '\xe4 b\t' }],
  ['GET', 'HTTP/1.1 100 Continue', '=', { status: 100, framing: 0, keepAlive: true }],
  // fields
  ['GET', 'HTTP/1.1 200 OK|Set-Cookie: a|A:b|Set-Cookie: c', 'HTTP/1.1 200 OK|Set-Cookie: a|A: b|Set-Cookie: c', {}],
  ['GET', 'HTTP/1.1 200 OK|Connection: x-a, set-cookie|X-A: 1|Set-Cookie: a', 'HTTP/1.1 200 OK|Set-Cookie: a', {}],
  [
    'GET',
    'HTTP/1.1 200 OK|Keep-Alive: timeout=5|Upgrade: h2c|Proxy-Authenticate: x|A: b',
    'HTTP/1.1 200 OK|A: b',
    { upgrade: null },
  ],
  ['GET', 'HTTP/1.1 200 OK|X-Forwarded-For: a|X-Envoy-Upstream: b', '=', {}],
  // U1
  [
    'GET',
    'HTTP/1.1 101 Switching Protocols|Upgrade: WebSocket|Connection: Upgrade|A: b',
    'HTTP/1.1 101 Switching Protocols|A: b',
    { upgrade: 'websocket', framing: 0 },
  ],
  [
    'GET',
    'HTTP/1.1 101 Switching Protocols|Connection: Upgrade',
    'HTTP/1.1 101 Switching Protocols',
    { upgrade: null },
  ],
  ['GET', 'HTTP/1.1 101 Switching Protocols|Upgrade: a, b', 'HTTP/1.1 101 Switching Protocols', { upgrade: null }],
  [
    'GET',
    'HTTP/1.1 426 Upgrade Required|Upgrade: websocket|Content-Length: 0',
    'HTTP/1.1 426 Upgrade Required|Content-Length: 0',
    { upgrade: null },
  ],
];

function text(head: string): string {
  return `${head.replaceAll('|', '\r\n')}\r\n\r\n`;
}

describe('Responses', () => {
  for (const [head, reason] of REFUSED) {
    it(`refuses ${JSON.stringify(head).slice(0, 70)}`, () => {
      assert.equal(readResponses(`${text(head)}0\r\n\r\n`)[0]?.fault, `502 ${reason}`);
    });
  }

  for (const [method, head, forwarded, expected] of READ) {
    it(`reads for ${method}: ${head}`, () => {
      const [reading] = readResponses(text(head), [], method);
      assert.match(reading?.fault ?? '', /^$|^0 truncated$/);
      assert.partialDeepStrictEqual(JSON.parse(reading?.head ?? ''), expected);
      assert.equal(reading?.forwarded, text(forwarded === '=' ? head : forwarded));
    });
  }

  it('leaves what comes behind the declared end unread', () => {
    const head = text('HTTP/1.1 200 OK|Content-Length: 2');
    const [first, second] = readResponses(`${head}okZHTTP/1.1 200 OK\r\nX: EVIL\r\n\r\n`);
    assert.deepEqual([first?.body, first?.end], ['ok', head.length + 2]);
    assert.equal(second?.fault, '502 version_invalid');
  });

  it('sees a truncated body as truncated', () => {
    assert.equal(readResponses(`${text('HTTP/1.1 200 OK|Content-Length: 5')}hell`)[0]?.fault, '0 truncated');
    const chunked = text('HTTP/1.1 200 OK|Transfer-Encoding: chunked');
    for (const body of ['', '5\r\nhel', '5\r\nhello\r\n', '5\r\nhello\r\n0\r\n', '5\r\nhello\r\n0\r\nA: b\r\n']) {
      assert.equal(readResponses(`${chunked}${body}`)[0]?.fault, '0 truncated', body);
    }
  });

  it('reads interim heads one by one, then the final one, for the same method', () => {
    const parser = new ResponseParser(RESPONSE_LIMITS);
    parser.reset('HEAD');
    const bytes = Buffer.from(
      `${text('HTTP/1.1 100 Continue')}${text('HTTP/1.1 103 |Link: a')}${text('HTTP/1.1 200 OK')}`,
    );
    const seen: number[] = [];
    for (let at = 0; at < bytes.length; parser.next()) {
      at = parser.push(bytes, at);
      seen.push(parser.head.status, parser.head.framing);
    }
    assert.deepEqual(seen, [100, 0, 103, 0, 200, 0]);
  });
});
