// Request framing that could be read two ways (F1 – F12, F18, F19, F23): refused, and not a byte goes on.

import { expectForwarded, expectRejected } from '../harness/verdict.ts';
import { World } from '../harness/world.ts';

const HOST = 'Host: test.example\r\n';
const SMUGGLED = '0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';

/** A POST with these field lines and this rest. */
function post(lines: string, rest: string = ''): string {
  return `POST /f HTTP/1.1\r\n${HOST}${lines}\r\n${rest}`;
}

function coding(value: string): string {
  return post(`Transfer-Encoding: ${value}\r\n`, SMUGGLED);
}

function length(value: string): string {
  return post(`Content-Length: ${value}\r\n`, 'hello');
}

function get(line: string): string {
  return `GET /f HTTP/1.1\r\n${HOST}${line}\r\n\r\n`;
}

function folded(line: string, fold: string): string {
  return `POST /f HTTP/1.1\r\n${line.startsWith('Host') ? '' : HOST}${line}\r\n${fold}b\r\n\r\nhello`;
}

type Row = readonly [name: string, bytes: string, statuses?: readonly number[]];

const BAD_REQUEST = [400];
const CODING = [400, 501];

const REJECTED: readonly Row[] = [
  [
    'F1 content-length and chunked',
    post('Content-Length: 31\r\nTransfer-Encoding: chunked\r\n', SMUGGLED),
    BAD_REQUEST,
  ],
  [
    'F1 chunked and content-length',
    post('Transfer-Encoding: chunked\r\nContent-Length: 31\r\n', SMUGGLED),
    BAD_REQUEST,
  ],
  [
    'F1 content-length 0 and chunked',
    post('Content-Length: 0\r\nTransfer-Encoding: chunked\r\n', SMUGGLED),
    BAD_REQUEST,
  ],
  [
    'F2 transfer-encoding twice',
    post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', SMUGGLED),
    BAD_REQUEST,
  ],
  [
    'F2 transfer-encoding twice, second identity',
    post('Transfer-Encoding: chunked\r\ntransfer-encoding: identity\r\n', SMUGGLED),
    CODING,
  ],
  ['F2 chunked, chunked', coding('chunked, chunked'), BAD_REQUEST],
  ['F2 chunked, gzip, chunked', coding('chunked, gzip, chunked'), CODING],
  ...['chunked, identity', 'identity', 'gzip', 'xchunked'].map((v): Row => [`F3 ${v}`, coding(v), CODING]),
  ['F4 gzip, chunked', coding('gzip, chunked'), [501, 422]],
  ...[
    ',chunked',
    'chunked,',
    '"chunked"',
    "'chunked'",
    'chunked\x0b',
    '\xa0chunked',
    'chunk',
    '=?utf-8?B?Y2h1bmtlZA==?=',
    'chunked;q=1',
    '',
  ].map((v): Row => [`F5 transfer-encoding ${JSON.stringify(v)}`, coding(v)]),
  ['F6 chunked on HTTP/1.0', `POST /f HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${SMUGGLED}`, BAD_REQUEST],
  [
    'F6 chunked and keep-alive on HTTP/1.0',
    `POST /f HTTP/1.0\r\n${HOST}Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n${SMUGGLED}`,
    BAD_REQUEST,
  ],
  ...[
    '+5',
    '-5',
    '0x5',
    '5e0',
    '5.0',
    '5 5',
    '5, 5',
    '5,5',
    '1_0',
    '',
    '5;',
    ' ',
    '18446744073709551617',
    '18446744073709551621',
    '9007199254740993',
    '\xa05',
    '5\x0b',
    'five',
    '5a',
  ].map((v): Row => [`F7 content-length ${JSON.stringify(v)}`, length(v), [400, 413]]),
  ['F8 two equal content-lengths', post('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello'), BAD_REQUEST],
  ['F8 two different content-lengths', post('Content-Length: 5\r\ncontent-length: 6\r\n', 'hello!'), BAD_REQUEST],
  ['F9 space before the colon', post('Content-Length : 5\r\n', 'hello'), BAD_REQUEST],
  ['F9 tab before the colon', get('X\t: y'), BAD_REQUEST],
  ['F9 space before the first name', `GET /f HTTP/1.1\r\n X: y\r\n${HOST}\r\n`, BAD_REQUEST],
  ['F9 space before the Host', `GET /f HTTP/1.1\r\n ${HOST}\r\n`, BAD_REQUEST],
  ['F9 empty name', get(': y'), BAD_REQUEST],
  ['F9 a line without a colon', get('nothing'), BAD_REQUEST],
  ['F9 name broken by LF', get('Te\nst: x'), BAD_REQUEST],
  ...['\x00', '\x7f', '\x85', '\xa0', '@', '(', ' ', '/', '"', '\x0b'].map(
    (c): Row => [`F9 name with ${JSON.stringify(c)}`, get(`X${c}Y: z`), BAD_REQUEST],
  ),
  ...['\x85', '\xa0', '\x0b'].map(
    (c): Row => [
      `F9 name that ends in ${JSON.stringify(c)}`,
      post(`Transfer-Encoding${c}: chunked\r\n`, SMUGGLED),
      BAD_REQUEST,
    ],
  ),
  ...[
    'X-Any: a',
    'Host: test.example',
    'Expect: 100-continue',
    'Content-Length: 5',
    'Transfer-Encoding: chunked',
  ].flatMap((line): Row[] =>
    [' ', '\t'].map((fold) => [`F10 folded ${line} by ${JSON.stringify(fold)}`, folded(line, fold), BAD_REQUEST]),
  ),
  ['F10 folded coding', post('Transfer-Encoding:\r\n chunked\r\n', SMUGGLED), BAD_REQUEST],
  ['F11 bare LF behind the request line', `GET /f HTTP/1.1\n${HOST}\r\n`, BAD_REQUEST],
  ['F11 bare LF behind a field', get('X: y\nZ: z'), BAD_REQUEST],
  ['F11 bare LF everywhere', `GET /f HTTP/1.1\nHost: test.example\n\n`, BAD_REQUEST],
  ['F11 block end LF LF', `GET /f HTTP/1.1\r\n${HOST}X: y\n\n`, BAD_REQUEST],
  ['F11 block end CR LF LF', `GET /f HTTP/1.1\r\n${HOST}\n`, BAD_REQUEST],
  ['F11 bare CR in the request line', `GET /f\r HTTP/1.1\r\n${HOST}\r\n`, BAD_REQUEST],
  ['F11 bare CR behind the request line', `GET /f HTTP/1.1\r${HOST}\r\n\r\n`, BAD_REQUEST],
  ['F11 bare CR in a value', get('X: y\rZ: z'), BAD_REQUEST],
  ['F11 bare CR at the end of a value', get('X: y\r\r\nZ: z'), BAD_REQUEST],
  ['F11 block end CR LF CR X', `GET /f HTTP/1.1\r\n${HOST}\rX\r\n\r\n`, BAD_REQUEST],
  ['F12 NUL in a value', get('X: a\x00b'), BAD_REQUEST],
  ['F12 NUL in the Host', 'GET /f HTTP/1.1\r\nHost: test\x00.example\r\n\r\n', BAD_REQUEST],
  ...['\x01', '\x08', '\x0b', '\x1f', '\x7f'].map(
    (c): Row => [`F12 control ${JSON.stringify(c)} in a value`, get(`X: a${c}b`), BAD_REQUEST],
  ),
  ...[
    'HTTP/1.2',
    'HTTP/1.32',
    'HTTP/4294967295.255',
    'HTTP/2.0',
    'HTTP/0.9',
    'HTTP/1',
    'HTTP/1.',
    'HTTP/1.1x',
    'http/1.1',
    'HTTP/01.1',
    'HTTPS/1.1',
    'HTTP 1.1',
  ].map((v): Row => [`F18 version ${v}`, `GET /f ${v}\r\n${HOST}\r\n`, [400, 505]]),
  ['F18 HTTP/0.9', 'GET /\r\n\r\n', [400, 505]],
  ['F18 HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400, 505]],
  ['F19 two spaces before the target', `GET  /f HTTP/1.1\r\n${HOST}\r\n`, BAD_REQUEST],
  ['F19 two spaces behind the target', `GET /f  HTTP/1.1\r\n${HOST}\r\n`, BAD_REQUEST],
  ['F19 tabs for spaces', `GET\t/f\tHTTP/1.1\r\n${HOST}\r\n`, BAD_REQUEST],
  ['F19 space in the target', `GET /a b HTTP/1.1\r\n${HOST}\r\n`, BAD_REQUEST],
  ['F19 tab in the target', `GET /a\tb HTTP/1.1\r\n${HOST}\r\n`, BAD_REQUEST],
  ['F19 NUL in the target', `GET /a\x00b HTTP/1.1\r\n${HOST}\r\n`, BAD_REQUEST],
  ['F19 space before the method', ` GET /f HTTP/1.1\r\n${HOST}\r\n`, BAD_REQUEST],
  ['F19 space behind the version', `GET /f HTTP/1.1 \r\n${HOST}\r\n`, [400, 505]],
  ['F19 method G="x"', `G="x" /f HTTP/1.1\r\n${HOST}\r\n`, BAD_REQUEST],
  ['F19 method of 33 bytes', `${'M'.repeat(33)} /f HTTP/1.1\r\n${HOST}\r\n`, [400, 501]],
  ['F19 empty method', ` /f HTTP/1.1\r\n${HOST}\r\n`, BAD_REQUEST],
  ['F23 a hundred empty lines first', `${'\r\n'.repeat(100)}GET /f HTTP/1.1\r\n${HOST}\r\n`, BAD_REQUEST],
  ['F23 a bare LF first', `\nGET /f HTTP/1.1\r\n${HOST}\r\n`, BAD_REQUEST],
  ['TLS on a plain port', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', BAD_REQUEST],
];

const FORWARDED: readonly (readonly [string, string, Parameters<typeof expectForwarded>[2]])[] = [
  [
    'F7 content-length 010 is ten and leaves as 10',
    post('Content-Length: 010\r\n', '0123456789'),
    { body: '0123456789', fields: { 'content-length': '10' } },
  ],
  ['F7 content-length 0', length('0').slice(0, -5), { body: '' }],
  [
    'F12 bytes from 0x80 on pass unchanged',
    get('X-Raw: \x80\xa0\xff\x85'),
    { fields: { 'x-raw': '\x80\xa0\xff\x85' } },
  ],
  ['F12 an empty value stays', get('X-Empty:'), { fields: { 'x-empty': '' } }],
  ['F19 a method of 32 bytes', `${'M'.repeat(32)} /f HTTP/1.1\r\n${HOST}\r\n`, { method: 'M'.repeat(32) }],
  ['F23 one empty line first', `\r\n${get('X: y')}`, { target: '/f' }],
  [
    'chunked in another case',
    post('transfer-ENCODING: Chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'),
    { body: 'hello', fields: { 'transfer-encoding': 'chunked', 'content-length': null } },
  ],
  ['white space around values goes', get('X-Wide:  \t a b \t '), { fields: { 'x-wide': 'a b' } }],
];

describe('request framing, refused', () => {
  let world: World;
  before(async () => {
    world = await World.start();
  });
  after(() => world.close());

  for (const [name, bytes, statuses] of REJECTED) {
    it(name, async () => {
      await expectRejected(world, bytes, statuses);
    });
  }
});

describe('request framing, forwarded in canonical form', () => {
  let world: World;
  before(async () => {
    world = await World.start();
  });
  after(() => world.close());

  for (const [name, bytes, expected] of FORWARDED) {
    it(name, async () => {
      await expectForwarded(world, bytes, expected);
    });
  }
});
