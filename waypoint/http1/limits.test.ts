// Every limit holds exactly: N passes, N + 1 does not.

import assert from 'node:assert/strict';
import { readRequests, readResponses } from '../../test/harness/codec-reader.ts';
import { BodyDecoder } from './body-decoder.ts';
import { CHUNKED } from './framing.ts';
import { FAILED, MORE, REQUEST_LIMITS, RESPONSE_LIMITS } from './limits.ts';
import { RequestParser } from './request-parser.ts';

const START = 'GET / HTTP/1.1\r\nHost: a\r\n';

function requestOf(bytes: number): string {
  return `${START}X: ${'x'.repeat(bytes - START.length - 7)}\r\n\r\n`;
}

function responseOf(bytes: number): string {
  return `HTTP/1.1 204 ${'x'.repeat(bytes - 17)}\r\n\r\n`;
}

const LIMITS: readonly [name: string, text: (size: number) => string, limit: number, fault: string, response?: true][] =
  [
    ['request head', requestOf, REQUEST_LIMITS.headBytes, '431 head_too_long'],
    ['request fields', (n) => `${START}${'A: b\r\n'.repeat(n - 1)}\r\n`, REQUEST_LIMITS.fields, '431 too_many_fields'],
    [
      'request-target',
      (n) => `${START.replace('/', `/${'x'.repeat(n - 1)}`)}\r\n`,
      REQUEST_LIMITS.targetBytes,
      '414 target_too_long',
    ],
    ['method', (n) => `${START.replace('GET', 'G'.repeat(n))}\r\n`, 32, '400 method_too_long'],
    ['response head', responseOf, RESPONSE_LIMITS.headBytes, '502 head_too_long', true],
    [
      'response fields',
      (n) => `HTTP/1.1 204 \r\n${'A: b\r\n'.repeat(n)}\r\n`,
      RESPONSE_LIMITS.fields,
      '502 too_many_fields',
      true,
    ],
  ];

const NO_SINK = { onBodyData(): void {} };

function decode(text: string): BodyDecoder {
  const decoder = new BodyDecoder();
  decoder.begin(CHUNKED, 0);
  decoder.push(Buffer.from(text, 'latin1'), 0, NO_SINK);
  return decoder;
}

const BODY_LIMITS: readonly [name: string, text: (size: number) => string, limit: number, reason: string][] = [
  ['chunk size digits', (n) => `${'0'.repeat(n)}\r\n\r\n`, 13, 'chunk_size_too_large'],
  [
    'chunk extensions of a message',
    (n) => `1;${'a'.repeat(8192)}\r\nx\r\n0;${'a'.repeat(n - 8194)}\r\n\r\n`,
    16_384,
    'chunk_extensions_too_long',
  ],
  ['trailer fields', (n) => `0\r\n${'a: b\r\n'.repeat(n)}\r\n`, REQUEST_LIMITS.fields, 'too_many_fields'],
  ['trailer section', (n) => `0\r\na: ${'x'.repeat(n - 7)}\r\n\r\n`, REQUEST_LIMITS.headBytes, 'trailers_too_long'],
];

describe('Limits', () => {
  for (const [name, text, limit, fault, response] of LIMITS) {
    const read = response ? readResponses : readRequests;
    it(`${name}: ${limit} passes`, () => assert.equal(read(text(limit))[0]?.fault, ''));
    it(`${name}: ${limit + 1} fails`, () => {
      const over = text(limit + 1);
      assert.equal(read(over)[0]?.fault, fault);
      assert.equal(read(over, [Math.floor(over.length / 2)])[0]?.fault, fault);
    });
  }

  for (const [name, text, limit, reason] of BODY_LIMITS) {
    it(`${name}: ${limit} passes`, () => assert.equal(decode(text(limit)).done, true));
    it(`${name}: ${limit + 1} fails`, () => assert.equal(decode(text(limit + 1)).failure?.reason, reason));
  }

  it('counts what follows the head neither way', () => {
    const text = `${requestOf(REQUEST_LIMITS.headBytes)}${requestOf(REQUEST_LIMITS.headBytes)}`;
    assert.deepEqual(
      readRequests(text).map((reading) => reading.fault),
      ['', ''],
    );
  });

  it('refuses a request line without end at the limit of its target', () => {
    const parser = new RequestParser(REQUEST_LIMITS, 'base');
    const text = `GET /${'x'.repeat(8192)}`;
    assert.equal(parser.push(Buffer.from(text.slice(0, -1)), 0), MORE);
    assert.equal(parser.push(Buffer.from('x'), 0), FAILED);
    assert.deepEqual(parser.failure, { status: 414, reason: 'target_too_long' });
  });

  it('reads 60 KiB byte by byte, in many fields or in one', () => {
    const many = `${START}${`A: ${'x'.repeat(600)}\r\n`.repeat(98)}\r\n`;
    for (const text of [many, requestOf(REQUEST_LIMITS.headBytes)]) {
      const bytes = Buffer.from(text);
      const parser = new RequestParser(REQUEST_LIMITS, 'base');
      for (let i = 0; i < bytes.length - 1; i++) assert.equal(parser.push(bytes.subarray(i, i + 1), 0), MORE);
      assert.equal(parser.push(bytes.subarray(-1), 0), 1);
      assert.equal(parser.head.fields.text, text);
    }
  });
});
