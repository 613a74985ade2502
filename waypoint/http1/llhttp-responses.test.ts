// The response cases of llhttp's test documents (github.com/nodejs/llhttp, test/response), in our own words: as strict, or stricter.

import assert from 'node:assert/strict';
import { readResponses } from '../../test/harness/codec-reader.ts';

function message(text: string): string {
  return text.replaceAll('|', '\r\n');
}

/** Accepted by both: each message as `status phrase body`. */
const ACCEPTED: readonly [name: string, text: string, ...messages: string[]][] = [
  [
    'connection: Proxy-Connection',
    'HTTP/1.1 200 OK|Content-Length: 11|Proxy-Connection: close||hello world',
    '200 OK hello world',
  ],
  [
    'connection: 1.0 keep-alive until the end',
    'HTTP/1.0 200 OK|Connection: keep-alive||HTTP/1.0 200 OK',
    '200 OK HTTP/1.0 200 OK',
  ],
  [
    'connection: 1.0 keep-alive and 204',
    'HTTP/1.0 204 No content|Connection: keep-alive||HTTP/1.0 200 OK||',
    '204 No content ',
    '200 OK ',
  ],
  ['connection: until the end', 'HTTP/1.1 200 OK||HTTP/1.1 200 OK', '200 OK HTTP/1.1 200 OK'],
  ['connection: 204', 'HTTP/1.1 204 No content||HTTP/1.1 200 OK||', '204 No content ', '200 OK '],
  ['connection: 200 with Upgrade', 'HTTP/1.1 200 OK|Connection: upgrade|Upgrade: h2c||body', '200 OK body'],
  [
    'connection: 200 with Upgrade and length',
    'HTTP/1.1 200 OK|Connection: upgrade|Upgrade: h2c|Content-Length: 4||body',
    '200 OK body',
  ],
  [
    'connection: 200 with Upgrade, chunked',
    'HTTP/1.1 200 OK|Connection: upgrade|Upgrade: h2c|Transfer-Encoding: chunked||2|bo|2|dy|0||',
    '200 OK body',
  ],
  [
    'length: none',
    'HTTP/1.1 200 OK|Date: Tue, 04 Aug 2009 07:59:32 GMT|Connection: close||<?xml?>\n<a/>',
    '200 OK <?xml?>\n<a/>',
  ],
  ['length: a longer name', 'HTTP/1.1 200 OK|Content-Length-X: 0|Transfer-Encoding: chunked||2|OK|0||', '200 OK OK'],
  ['length: tabs around', 'HTTP/1.1 200 OK|Content-Length:\t2\t||OK', '200 OK OK'],
  ['invalid: blank in the phrase', 'HTTP/1.1 200  OK||', '200  OK '],
  [
    'pipelining',
    'HTTP/1.1 200 OK|Content-Length: 3||AAAHTTP/1.1 201 Created|Content-Length: 4||BBBBHTTP/1.1 202 Accepted|Content-Length: 5||CCCCC',
    '200 OK AAA',
    '201 Created BBBB',
    '202 Accepted CCCCC',
  ],
  ['sample: simple', 'HTTP/1.1 200 OK|Header1: Value1|Header2:\t Value2|Content-Length: 0||', '200 OK '],
  ['sample: empty until the end', 'HTTP/1.1 200 OK||', '200 OK '],
  [
    'sample: dollar in a name',
    'HTTP/1.1 301 Moved Permanently|X-$PrototypeBI-Version: 1.6.0.3|Content-Length:  4  ||<a>\n',
    '301 Moved Permanently <a>\n',
  ],
  [
    'sample: quotes in a value',
    'HTTP/1.1 301 MovedPermanently|p3p: policyref="http://a/p3p.xml",CP="CAO "|Transfer-Encoding: chunked||1|\n|0||',
    '301 MovedPermanently \n',
  ],
  ['sample: no fields', 'HTTP/1.1 404 Not Found||', '404 Not Found '],
  ['sample: no phrase', 'HTTP/1.1 301||', '301  '],
  ['sample: empty phrase', 'HTTP/1.1 200 ||', '200  '],
  ['sample: underscore in a name', 'HTTP/1.1 200 OK|Content-Length: 0|DCLK_imp: v7;x;114750856||', '200 OK '],
  [
    'sample: empty value',
    'HTTP/1.0 301 Moved Permanently|Pragma: |Location: http://a/|Content-Length: 0||',
    '301 Moved Permanently ',
  ],
  [
    'sample: names nearly known',
    'HTTP/1.1 200 OK|.et-Cookie: a=b|_eep-Alive: timeout=45|_onnection: Keep-Alive|Transfer-Encoding: chunked|Connection: close||0||',
    '200 OK ',
  ],
  [
    'sample: phrase beyond ASCII',
    'HTTP/1.1 500 Ori\xc3\xabntatieprobleem|Content-Length: 0||',
    '500 Ori\xc3\xabntatieprobleem ',
  ],
  [
    'coding: extensions',
    'HTTP/1.1 200 OK|Transfer-encoding: chunked||5;ilovew3;somuchlove=aretheseparametersfor|hello|6;blahblah;blah| world|0||',
    '200 OK hello world',
  ],
  [
    'coding: quoted extensions',
    'HTTP/1.1 200 OK|Transfer-Encoding: chunked||5;a="I love; extensions";b="c";blah;foo=bar|hello|0||',
    '200 OK hello',
  ],
];

