// The request cases of llhttp's test documents (github.com/nodejs/llhttp, test/request), in our own words: as strict, or stricter.

import assert from 'node:assert/strict';
import { readRequests } from '../../test/harness/codec-reader.ts';

/** Lines by `|`; a Host line is added behind the first where llhttp's case has none: without one we refuse (see WAIVERS). */
function message(text: string): string {
  const wire = text.replaceAll('|', '\r\n');
  return /\r\nhost:/i.test(wire) ? wire : wire.replace(/( HTTP\/1\.\d\r\n)/g, '$1Host: h\r\n');
}

/** Accepted by both: each message as `METHOD path body`. */
const ACCEPTED: readonly [name: string, text: string, ...messages: string[]][] = [
  ['connection: keep-alive', 'PUT /url HTTP/1.1|Connection: keep-alive||', 'PUT /url '],
  ['connection: two in a row', 'PUT /a HTTP/1.1|Connection: keep-alive||PUT /b HTTP/1.1||', 'PUT /a ', 'PUT /b '],
  [
    'connection: 1.0 then chunked',
    'PUT /a HTTP/1.0|Content-Length: 0||PUT /b HTTP/1.1|Transfer-Encoding: chunked||0||',
    'PUT /a ',
    'PUT /b ',
  ],
  [
    'connection: line ends between',
    'POST / HTTP/1.1|Content-Length: 4||q=42||GET / HTTP/1.1||',
    'POST / q=42',
    'GET / ',
  ],
  ['connection: many options', 'PUT /url HTTP/1.1|Connection: close, token, upgrade, token, keep-alive||', 'PUT /url '],
  ['connection: upgrade of PUT', 'PUT /url HTTP/1.1|Connection: upgrade|Upgrade: ws||', 'PUT /url '],
  [
    'connection: upgrade with a body',
    'PUT /url HTTP/1.1|Connection: upgrade|Content-Length: 4|Upgrade: ws||abcd',
    'PUT /url abcd',
  ],
  [
    'connection: upgrade of GET',
    'GET /demo HTTP/1.1|Connection: Upgrade|Upgrade: WebSocket|Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5||',
    'GET /demo ',
  ],
  ['length: zeros', 'PUT /url HTTP/1.1|Content-Length: 003||abc', 'PUT /url abc'],
  ['length: field behind it', 'PUT /url HTTP/1.1|Content-Length: 003|Ohai: world||abc', 'PUT /url abc'],
  ['length: of GET from 1.0', 'GET /funky HTTP/1.0|conTENT-Length: 5||HELLO', 'GET /funky HELLO'],
  ['length: blanks around', 'POST / HTTP/1.1|Content-Length:  5 ||hello', 'POST / hello'],
  ['finish: GET', 'GET / HTTP/1.1||', 'GET / '],
  ...['REPORT', 'PURGE', 'SEARCH', 'LINK', 'UNLINK', 'SOURCE', 'HEAD', 'OPTIONS'].map(
    (method): [string, string, string] => [
      `method: ${method}`,
      `${method} /x HTTP/1.1|Link: <http://a/>; rel="tag"|Link: <http://b/>; rel="tag"||`,
      `${method} /x `,
    ],
  ),
  ['method: PATCH', 'PATCH /f HTTP/1.1|If-Match: "e0"|Content-Length: 10||cccccccccc', 'PATCH /f cccccccccc'],
  ['method: longer than a known one', 'MKCOLA / HTTP/1.1||', 'MKCOLA / '],
  ['method: of another protocol', 'ANNOUNCE /music HTTP/1.0||', 'ANNOUNCE /music '],
  [
    'pipelining',
    'POST /a HTTP/1.1|Content-Length: 3||AAA|PUT /b HTTP/1.1|Content-Length: 4||BBBB|PATCH /c HTTP/1.1|Content-Length: 5||CCCCC',
    'POST /a AAA',
    'PUT /b BBBB',
    'PATCH /c CCCCC',
  ],
  ['sample: tab before a value', 'OPTIONS /url HTTP/1.1|Header1: Value1|Header2:\t Value2||', 'OPTIONS /url '],
  [
    'sample: curl',
    'GET /test HTTP/1.1|User-Agent: curl/7.18.0 (i486-pc-linux-gnu)|Host: 0.0.0.0:5000|Accept: */*||',
    'GET /test ',
  ],
  [
    'sample: Firefox',
    'GET /favicon.ico HTTP/1.1|Host: 0.0.0.0:5000|Accept: text/html,*/*;q=0.8|Keep-Alive: 300|Connection: keep-alive||',
    'GET /favicon.ico ',
  ],
  ['sample: no blank before a value', 'GET /dumbpack HTTP/1.1|aaaaaaaaaaaaa:++++++++++||', 'GET /dumbpack '],
  ['sample: 1.0', 'GET /test HTTP/1.0|Host: 0.0.0.0:5000|User-Agent: ApacheBench/2.3||', 'GET /test '],
  ['sample: line end first', '|GET /test HTTP/1.1||', 'GET /test '],
  ['sample: UTF-8 value', 'GET / HTTP/1.1|Test: D\xc3\xbcsseldorf||', 'GET / '],
  ['sample: 0xff in a value', 'OPTIONS /url HTTP/1.1|Header2: \xffValue2||', 'OPTIONS /url '],
  ['coding: chunked', 'PUT /url HTTP/1.1|Transfer-Encoding: chunked||0||', 'PUT /url '],
  ['coding: lower-case size', 'PUT /url HTTP/1.1|Transfer-Encoding: chunked||a|0123456789|0||', 'PUT /url 0123456789'],
  ['coding: upper-case size', 'PUT /url HTTP/1.1|Transfer-Encoding: chunked||A|0123456789|0||', 'PUT /url 0123456789'],
  [
    'coding: 30 bytes',
    'POST /p HTTP/1.1|Transfer-Encoding: chunked||1e|all your base are belong to us|0||',
    'POST /p all your base are belong to us',
  ],
  [
    'coding: three zeros end it',
    'POST /p HTTP/1.1|Transfer-Encoding: chunked||5|hello|6| world|000||',
    'POST /p hello world',
  ],
  [
    'coding: trailers',
    'POST /p HTTP/1.1|Transfer-Encoding: chunked||5|hello|6| world|0|Vary: *|Content-Type: text/plain||',
    'POST /p hello world',
  ],
  [
    'coding: extensions',
    'POST /p HTTP/1.1|Transfer-Encoding: chunked||5;ilovew3;somuchlove=aretheseparametersfor;another=withvalue|hello|6;blahblah;blah| world|0||',
    'POST /p hello world',
  ],
  [
    'coding: quoted extensions',
    'POST /p HTTP/1.1|Transfer-Encoding: chunked||5;ilovew3="I \\"love\\"; \\\\extensions\\\\";somuchlove="aretheseparametersfor";blah;foo=bar|hello|6;blahblah;blah| world|0||',
    'POST /p hello world',
  ],
  ['uri: quotes', 'GET /with_"lovely"_quotes?foo="bar" HTTP/1.1||', 'GET /with_"lovely"_quotes '],
  ['uri: two question marks', 'GET /test.cgi?foo=bar?baz HTTP/1.1||', 'GET /test.cgi '],
  ['uri: absolute, query only', 'GET http://hypnotoad.org?hail=all HTTP/1.1|Host: hypnotoad.org||', 'GET / '],
  [
    'uri: absolute with port and query',
    'GET http://hypnotoad.org:1234?hail=all HTTP/1.1|Host: hypnotoad.org:1234||',
    'GET / ',
  ],
  ['uri: absolute with port', 'GET http://hypnotoad.org:1234 HTTP/1.1|Host: hypnotoad.org:1234||', 'GET / '],
  ['uri: fragment, cut', 'GET /forums/1?page=1#posts HTTP/1.1||', 'GET /forums/1 '],
];

