// What a request may look like on the wire: everything two servers could read in two ways is refused (RFC 9112).

import assert from 'node:assert/strict';
import { readRequests } from '../../test/harness/codec-reader.ts';

const BIG = '18446744073709551617';

/** `lines` come behind `POST / HTTP/1.1` and Host. */
const HEADS: readonly [name: string, lines: string, fault: string][] = [
  // F1: Content-Length and Transfer-Encoding
  ['both lengths', 'Content-Length: 31\r\nTransfer-Encoding: chunked\r\n', '400 framing_ambiguous'],
  ['both, other order', 'Transfer-Encoding: chunked\r\nContent-Length: 31\r\n', '400 framing_ambiguous'],
  // F2
  ['coding twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '400 transfer_encoding_repeated'],
  ['chunked twice', 'Transfer-Encoding: chunked, chunked\r\n', '400 transfer_encoding_invalid'],
  ['chunked first and last', 'Transfer-Encoding: chunked, gzip, chunked\r\n', '400 transfer_encoding_invalid'],
  // F3
  ['chunked not last', 'Transfer-Encoding: chunked, identity\r\n', '400 transfer_encoding_invalid'],
  ['identity', 'Transfer-Encoding: identity\r\n', '400 transfer_encoding_invalid'],
  ['gzip alone', 'Transfer-Encoding: gzip\r\n', '400 transfer_encoding_invalid'],
  ['xchunked', 'Transfer-Encoding: xchunked\r\n', '400 transfer_encoding_invalid'],
  // F4
  ['gzip under chunked', 'Transfer-Encoding: gzip, chunked\r\n', '501 transfer_encoding_unsupported'],
  ['gzip, then chunked', 'Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n', '400 transfer_encoding_repeated'],
  // F5
  ['empty member', 'Transfer-Encoding: ,chunked\r\n', '400 transfer_encoding_invalid'],
  ['double quotes', 'Transfer-Encoding: "chunked"\r\n', '400 transfer_encoding_invalid'],
  ['single quotes', "Transfer-Encoding: 'chunked'\r\n", '400 transfer_encoding_invalid'],
  ['vertical tab', 'Transfer-Encoding: chunked\x0b\r\n', '400 field_value_invalid'],
  ['no-break space', 'Transfer-Encoding: \xa0chunked\r\n', '400 transfer_encoding_invalid'],
  ['chunk', 'Transfer-Encoding: chunk\r\n', '400 transfer_encoding_invalid'],
  ['encoded word', 'Transfer-Encoding: =?utf-8?B?Y2h1bmtlZA==?=\r\n', '400 transfer_encoding_invalid'],
  ['empty coding', 'Transfer-Encoding:\r\n', '400 transfer_encoding_invalid'],
  ['parameter', 'Transfer-Encoding: chunked;q=1\r\n', '400 transfer_encoding_invalid'],
  // F7
  ...['+5', '-5', '0x5', '5e0', '5.0', '5 5', '5, 5', '5,5', '1_0', '', '5;', BIG, '9007199254740992', '\xb2'].map(
    (value): [string, string, string] => [
      `length ${value}`,
      `Content-Length: ${value}\r\n`,
      '400 content_length_invalid',
    ],
  ),
  // F8
  ['length twice', 'Content-Length: 5\r\nContent-Length: 5\r\n', '400 content_length_repeated'],
  ['two lengths', 'Content-Length: 5\r\ncontent-length: 6\r\n', '400 content_length_repeated'],
  // F9
  ['space before colon', 'Content-Length : 5\r\n', '400 space_before_colon'],
  ['tab before colon', 'X\t: y\r\n', '400 space_before_colon'],
  ['empty name', ': y\r\n', '400 field_name_empty'],
  ['newline within a name', 'Te\nst: x\r\n', '400 bare_lf'],
  ['no colon', 'Test\r\n', '400 field_without_colon'],
  ['no colon, two words', 'Test x\r\n', '400 space_before_colon'],
  ...['\x00', '\x7f', '\x85', '\xa0', '@', '(', '/', '[', '{', '"', ',', ';', '\\'].map(
    (char): [string, string, string] => [`name with ${shown(char)}`, `a${char}b: y\r\n`, '400 field_name_invalid'],
  ),
  ['next-line suffix', 'Transfer-Encoding\x85: chunked\r\n', '400 field_name_invalid'],
  // F10
  ['folded value', 'X: a\r\n b\r\n', '400 obs_fold'],
  ['folded with a tab', 'X: a\r\n\tb\r\n', '400 obs_fold'],
  ['folded coding', 'Transfer-Encoding:\r\n chunked\r\n', '400 obs_fold'],
  ['folded expectation', 'Expect:\r\n 100-continue\r\n', '400 obs_fold'],
  // F11
  ['bare LF', 'X: a\nY: b\r\n', '400 bare_lf'],
  ['bare LF ends an empty value', 'X:\nY: b\r\n', '400 bare_lf'],
  ['bare CR', 'X: a\rY: b\r\n', '400 bare_cr'],
  ['two CRs', 'X: a\r\r\n', '400 bare_cr'],
  ['CR ends the block', 'X: a\r\n\rX', '400 bare_cr'],
  ['LF ends the block', 'X: a\r\n\n', '400 bare_lf'],
  // F12
  ['NUL in a value', 'X: a\x00b\r\n', '400 field_value_invalid'],
  ['DEL in a value', 'X: a\x7f\r\n', '400 field_value_invalid'],
  ['escape in a value', 'X: \x1b[1m\r\n', '400 field_value_invalid'],
];

/** F11, F18, F19, F23, P7, U6: request lines, each with its end; Host follows. */
const LINES: readonly [line: string, fault: string][] = [
  ['GET / HTTP/1.1\n', '400 bare_lf'],
  ['GET / HTTP/1.1\rX', '400 bare_cr'],
  ['GET / HTTP/1.1 \r\n', '400 version_invalid'],
  ['GET / HTTP/1.2\r\n', '505 version_unsupported'],
  ['GET / HTTP/1.9\r\n', '505 version_unsupported'],
  ['GET / HTTP/1.32\r\n', '505 version_unsupported'],
  ['GET / HTTP/1.10\r\n', '505 version_invalid'],
  ['GET / HTTP/2.0\r\n', '505 version_unsupported'],
  ['GET / HTTP/0.9\r\n', '505 version_unsupported'],
  ['GET / HTTP/4294967295.255\r\n', '505 version_unsupported'],
  ['GET / HTTP/11.1\r\n', '505 version_invalid'],
  ['GET / HTTP/01.1\r\n', '505 version_unsupported'],
  ['GET / HTTP/1.\r\n', '400 request_line_incomplete'],
  ['GET / HTTP/1\r\n', '400 request_line_incomplete'],
  ['GET / HTTP/1,1\r\n', '400 version_invalid'],
  ['GET / http/1.1\r\n', '400 version_invalid'],
  ['GET / HTTPS/1.1\r\n', '400 version_invalid'],
  ['GET /\r\n', '400 request_line_incomplete'],
  ['GET / \r\n', '400 request_line_incomplete'],
  ['GET\r\n', '400 request_line_incomplete'],
  ['GET  / HTTP/1.1\r\n', '400 target_invalid'],
  ['GET\t/ HTTP/1.1\r\n', '400 method_invalid'],
  ['GET /\tHTTP/1.1\r\n', '400 target_invalid'],
  ['GET /  HTTP/1.1\r\n', '400 version_invalid'],
  ['GET /a b HTTP/1.1\r\n', '400 version_invalid'],
  ['GET /\xe4 HTTP/1.1\r\n', '400 target_invalid'],
  ['GET /\x00 HTTP/1.1\r\n', '400 target_invalid'],
  ['GET /\x7f HTTP/1.1\r\n', '400 target_invalid'],
  ['G="x" / HTTP/1.1\r\n', '400 method_invalid'],
  ['G/T / HTTP/1.1\r\n', '400 method_invalid'],
  [' GET / HTTP/1.1\r\n', '400 method_invalid'],
  ['\nGET / HTTP/1.1\r\n', '400 bare_lf'],
  ['\r\rGET / HTTP/1.1\r\n', '400 bare_cr'],
  ['\x16\x03\x01', '400 method_invalid'],
  ['PRI * HTTP/2.0\r\n', '505 version_unsupported'],
  [`${'\r\n'.repeat(5)}GET / HTTP/1.1\r\n`, '400 leading_lines'],
  [`${'\r\n'.repeat(100)}GET / HTTP/1.1\r\n`, '400 leading_lines'],
  [`${'M'.repeat(33)} / HTTP/1.1\r\n`, '400 method_too_long'],
  ['CONNECT shop:443 HTTP/1.1\r\n', '405 method_refused'],
  ['TRACE / HTTP/1.1\r\n', '405 method_refused'],
  ['GET * HTTP/1.1\r\n', '400 target_form'],
  ['GET admin HTTP/1.1\r\n', '400 target_form'],
  ['GET shop:80 HTTP/1.1\r\n', '400 target_form'],
  ['OPTIONS ** HTTP/1.1\r\n', '400 target_form'],
  ['OPTIONS *?x HTTP/1.1\r\n', '400 target_form'],
  ['GET ftp://shop/ HTTP/1.1\r\n', '400 target_form'],
  ['GET https://shop/ HTTP/1.1\r\n', '400 target_form'],
  ['GET http:/shop/ HTTP/1.1\r\n', '400 target_form'],
  ['GET ?x HTTP/1.1\r\n', '400 target_form'],
  ['GET # HTTP/1.1\r\n', '400 target_form'],
];

/** Accepted and forwarded, as given or as the second text. `H` stands for the Host line. */
const FORWARDED: readonly [name: string, head: string, forwarded?: string][] = [
  ['plain', 'GET / HTTP/1.1\r\nH\r\n'],
  ['one empty line first', '\r\nGET / HTTP/1.1\r\nH\r\n', 'GET / HTTP/1.1\r\nH\r\n'],
  ['four empty lines first', '\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nH\r\n', 'GET / HTTP/1.1\r\nH\r\n'],
  ['method of 32', `${'m'.repeat(32)} / HTTP/1.1\r\nH\r\n`],
  ['method keeps its case', 'get / HTTP/1.1\r\nH\r\n'],
  ['leading zeros', 'PUT / HTTP/1.1\r\nHContent-Length: 010\r\n\r\n', 'PUT / HTTP/1.1\r\nHcontent-length: 10\r\n\r\n'],
  ['zero', 'PUT / HTTP/1.1\r\nHContent-Length: 0\r\n\r\n'],
  ['zeros', 'PUT / HTTP/1.1\r\nHContent-Length: 00\r\n\r\n', 'PUT / HTTP/1.1\r\nHcontent-length: 0\r\n\r\n'],
  ['largest length', 'PUT / HTTP/1.1\r\nHContent-Length: 9007199254740991\r\n\r\n'],
  ['chunked', 'PUT / HTTP/1.1\r\nHTransfer-Encoding: chunked\r\n\r\n'],
  [
    'chunked in another case',
    'PUT / HTTP/1.1\r\nHTransfer-Encoding: CHUNKED \r\nA: b\r\n\r\n',
    'PUT / HTTP/1.1\r\nHA: b\r\ntransfer-encoding: chunked\r\n\r\n',
  ],
  ['obs-text', 'GET / HTTP/1.1\r\nHX: D\xfcsseldorf\xff\x80\r\n\r\n'],
  ['no-break space stays', 'GET / HTTP/1.1\r\nHX: \xa0a\xa0\r\n\r\n'],
  ['tab within a value', 'GET / HTTP/1.1\r\nHX: a\tb\r\n\r\n'],
  ['no space', 'GET / HTTP/1.1\r\nHa:b\r\nC: d\r\n\r\n', 'GET / HTTP/1.1\r\nHa: b\r\nC: d\r\n\r\n'],
  ['white space around', 'GET / HTTP/1.1\r\nHa:\t  b \t\r\n\r\n', 'GET / HTTP/1.1\r\nHa: b\r\n\r\n'],
  ['empty value', 'GET / HTTP/1.1\r\nHa:\r\nb: \r\n\r\n', 'GET / HTTP/1.1\r\nHa: \r\nb: \r\n\r\n'],
  ['repeated fields, cookies too', 'GET / HTTP/1.1\r\nHCookie: a=1\r\nX: 1\r\nCookie: b=2\r\nx: 2\r\n\r\n'],
  ['every tchar', "GET / HTTP/1.1\r\nH!#$%&'*+-.^_`|~09azAZ: x\r\n\r\n"],
  ['names of Object', 'GET / HTTP/1.1\r\nH__proto__: 1\r\nconstructor: 2\r\ntoString: 3\r\n\r\n'],
  ['HTTP/1.0', 'GET / HTTP/1.0\r\nH\r\n', 'GET / HTTP/1.1\r\nH\r\n'],
  ['HTTP/1.0 without Host', 'GET /a HTTP/1.0\r\n\r\n', 'GET /a HTTP/1.1\r\n\r\n'],
];

describe('Requests on the wire', () => {
  for (const [name, lines, fault] of HEADS) {
    it(`refuses ${name}`, () => {
      const [reading] = readRequests(
        `POST / HTTP/1.1\r\nHost: shop\r\n${lines}\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n`,
      );
      assert.equal(reading?.fault, fault);
      assert.equal(reading?.forwarded, '');
    });
  }

  it('refuses a first field that begins with a blank', () => {
    assert.equal(readRequests('GET / HTTP/1.1\r\n X: y\r\nHost: a\r\n\r\n')[0]?.fault, '400 obs_fold');
  });

  it('refuses chunked from HTTP/1.0', () => {
    const text = 'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
    assert.equal(readRequests(text)[0]?.fault, '400 transfer_encoding_http10');
  });

  for (const [line, fault] of LINES) {
    it(`refuses ${shown(line)}`, () => assert.equal(readRequests(`${line}Host: shop\r\n\r\n`)[0]?.fault, fault));
  }

  for (const [name, head, forwarded = head] of FORWARDED) {
    it(`forwards ${name}`, () => {
      const [reading] = readRequests(head.replace('\nH', '\nHost: shop\r\n'));
      assert.equal(reading?.forwarded, forwarded.replace('\nH', '\nHost: shop\r\n'));
    });
  }

  for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'PURGE']) {
    it(`frames a body of ${method} like any other`, () => {
      const text = `${method} /a HTTP/1.1\r\nHost: a\r\nContent-Length: 29\r\n\r\nGET /404 HTTP/1.1\r\nHost: evil\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n`;
      const readings = readRequests(text);
      assert.deepEqual(
        readings.map((reading) => [reading.fault, reading.forwarded.slice(0, reading.forwarded.indexOf(' HTTP'))]),
        [
          ['', `${method} /a`],
          ['', 'GET /b'],
        ],
      );
      assert.equal(readings[0]?.body, 'GET /404 HTTP/1.1\r\nHost: evil');
    });
  }

  it('fails at the first byte that can begin no request', () => {
    assert.equal(readRequests('\0')[0]?.fault, '400 method_invalid');
  });
});

function shown(text: string): string {
  const json = JSON.stringify(text).slice(1, -1);
  return json.length > 60 ? `${json.slice(0, 60)}… (${text.length} bytes)` : json;
}
