// However the bytes of a message are cut, the codec reads the same; and what it forwards, it reads as the same again.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Reading, readRequests, readResponses } from '../../test/harness/codec-reader.ts';
import type { HeadLimits } from './limits.ts';

const HOST = 'Host: shop\r\n';
const REQUESTS: readonly string[] = [
  `GET / HTTP/1.1\r\n${HOST}\r\n`,
  `\r\nGET /a%20b/../c?x=1 HTTP/1.1\r\n${HOST}Connection: close, x-a\r\nX-A:  b \r\nx_forwarded_for: 1\r\n\r\n`,
  `POST /p HTTP/1.1\r\n${HOST}Content-Length: 05\r\n\r\nhelloGET / HTTP/1.0\r\n\r\n`,
  `POST /p HTTP/1.1\r\n${HOST}Transfer-Encoding: Chunked\r\n\r\n5;a="\\""\r\nhello\r\n0\r\nX-Sum: 1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n${HOST}\r\n`,
  `GET http://shop:80/x?y HTTP/1.1\r\nhost: SHOP\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\nGET / HTTP/1.1\r\n`,
  `PUT / HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc`,
  `GET / HTTP/1.1\r\n${HOST}a: \r\nb:\r\nc:\td\t\r\ne: \xe4\xff\r\n\r\n`,
  `GET / HTTP/1.1\n${HOST}\r\n`,
  `GET / HTTP/1.1\r\n${HOST}a: b\r\n c\r\n\r\n`,
  `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n3\r\nabcde\r\n`,
  `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n`,
];
const RESPONSES: readonly string[] = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhelloHTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\nETag: x\r\n\r\n',
  'HTTP/1.0 200 OK\r\nConnection: keep-alive, x\r\nX: 1\r\nY:2\r\n\r\nuntil the end',
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x00',
  'HTTP/1.1 600 No\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello',
];

const SMALL: HeadLimits = { headBytes: 90, fields: 3, targetBytes: 12 };

type Read = (text: string, cuts: readonly number[]) => Reading[];
const SIDES: readonly [string, Read, readonly string[]][] = [
  ['requests', (text, cuts) => readRequests(text, cuts), REQUESTS],
  ['requests at small limits', (text, cuts) => readRequests(text, cuts, SMALL), REQUESTS],
  ['responses', (text, cuts) => readResponses(text, cuts), RESPONSES],
  ['responses to HEAD at small limits', (text, cuts) => readResponses(text, cuts, 'HEAD', SMALL), RESPONSES],
];

/** A message with some bytes replaced, removed or put in: what is nearly right is where readers differ. */
function damaged(seeds: readonly string[]): fc.Arbitrary<string> {
  const byte = fc.constantFrom(
    '\r',
    '\n',
    '\r\n',
    ' ',
    '\t',
    ':',
    ',',
    ';',
    '0',
    'f',
    '\0',
    '\x7f',
    '\x85',
    '"',
    '?',
    '',
  );
  const edit = fc.tuple(fc.nat(), fc.nat(2), byte);
  return fc.tuple(fc.constantFrom(...seeds), fc.array(edit, { maxLength: 3 })).map(([seed, edits]) => {
    let text = seed;
    for (const [where, removed, put] of edits) {
      const at = where % (text.length + 1);
      text = text.slice(0, at) + put + text.slice(at + removed);
    }
    return text;
  });
}

describe('Reading in pieces', () => {
  for (const [name, read, seeds] of SIDES) {
    it(`gives the same at any one cut, and byte by byte: ${name}`, () => {
      for (const text of seeds) {
        const whole = read(text, []);
        for (let cut = 1; cut < text.length; cut++) assert.deepEqual(read(text, [cut]), whole, `${text} at ${cut}`);
        const everywhere = Array.from({ length: text.length - 1 }, (_, i) => i + 1);
        assert.deepEqual(read(text, everywhere), whole, text);
      }
    });

    it(`gives the same at any cuts, damaged or not: ${name}`, () => {
      const cuts = fc.array(fc.nat(), { maxLength: 12 });
      fc.assert(
        fc.property(damaged(seeds), cuts, (text, wanted) => {
          const at = [...new Set(wanted.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
          assert.deepEqual(read(text, at), read(text, []));
        }),
        { numRuns: 1500 },
      );
    });
  }

  it('never forwards a head that reads differently the second time', () => {
    fc.assert(
      fc.property(damaged(REQUESTS), (text) => {
        for (const first of readRequests(text)) {
          if (first.forwarded === '') continue;
          const [second] = readRequests(first.forwarded);
          // Only a missing Host (HTTP/1.0) or a body that does not follow may stop the second reading.
          assert.match(second?.fault ?? '', /^(|0 truncated|400 host_missing)$/, first.forwarded);
          if (second?.fault === '') assert.equal(second.forwarded, first.forwarded);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