/** Refused by both. */
const REFUSED: readonly [name: string, text: string, fault: string][] = [
  ['length: overflow', 'PUT /url HTTP/1.1|Content-Length: 1000000000000000000000||', '400 content_length_invalid'],
  ['length: twice', 'PUT /url HTTP/1.1|Content-Length: 1|Content-Length: 2||', '400 content_length_repeated'],
  [
    'length: with identity',
    'PUT /url HTTP/1.1|Content-Length: 1|Transfer-Encoding: identity||',
    '400 framing_ambiguous',
  ],
  ['length: blank within', 'POST / HTTP/1.1|Content-Length: 4 2||', '400 content_length_invalid'],
  ['length: blank within, 2', 'POST / HTTP/1.1|Content-Length: 13 37||', '400 content_length_invalid'],
  ['length: empty', 'POST / HTTP/1.1|Content-Length:||', '400 content_length_invalid'],
  ['length: CR for the dash', 'PUT /url HTTP/1.1|Content\rLength: 003||abc', '400 field_without_colon'],
  ['finish: within a body', 'PUT / HTTP/1.1|Content-Length: 100||', '0 truncated'],
  ['finish: within a head', 'PUT / HTTP/1.1|Content-Leng', '0 incomplete'],
  ['invalid: ICE', 'GET /music ICE/1.0|Host: h||', '400 version_invalid'],
  ['invalid: IHTTP', 'GET /music IHTTP/1.0|Host: h||', '400 version_invalid'],
  ['invalid: RTSP', 'PUT /music RTSP/1.0|Host: h||', '400 version_invalid'],
  ['invalid: CR between fields', 'GET / HTTP/1.1|Foo: 1\rBar: 2||', '400 bare_cr'],
  ['invalid: LF between fields', 'POST / HTTP/1.1|x:x\nTransfer-Encoding: chunked||1|A|0||', '400 bare_lf'],
  ['invalid: CR ends the head', 'GET / HTTP/1.1|Host: a|\rZGET /evil: HTTP/1.1||', '400 bare_cr'],
  ['invalid: CR behind an empty value', 'POST / HTTP/1.1|x:\rTransfer-Encoding: chunked||', '400 bare_cr'],
  ['invalid: LF behind an empty value', 'POST / HTTP/1.1|x:\nTransfer-Encoding: chunked||', '400 bare_lf'],
  ['invalid: @ in a name', 'GET / HTTP/1.1|Fo@: Failure||', '400 field_name_invalid'],
  ['invalid: control in a name', 'GET / HTTP/1.1|Foo\x01test: Bar||', '400 field_name_invalid'],
  ['invalid: no name', 'GET / HTTP/1.1|: Bar||', '400 field_name_empty'],
  ['invalid: name folded', 'GET / HTTP/1.1|name| : value||', '400 field_without_colon'],
  ['invalid: Connection corrupted', 'GET / HTTP/1.1|Connection\r\x1b\x35\xd5eep-Alive||', '400 field_without_colon'],
  ['invalid: LF hides a length', 'GET / HTTP/1.1|Dummy: x\nContent-Length: 23||', '400 bare_lf'],
  ['invalid: version', 'GET / HTTP/5.6||', '505 version_unsupported'],
  ['invalid: blank begins the fields', 'GET / HTTP/1.1| Host: foo||', '400 obs_fold'],
  ['invalid: LFs only', 'POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n', '400 bare_lf'],
  ['invalid: blank before a field', 'POST /hello HTTP/1.1|Foo: bar| Content-Length: 38||', '400 obs_fold'],
  ['value: form feed', 'GET /url HTTP/1.1|Header1: \f||', '400 field_value_invalid'],
  ['sample: folded with LF', 'GET / HTTP/1.1\nLine1:   abc\n\tdef\n\n', '400 bare_lf'],
  [
    'coding: empty, with a length',
    'POST / HTTP/1.1|Transfer-Encoding:|Content-Length: 5||hello',
    '400 framing_ambiguous',
  ],
  [
    'coding: no semicolon',
    'POST / HTTP/1.1|Transfer-Encoding: chunked||2 erfrferferf|aa|0||',
    '400 chunk_size_invalid',
  ],
  ['coding: semicolon alone', 'POST / HTTP/1.1|Transfer-Encoding: chunked||2;|aa|0||', '400 chunk_extension_invalid'],
  [
    'coding: quote left open',
    'POST / HTTP/1.1|Transfer-Encoding: chunked||5;a="abc";b="def; ghi|hello|0||',
    '400 chunk_extension_invalid',
  ],
  ['coding: pigeons', 'PUT /url HTTP/1.1|Transfer-Encoding: pigeons||', '400 transfer_encoding_invalid'],
  [
    'coding: identity with a length',
    'POST / HTTP/1.1|Transfer-Encoding: identity|Content-Length: 5||World',
    '400 framing_ambiguous',
  ],
  [
    'coding: three empty, with a length',
    'POST / HTTP/1.1|Content-Length: 10|Transfer-Encoding:|Transfer-Encoding:||',
    '400 framing_ambiguous',
  ],
  [
    'coding: chunked not last',
    'POST / HTTP/1.1|Transfer-Encoding: chunked, deflate||',
    '400 transfer_encoding_invalid',
  ],
  [
    'coding: chunked, then another field',
    'POST / HTTP/1.1|Transfer-Encoding: chunked|Transfer-Encoding: deflate||',
    '400 transfer_encoding_repeated',
  ],
  ['coding: chunkedchunked', 'POST / HTTP/1.1|Transfer-Encoding: chunkedchunked||', '400 transfer_encoding_invalid'],
  ['coding: no last chunk', 'PUT /url HTTP/1.1|Transfer-Encoding: chunked||3|foo||', '400 chunk_size_invalid'],
  [
    'coding: LF in the size line',
    'PUT /url HTTP/1.1|Transfer-Encoding: chunked||3 \n  |foo||',
    '400 chunk_size_invalid',
  ],
  ['coding: folded', 'PUT /url HTTP/1.1|Transfer-Encoding: chunked|  abc||5|World|0||', '400 obs_fold'],
  ['coding: CR CR behind a size', 'GET / HTTP/1.1|Transfer-Encoding: chunked||5\r\r;ABCD|34|E|0||', '400 bare_cr'],
  ['coding: data not ended', 'GET / HTTP/1.1|Transfer-Encoding: chunked||5|ABCDE0||', '400 chunk_data_unterminated'],
  [
    'coding: blank behind a size',
    'PUT /url HTTP/1.1|Transfer-Encoding: chunked||a |0123456789|0||',
    '400 chunk_size_invalid',
  ],
  ['uri: UTF-8', 'GET /\xce\xb4\xc2\xb6/pope?q=1#narf HTTP/1.1||', '400 target_invalid'],
  ['uri: blank', 'GET /foo bar/ HTTP/1.1||', '400 version_invalid'],
  ['url: unknown scheme', 'GET schema:/path?query=value HTTP/1.1||', '400 target_form'],
];

