// Bodies in every framing: what is handed on, where they end, and what makes them broken.

import assert from 'node:assert/strict';
import { BodyDecoder } from './body-decoder.ts';
import { CHUNKED, CLOSE, type Framing, LENGTH, NONE } from './framing.ts';
import { FAILED } from './limits.ts';

class Collector {
  readonly pieces: Buffer[] = [];
  onBodyData(data: Buffer): void {
    this.pieces.push(data);
  }
  get text(): string {
    return Buffer.concat(this.pieces).toString('latin1');
  }
}

function decode(
  framing: Framing,
  length: number,
  text: string,
): { decoder: BodyDecoder; sink: Collector; end: number } {
  const decoder = new BodyDecoder();
  const sink = new Collector();
  decoder.begin(framing, length);
  return { decoder, sink, end: decoder.push(Buffer.from(text, 'latin1'), 0, sink) };
}

const WHOLE: readonly [name: string, text: string, body: string, trailers: string][] = [
  ['nothing', '0\r\n\r\n', '', ''],
  ['one chunk', '5\r\nhello\r\n0\r\n\r\n', 'hello', ''],
  ['hexadecimal, either case', 'A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n', '01234567890123456789', ''],
  ['leading zeros', '0005\r\nhello\r\n000\r\n\r\n', 'hello', ''],
  ['line ends as data', '4\r\n\r\n\r\n\r\n0\r\n\r\n', '\r\n\r\n', ''],
  // F14: forgotten
  ['extension', '1;a=b\r\nx\r\n0;c\r\n\r\n', 'x', ''],
  ['several, quoted', '1;a;b="c;d\\"\\\\ \xe4";e=f\r\nx\r\n0\r\n\r\n', 'x', ''],
  [
    'trailers, made canonical',
    '0\r\nX-Sum:1\r\nServer-Timing:  a;dur=1 \r\n\r\n',
    '',
    'x-sum: 1\r\nserver-timing: a;dur=1\r\n',
  ],
  ['a trailer twice', '0\r\nA: 1\r\na: 2\r\n\r\n', '', 'a: 1\r\na: 2\r\n'],
  ['gRPC trailers', '0\r\ngrpc-status: 0\r\ngrpc-message:\r\n\r\n', '', 'grpc-status: 0\r\ngrpc-message: \r\n'],
];

/** F0, F11, F13 – F16: `body` is what was handed on before the fault. */
const BROKEN: readonly [text: string, reason: string, body?: string][] = [
  ['0_2e\r\n', 'chunk_size_invalid'],
  ['Z\r\nZZ', 'chunk_size_invalid'],
  ['1\n', 'bare_lf'],
  ['0x1\r\nx\r\n', 'chunk_size_invalid'],
  ['+1\r\nx\r\n', 'chunk_size_invalid'],
  ['-1\r\nx\r\n', 'chunk_size_invalid'],
  [' 1\r\nx\r\n', 'chunk_size_invalid'],
  ['1 \r\nx\r\n', 'chunk_size_invalid'],
  ['1\t;a\r\nx\r\n', 'chunk_size_invalid'],
  ['\r\n', 'chunk_size_invalid'],
  [';a\r\n', 'chunk_size_invalid'],
  ['G\r\n', 'chunk_size_invalid'],
  ['@\r\n', 'chunk_size_invalid'],
  ['g\r\n', 'chunk_size_invalid'],
  ['11111111111111111\r\n', 'chunk_size_too_large'],
  ['fffffffffffffffff\r\n', 'chunk_size_too_large'],
  ['00000000000000001\r\nx', 'chunk_size_too_large'],
  ['2\r\r;a\r\n02\r\n', 'bare_cr'],
  ['1\rx\r\n', 'bare_cr'],
  ['1;\nx', 'bare_lf'],
  ['1;a\nx', 'bare_lf'],
  ['1;a="b\nx', 'bare_lf'],
  ['41;a=b\r\rX', 'bare_cr'],
  ['1;\r\nx', 'chunk_extension_invalid'],
  ['1;a=\r\nx', 'chunk_extension_invalid'],
  ['1;=b\r\nx', 'chunk_extension_invalid'],
  ['1; a\r\nx', 'chunk_extension_invalid'],
  ['1;a =b\r\nx', 'chunk_extension_invalid'],
  ['1;a="b\r\nx', 'chunk_extension_invalid'],
  ['1;a="b"c\r\nx', 'chunk_extension_invalid'],
  ['1;a="\x00"\r\nx', 'chunk_extension_invalid'],
  ['1;a="\\\x7f"\r\nx', 'chunk_extension_invalid'],
  ['1;a\x85\r\nx', 'chunk_extension_invalid'],
  ['1;a,b\r\nx', 'chunk_extension_invalid'],
  ['3\r\nabcd\r\n0\r\n\r\n', 'chunk_data_unterminated', 'abc'],
  ['3\r\nabc0\r\n\r\n', 'chunk_data_unterminated', 'abc'],
  ['3\r\nabc\n0\r\n\r\n', 'chunk_data_unterminated', 'abc'],
  ['3\r\nabc\rX0\r\n\r\n', 'chunk_data_unterminated', 'abc'],
  ['3\r\nabc\r\n\r\n', 'chunk_size_invalid', 'abc'],
  ['0\r\nX', 'incomplete'],
  ['0\r\n\n', 'bare_lf'],
  ['0\r\n\rX', 'bare_cr'],
  ['0\r\nGET / HTTP/1.1\r\n\r\n', 'space_before_colon'],
  ['0\r\n a: b\r\n\r\n', 'obs_fold'],
  ['0\r\na: b\nc: d\r\n\r\n', 'bare_lf'],
  ['0\r\na\x00: b\r\n\r\n', 'field_name_invalid'],
  ['0\r\na: \x00\r\n\r\n', 'field_value_invalid'],
  ['1\r\nx\r\n0\r\n: b\r\n\r\n', 'field_name_empty', 'x'],
];

