import assert from 'node:assert/strict';
import fc from 'fast-check';
import { REQUEST_LIMITS, RESPONSE_LIMITS } from './limits.ts';
import { RequestParser } from './request-parser.ts';
import { ResponseParser } from './response-parser.ts';

const REQUESTS = [
  'GET / HTTP/1.1\r\nHost: a\r\nCookie: x=1\r\n\r\n',
  'GET /b HTTP/1.1\r\nHost: a\r\nCookie: x=1\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 007\r\nConnection: close, cookie\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
  'GET http://b/x HTTP/1.1\r\nHost: b\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n',
  'GET / HTTP/1.0\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n',
].map((text) => Buffer.from(text, 'latin1'));

const RESPONSES = [
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n',
  'HTTP/1.0 404 No\r\n\r\n',
  'HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n',
].map((text) => Buffer.from(text, 'latin1'));

/** What a filter may do between two messages. */
type Edit = 'none' | 'set' | 'remove' | 'rewrite' | 'append';
const edit: fc.Arbitrary<Edit> = fc.constantFrom('none', 'none', 'none', 'set', 'remove', 'rewrite', 'append');

function requestFacts(parser: RequestParser, chunk: Buffer): unknown {
  const end = parser.push(chunk, 0);
  if (end < 0) return parser.failure;
  const { method, path, host, minor, keepAlive, framing, contentLength, upgrade, fields } = parser.head;
  const { head } = parser;
  return [
    end,
    method,
    path,
    host,
    minor,
    keepAlive,
    framing,
    contentLength,
    upgrade,
    fields.entries(),
    head.serialize(''),
  ];
}

function responseFacts(parser: ResponseParser, chunk: Buffer): unknown {
  const end = parser.push(chunk, 0);
  const { status, minor, keepAlive, framing, contentLength, fields } = parser.head;
  return [end, status, minor, keepAlive, framing, contentLength, fields.entries(), parser.head.serialize('')];
}

function apply(change: Edit, head: RequestParser['head'] | ResponseParser['head']): void {
  if (change === 'set') head.fields.set('cookie', 'edited');
  else if (change === 'remove') head.fields.remove('content-length');
  else if (change === 'append') head.fields.append('x-added', '1');
  else if (change === 'rewrite' && 'forwardPath' in head) {
    head.forwardPath = '/rewritten';
    head.forwardAuthority = 'elsewhere';
    head.upgrade = null;
  }
}

describe('a head that repeats', () => {
  it('reads as it would by a fresh parser, whatever was done to the one before it', () => {
    const step = fc.record({ index: fc.nat(REQUESTS.length - 1), change: edit, cut: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const parser = new RequestParser(REQUEST_LIMITS, 'base');
        for (const { index, change, cut } of steps) {
          const chunk = REQUESTS[index]!;
          if (cut) parser.push(chunk.subarray(0, 5), 0);
          const rest = cut ? chunk.subarray(5) : chunk;
          const fresh = new RequestParser(REQUEST_LIMITS, 'base');
          if (cut) fresh.push(chunk.subarray(0, 5), 0);
          assert.deepEqual(requestFacts(parser, rest), requestFacts(fresh, rest));
          apply(change, parser.head);
          parser.reset();
        }
      }),
      { numRuns: 500 },
    );
  });

  it('of a response depends on the method it answers', () => {
    const step = fc.record({
      index: fc.nat(RESPONSES.length - 1),
      method: fc.constantFrom('GET', 'HEAD'),
      change: edit,
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const parser = new ResponseParser(RESPONSE_LIMITS);
        for (const { index, method, change } of steps) {
          const fresh = new ResponseParser(RESPONSE_LIMITS);
          parser.reset(method);
          fresh.reset(method);
          assert.deepEqual(responseFacts(parser, RESPONSES[index]!), responseFacts(fresh, RESPONSES[index]!));
          apply(change, parser.head);
        }
      }),
      { numRuns: 500 },
    );
  });
});