/** Accepted by llhttp, refused here, and why. */
const WAIVERS: readonly [why: string, text: string, fault: string][] = [
  [
    'a line is never folded (RFC 9112 section 5.2)',
    'GET /demo HTTP/1.1|Connection: Something,| Upgrade, ,Keep-Alive||',
    '400 obs_fold',
  ],
  ['a line is never folded', 'GET / HTTP/1.1|Line1:   abc|\tdef| ghi||', '400 obs_fold'],
  [
    'a line is never folded, certificates neither',
    'GET / HTTP/1.1|X-SSL-Nonsense:   -----BEGIN|\tMIIF||',
    '400 obs_fold',
  ],
  ['no HTTP/0.9', 'GET /|||', '400 request_line_incomplete'],
  ['no tunnels', 'CONNECT foo.bar.com:443 HTTP/1.0|Content-Length: 10||blarfcicle', '405 method_refused'],
  ['no tunnels, names in capitals neither', 'CONNECT HOME0.NETSCAPE.COM:443 HTTP/1.0||', '405 method_refused'],
  [
    '`*` is for OPTIONS (RFC 9112 section 3.2.4)',
    'M-SEARCH * HTTP/1.1|HOST: 239.255.255.250:1900||',
    '400 target_form',
  ],
  [
    'user information is refused (RFC 9110 section 4.2.4)',
    'GET http://a%12:b!&*$@hypnotoad.org:1234/toto HTTP/1.1||',
    '400 target_invalid',
  ],
  ['Host must be an authority', 'GET /test HTTP/1.1|Host: 0.0.0.0=5000||', '400 host_invalid'],
  [
    'codings under chunked are not undone',
    'POST / HTTP/1.1|Transfer-Encoding: deflate, chunked||5|World|0||',
    '501 transfer_encoding_unsupported',
  ],
  [
    'Transfer-Encoding comes once',
    'POST / HTTP/1.1|Transfer-Encoding: deflate|Transfer-Encoding: chunked||',
    '400 transfer_encoding_repeated',
  ],
  [
    'an upgrade to HTTP/2 is not spoken',
    'POST /demo HTTP/1.1|Connection: Upgrade|Upgrade: HTTP/2.0|Content-Length: 15||sweet post body\\|Hot diggity dogg',
    '400 method_invalid',
  ],
];