/** F17. */
const FORBIDDEN = [
  ...['Content-Length', 'Transfer-Encoding', 'Host', 'Authorization', 'Cookie', 'Set-Cookie', 'Connection', 'Upgrade'],
  ...[
    'X-Forwarded-For',
    'X_Forwarded_For',
    'x.forwarded.host',
    'X-Forwarded-User',
    'Forwarded',
    'X-Real-IP',
    'Via',
    'TE',
  ],
  ...[
    'X-Waypoint-Principal',
    'x-envoy-original-path',
    'X-Request-Id',
    'Trailer',
    'Expect',
    'Keep-Alive',
    'Content-Type',
  ],
  ...['Content-Encoding', 'Cache-Control', 'Proxy-Authorization', 'Sec-WebSocket-Key', 'Access-Control-Allow-Origin'],
];

describe('BodyDecoder', () => {
  for (const [name, text, body, trailers] of WHOLE) {
    it(`decodes chunked: ${name}`, () => {
      const { decoder, sink, end } = decode(CHUNKED, 0, `${text}GET /next`);
      assert.equal(decoder.failure, null);
      assert.equal(decoder.done, true);
      assert.equal(sink.text, body);
      assert.equal(decoder.trailers, trailers);
      assert.equal(end, text.length);
    });
  }

  for (const [text, reason, body = ''] of BROKEN) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      const { decoder, sink, end } = decode(CHUNKED, 0, text);
      assert.equal(decoder.done, false);
      assert.equal(decoder.end(), false);
      assert.equal(sink.text, body);
      assert.equal(end, reason === 'incomplete' ? text.length : FAILED);
      assert.deepEqual(decoder.failure, reason === 'incomplete' ? null : { status: 400, reason });
    });
  }

  it('drops trailers that must not become header fields', () => {
    for (const name of FORBIDDEN) {
      const { decoder } = decode(CHUNKED, 0, `0\r\nA: b\r\n${name}: x\r\nC: d\r\n\r\n`);
      assert.equal(decoder.trailers, 'a: b\r\nc: d\r\n', name);
    }
  });

  it('hands on views, not copies', () => {
    const chunk = Buffer.from('5\r\nhello\r\n0\r\n\r\n');
    const sink = new Collector();
    const decoder = new BodyDecoder();
    decoder.begin(CHUNKED, 0);
    decoder.push(chunk, 0, sink);
    decoder.begin(LENGTH, 5);
    decoder.push(chunk, 3, sink);
    decoder.begin(LENGTH, chunk.length);
    decoder.push(chunk, 0, sink);
    decoder.begin(CLOSE, 0);
    decoder.push(chunk, 3, sink);
    assert.deepEqual(
      sink.pieces.map(({ buffer, length }) => [buffer === chunk.buffer, length]),
      [
        [true, 5],
        [true, 5],
        [true, chunk.length],
        [true, chunk.length - 3],
      ],
    );
    assert.equal(sink.pieces[2], chunk);
  });

  it('takes of a body with a length its bytes and no more', () => {
    const { decoder, sink, end } = decode(LENGTH, 5, 'helloGET /next');
    assert.deepEqual([decoder.done, sink.text, end], [true, 'hello', 5]);
    assert.equal(decoder.push(Buffer.from('x'), 0, sink), 0);
    const short = decode(LENGTH, 5, 'hell');
    assert.deepEqual([short.decoder.done, short.decoder.end(), short.end], [false, false, 4]);
  });

  it('is done at once without a body', () => {
    assert.equal(decode(NONE, 0, 'GET /next').end, 0);
    const { decoder, end } = decode(LENGTH, 0, 'GET /next');
    assert.deepEqual([decoder.done, decoder.end(), end], [true, true, 0]);
  });

  it('ends with the connection where nothing else tells', () => {
    const { decoder, sink } = decode(CLOSE, 0, 'anything');
    assert.deepEqual([decoder.done, sink.text], [false, 'anything']);
    assert.equal(decoder.end(), true);
    assert.equal(decoder.done, true);
  });

  it('starts afresh for the next body, also after a fault', () => {
    const { decoder } = decode(CHUNKED, 0, '0\r\nA: b\r\nc');
    decoder.begin(CHUNKED, 0);
    const sink = new Collector();
    assert.equal(decoder.push(Buffer.from('1\r\nx\r\n0\r\n\r\n'), 0, sink), 11);
    assert.deepEqual([decoder.done, sink.text, decoder.trailers], [true, 'x', '']);
    decoder.begin(CHUNKED, 0);
    decoder.push(Buffer.from('g'), 0, sink);
    decoder.begin(LENGTH, 1);
    assert.equal(decoder.failure, null);
  });
});
