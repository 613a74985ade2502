// Edits of a head by filters, what they show to whoever matches next, and what is written in the end.

import assert from 'node:assert/strict';
import { REQUEST_LIMITS } from './limits.ts';
import type { Http1RequestHead } from './request-head.ts';
import { RequestParser } from './request-parser.ts';

function head(lines: string, start = 'GET /a?b HTTP/1.1'): Http1RequestHead {
  const parser = new RequestParser(REQUEST_LIMITS, 'base');
  const text = `${start}|Host: shop|${lines}|`.replaceAll('|', '\r\n');
  assert.equal(parser.push(Buffer.from(text, 'latin1'), 0), text.length);
  return parser.head;
}

/** Everything behind the request line, `|` for CRLF. */
function lines(of: Http1RequestHead, extra = ''): string {
  return of.serialize(extra).split('\r\n').slice(1, -2).join('|');
}

type Edit = (of: Http1RequestHead) => void;

const EDITS: readonly [name: string, before: string, edit: Edit, after: string][] = [
  ['nothing', 'A: 1|B: 2|', () => {}, 'Host: shop|A: 1|B: 2'],
  ['set what is absent', 'A: 1|', ({ fields }) => fields.set('b', '2'), 'Host: shop|A: 1|b: 2'],
  ['set what is there twice', 'A: 1|B: 2|a: 3|', ({ fields }) => fields.set('a', '4'), 'Host: shop|B: 2|a: 4'],
  ['append', 'A: 1|', ({ fields }) => fields.append('a', '2'), 'Host: shop|A: 1|a: 2'],
  ['remove first, middle, last', 'A: 1|B: 2|C: 3|', ({ fields }) => fields.remove('b'), 'Host: shop|A: 1|C: 3'],
  [
    'remove what was added',
    'A: 1|',
    ({ fields }) => {
      fields.set('b', '2');
      fields.remove('b');
    },
    'Host: shop|A: 1',
  ],
  [
    'set again',
    '',
    ({ fields }) => {
      fields.set('b', '2');
      fields.set('b', '3');
    },
    'Host: shop|b: 3',
  ],
  ['remove what is absent', 'A: 1|', ({ fields }) => fields.remove('z'), 'Host: shop|A: 1'],
  ['remove all', 'A: 1|a: 2|', ({ fields }) => fields.remove('a'), 'Host: shop'],
  ['set Host', 'A: 1|', ({ fields }) => fields.set('host', 'b'), 'A: 1|host: b'],
  ['append Host: still one', '', ({ fields }) => fields.append('host', 'b'), 'host: b'],
  ['Host can not be removed', '', ({ fields }) => fields.remove('host'), 'Host: shop'],
  ['forwardAuthority', 'A: 1|', (of) => (of.forwardAuthority = 'b:81'), 'A: 1|host: b:81'],
  [
    'forwardAuthority over a set Host',
    '',
    (of) => {
      of.fields.set('host', 'b');
      of.forwardAuthority = 'c';
    },
    'host: c',
  ],
  ['forwardAuthority with a line end', '', (of) => (of.forwardAuthority = 'b\r\nX: y'), 'host: bX:y'],
  ['a value with a line end', '', ({ fields }) => fields.set('a', 'b\r\nX: y'), 'Host: shop|a: b  X: y'],
  ['a value with NUL', '', ({ fields }) => fields.set('a', '\0b\x7f'), 'Host: shop|a: b'],
  ['a value beyond Latin-1', '', ({ fields }) => fields.set('a', 'Ċx'), 'Host: shop|a: \xc4\x8ax'],
  ['a Latin-1 value', '', ({ fields }) => fields.set('a', '\xe4'), 'Host: shop|a: \xe4'],
  ['a name that is none', '', ({ fields }) => fields.set('a b', 'c'), 'Host: shop'],
];