describe('Requests of the llhttp documents', () => {
  for (const [name, text, ...messages] of ACCEPTED) {
    it(`accepts ${name}`, () => {
      const readings = readRequests(message(text));
      assert.deepEqual(
        readings.map(({ fault, head, body }) => {
          const { method, path } = JSON.parse(head);
          return [fault, `${method} ${path} ${body}`];
        }),
        messages.map((expected) => ['', expected]),
      );
    });
  }

  for (const [name, text, fault] of REFUSED) {
    it(`refuses ${name}`, () => assert.equal(readRequests(message(text)).at(-1)?.fault, fault));
  }

  for (const [why, text, fault] of WAIVERS) {
    it(`is stricter: ${why}`, () => assert.equal(readRequests(message(text)).at(-1)?.fault, fault));
  }

  it('is stricter: Host is required (RFC 9112 section 3.2)', () => {
    assert.equal(readRequests('GET /one HTTP/1.1\r\nAccept: */*\r\n\r\n')[0]?.fault, '400 host_missing');
  });

  // "Data after `Connection: close`" is the connection's to refuse: the parser is not asked again.
  it('tells that nothing follows a Connection: close', () => {
    const [reading] = readRequests(message('PUT /url HTTP/1.1|Connection: close||'));
    assert.equal(JSON.parse(reading?.head ?? '').keepAlive, false);
  });
});