/** Refused by both. */
const REFUSED: readonly [name: string, text: string, fault: string][] = [
  ['invalid: HTP', 'HTP/1.1 200 OK||', '502 version_invalid'],
  ['invalid: 01.1', 'HTTP/01.1 200 OK||', '502 version_invalid'],
  ['invalid: 11.1', 'HTTP/11.1 200 OK||', '502 version_invalid'],
  ['invalid: 1.01', 'HTTP/1.01 200 OK||', '502 version_invalid'],
  ['invalid: tab behind the version', 'HTTP/1.1\t200 OK||', '502 version_invalid'],
  ['invalid: CR first', '\rHTTP/1.1\t200 OK||', '502 version_invalid'],
  ['invalid: CR between fields', 'HTTP/1.1 200 OK|Foo: 1\rBar: 2||', '502 bare_cr'],
  ['invalid: version', 'HTTP/5.6 200 OK||', '502 version_invalid'],
  ['invalid: blank begins the fields', 'HTTP/1.1 200 OK| Host: foo||', '502 obs_fold'],
  ['invalid: two blanks', 'HTTP/1.1  200 OK||', '502 status_invalid'],
  ['invalid: one digit', 'HTTP/1.1 2 OK||', '502 status_invalid'],
  ['invalid: LFs only, length', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n', '502 bare_lf'],
  ['invalid: LFs only', 'HTTP/1.1 200 OK\nFoo: abc\n\nBODY\n', '502 bare_lf'],
  ['sample: HTTPER', 'HTTPER/1.1 200 OK||', '502 version_invalid'],
  ['sample: no carriage return', 'HTTP/1.1 200 OK\nConnection: close\n\n', '502 bare_lf'],
  [
    'sample: blank in a name',
    'HTTP/1.1 200 OK|en-US Content-Type: text/xml|Content-Length: 16||',
    '502 space_before_colon',
  ],
  [
    'coding: empty, with a length',
    'HTTP/1.1 200 OK|Transfer-Encoding:|Content-Length: 5||hello',
    '502 framing_ambiguous',
  ],
  [
    'coding: blanks behind a size',
    'HTTP/1.1 200 OK|Transfer-Encoding: chunked||25  |This is the data in the first chunk||',
    '400 chunk_size_invalid',
  ],
  [
    'coding: no semicolon',
    'HTTP/1.1 200 OK|Transfer-encoding: chunked||2 erfrferferf|aa|0||',
    '400 chunk_size_invalid',
  ],
  ['coding: semicolon alone', 'HTTP/1.1 200 OK|Transfer-encoding: chunked||2;|aa|0||', '400 chunk_extension_invalid'],
  [
    'coding: quote left open',
    'HTTP/1.1 200 OK|Transfer-Encoding: chunked||5;a="abc";b="def; ghi|hello|0||',
    '400 chunk_extension_invalid',
  ],
];

/** Accepted by llhttp, refused here, and why. */
const WAIVERS: readonly [why: string, text: string, fault: string][] = [
  ['only HTTP', 'RTSP/1.1 200 OK||', '502 version_invalid'],
  ['only HTTP', 'ICE/1.1 200 OK||', '502 version_invalid'],
  ['only 1.0 and 1.1', 'HTTP/0.9 200 OK||', '502 version_invalid'],
  ['nothing comes before a response', '|HTTP/1.1 200 OK|Content-Length: 0||', '502 version_invalid'],
  [
    'codings but chunked are not read until the end',
    'HTTP/1.1 200 OK|Transfer-Encoding: chunked, deflate||World',
    '502 transfer_encoding_invalid',
  ],
  [
    'Transfer-Encoding comes once',
    'HTTP/1.1 200 OK|Transfer-Encoding: chunked|Transfer-Encoding: identity||',
    '502 transfer_encoding_repeated',
  ],
  [
    'an unknown coding is no body until the end',
    'HTTP/1.1 200 OK|Transfer-Encoding: chunkedchunked||2|OK|0||',
    '502 transfer_encoding_invalid',
  ],
  ['a line is never folded', 'HTTP/1.1 200 OK|Transfer-Encoding: chunked|  abc||5|World|0||', '502 obs_fold'],
];

describe('Responses of the llhttp documents', () => {
  for (const [name, text, ...messages] of ACCEPTED) {
    it(`accepts ${name}`, () => {
      const readings = readResponses(message(text));
      assert.deepEqual(
        readings.map(({ fault, head, body }) => {
          const { status, reasonPhrase } = JSON.parse(head);
          return [fault, `${status} ${reasonPhrase} ${body}`];
        }),
        messages.map((expected) => ['', expected]),
      );
    });
  }

  for (const [name, text, fault] of REFUSED) {
    it(`refuses ${name}`, () => assert.equal(readResponses(message(text)).at(-1)?.fault, fault));
  }

  for (const [why, text, fault] of WAIVERS) {
    it(`is stricter: ${why}: ${JSON.stringify(text).slice(0, 60)}`, () => {
      assert.equal(readResponses(message(text)).at(-1)?.fault, fault);
    });
  }

  it('skips the bodies of answers to HEAD', () => {
    const text = message('HTTP/1.1 200 OK|Content-Length: 123||HTTP/1.1 200 OK|Content-Length: 456||');
    const lengths = readResponses(text, [], 'HEAD').map(({ head }) => JSON.parse(head).contentLength);
    assert.deepEqual(lengths, [123, 456]);
  });

  it('hands over at 101, where llhttp still reads a body that is declared', () => {
    for (const framing of ['Content-Length: 4', 'Transfer-Encoding: chunked']) {
      const head = message(`HTTP/1.1 101 Switching Protocols|Connection: upgrade|Upgrade: h2c|${framing}||`);
      const [reading, ...rest] = readResponses(`${head}bodyproto`);
      assert.deepEqual(
        [reading?.fault, reading?.body, JSON.parse(reading?.head ?? '').upgrade, rest],
        ['', '', 'h2c', []],
      );
    }
  });

  // "Data after `Connection: close`" is the connection's to refuse: the parser is not asked again.
  it('tells that nothing follows a Connection: close', () => {
    const [reading] = readResponses(message('HTTP/1.1 200 OK|Content-Length: 5|Connection: close||2ad73'));
    assert.deepEqual([reading?.body, JSON.parse(reading?.head ?? '').keepAlive], ['2ad73', false]);
  });
});