describe('FieldBlock', () => {
  for (const [name, before, edit, after] of EDITS) {
    it(`writes after an edit: ${name}`, () => {
      const of = head(before);
      edit(of);
      assert.equal(lines(of), after);
    });
  }

  for (const name of [
    'content-length',
    'transfer-encoding',
    'connection',
    'te',
    'upgrade',
    'keep-alive',
    'proxy-connection',
  ]) {
    it(`lets no filter touch ${name}`, () => {
      const of = head('Content-Length: 3|A: b|');
      of.fields.set(name, '4');
      of.fields.append(name, '5');
      of.fields.remove(name);
      assert.equal(lines(of), 'Host: shop|Content-Length: 3|A: b');
    });
  }

  it('shows fields by lower-case name, in order, with their edits', () => {
    const { fields } = head('A: 1|a:  2 |B:|__proto__: x|');
    fields.append('a', '3');
    assert.equal(fields.get('a'), '1,2,3');
    assert.deepEqual(fields.values('a'), ['1', '2', '3']);
    assert.equal(fields.get('b'), '');
    assert.equal(fields.has('b'), true);
    assert.equal(fields.get('c'), undefined);
    assert.equal(fields.has('c'), false);
    assert.equal(fields.values('c'), fields.values('d'));
    assert.equal(fields.get('__proto__'), 'x');
    assert.equal(fields.has('constructor'), false);
    assert.deepEqual(fields.entries(), [
      ['Host', 'shop'],
      ['A', '1'],
      ['a', '2'],
      ['B', ''],
      ['__proto__', 'x'],
      ['a', '3'],
    ]);
    fields.remove('a');
    assert.equal(fields.get('a'), undefined);
    assert.deepEqual(fields.values('a'), []);
  });

  it('tells names apart that differ by bit 5 only', () => {
    const { fields } = head('x^: 1|x~: 2|');
    assert.equal(fields.get('x^'), '1');
    assert.equal(fields.get('x~'), '2');
  });

  it('shows what canonical framing says, not what was sent', () => {
    assert.equal(head('Content-Length: 007|').fields.get('content-length'), '7');
  });
});

describe('Writing a request head', () => {
  const REWRITES: readonly [start: string, path: string, line: string][] = [
    ['GET /a?b HTTP/1.1', '/c', 'GET /c?b HTTP/1.1'],
    ['GET /a? HTTP/1.1', '/c', 'GET /c? HTTP/1.1'],
    ['GET /a HTTP/1.0', '/c', 'GET /c HTTP/1.1'],
    ['GET /a?b HTTP/1.1', '/c d?e#f\r\ng', 'GET /c%20d%3Fe%23f%0D%0Ag?b HTTP/1.1'],
    ['GET /a HTTP/1.1', '/ä€😀', 'GET /%C3%A4%E2%82%AC%F0%9F%98%80 HTTP/1.1'],
    ['GET /a HTTP/1.1', '/%2F', 'GET /%2F HTTP/1.1'],
  ];
  for (const [start, path, line] of REWRITES) {
    it(`sends ${start} to ${JSON.stringify(path)}`, () => {
      const of = head('', start);
      of.forwardPath = path;
      assert.equal(of.serialize('').split('\r\n', 1)[0], line);
    });
  }

  it('can be written again and differently, for another try', () => {
    const of = head('A: 1|');
    of.forwardPath = '/c';
    of.forwardAuthority = 'b';
    assert.equal(of.serialize('x: y\r\n'), 'GET /c?b HTTP/1.1\r\nA: 1\r\nhost: b\r\nx: y\r\n\r\n');
    of.forwardPath = null;
    of.forwardAuthority = null;
    assert.equal(of.serialize('x: z\r\n'), 'GET /a?b HTTP/1.1\r\nHost: shop\r\nA: 1\r\nx: z\r\n\r\n');
  });

  it('adds a host where HTTP/1.0 sent none', () => {
    const parser = new RequestParser(REQUEST_LIMITS, 'base');
    parser.push(Buffer.from('GET /a HTTP/1.0\r\n\r\n'), 0);
    assert.equal(parser.head.authority, '');
    parser.head.forwardAuthority = 'b';
    assert.equal(parser.head.serialize(''), 'GET /a HTTP/1.1\r\nhost: b\r\n\r\n');
  });

  it('keeps nothing of one message for the next', () => {
    const parser = new RequestParser(REQUEST_LIMITS, 'base');
    const text = 'PUT http://a/../b HTTP/1.1\r\nHost: c\r\n\r\n';
    parser.push(Buffer.from('PUT /x?y HTTP/1.0\r\nHost: c\r\nContent-Length: 3\r\nX: y\r\n\r\n'), 0);
    parser.head.fields.set('z', '1');
    parser.head.forwardPath = '/z';
    parser.reset();
    assert.equal(parser.started, false);
    parser.push(Buffer.from(text), 0);
    assert.equal(parser.failure?.reason, 'path_invalid');
    parser.reset();
    assert.equal(parser.failure, null);
    parser.push(Buffer.from('GET / HTTP/1.1\r\nHost: d\r\n\r\n'), 0);
    assert.equal(parser.head.serialize(''), 'GET / HTTP/1.1\r\nHost: d\r\n\r\n');
    assert.equal(parser.head.framing, 0);
  });
});
