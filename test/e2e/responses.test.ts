// Answers of an untrusted upstream (R1 – R5, R8): 502 and a destroyed connection, or visible truncation, never a false end.

import assert from 'node:assert/strict';
import { call } from '../harness/call.ts';
import { RawClient } from '../harness/raw-client.ts';
import { type BackendRequest, echo } from '../harness/scripted-backend.ts';
import { probe } from '../harness/verdict.ts';
import { World } from '../harness/world.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const SPLIT = '0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL';

type Row = readonly [name: string, answer: string];

const INVALID: readonly Row[] = [
  ...['+5', '-5', '5 5', '5, 5', '5,6', '', '0x5', '5;', '18446744073709551617', 'five'].map(
    (value): Row => [`R1 content-length ${JSON.stringify(value)}`, `${OK}Content-Length: ${value}\r\n\r\nhello`],
  ),
  ['R1 two different content-lengths', `${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`],
  ['R1 two equal content-lengths', `${OK}Content-Length: 5\r\ncontent-length: 5\r\n\r\nhello`],
  ['R1 content-length and chunked', `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${SPLIT}`],
  ...[
    'foo',
    ',chunked',
    'gzip',
    'gzip, chunked',
    'chunked, chunked',
    'chunked, identity',
    'identity',
    '"chunked"',
    'chunked\x0b',
  ].map(
    (value): Row => [
      `R1 transfer-encoding ${JSON.stringify(value)}`,
      `${OK}Transfer-Encoding: ${value}\r\n\r\n${SPLIT}`,
    ],
  ),
  ['R1 transfer-encoding twice', `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n${SPLIT}`],
  ['R1 chunked on HTTP/1.0', `HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${SPLIT}`],
  ['space before a colon', `${OK}Content-Length : 5\r\n\r\nhello`],
  ['a folded field', `${OK}X: a\r\n b\r\nContent-Length: 5\r\n\r\nhello`],
  ['bare LF', `HTTP/1.1 200 OK\nContent-Length: 5\n\nhello`],
  ['bare CR in a value', `${OK}X: a\rb\r\nContent-Length: 5\r\n\r\nhello`],
  ['NUL in a value', `${OK}X: a\x00b\r\nContent-Length: 5\r\n\r\nhello`],
  ['no protocol', 'hello\r\n\r\n'],
  ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n\r\n'],
  ['HTTP/2', 'HTTP/2 200\r\n\r\n'],
  [
    'R5 101 that nobody asked for',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nraw',
  ],
  [
    'R5 seventeen interim responses',
    `${'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(17)}${OK}Content-Length: 2\r\n\r\nok`,
  ],
  ...['000', '099', '600', '999', '1000', '20', '2x0', '+200', '-20', ''].map(
    (status): Row => [`R8 status ${JSON.stringify(status)}`, `HTTP/1.1 ${status} X\r\nContent-Length: 0\r\n\r\n`],
  ),
  ['201 fields', `${OK}${'A: b\r\n'.repeat(200)}Content-Length: 0\r\n\r\n`],
  ['a head of 60 KiB and one byte', padded(61_441)],
];

function padded(size: number): string {
  const rest = `${OK}Content-Length: 0\r\nX-Pad: \r\n\r\n`;
  return rest.replace('X-Pad: ', `X-Pad: ${'p'.repeat(size - rest.length)}`);
}

/** Serves the raw answer at /raw and echoes otherwise. */
function scripted(current: {
  answer: string;
  after?: (request: BackendRequest) => void;
}): (request: BackendRequest) => Promise<void> {
  return async (request) => {
    if (request.message.target !== '/raw') return echo(request);
    await request.whole();
    await request.send(current.answer);
    current.after?.(request);
  };
}

describe('invalid upstream responses', () => {
  const current = { answer: '' };
  let world: World;
  before(async () => {
    world = await World.start(scripted(current));
  });
  after(() => world.close());

  for (const [name, answer] of INVALID) {
    it(`${name}: 502 and the upstream connection destroyed`, async () => {
      current.answer = answer;
      const from = world.backend.requests.length;
      const client = await RawClient.connect(world.port);
      await client.send('GET /raw HTTP/1.1\r\nHost: test.example\r\n\r\n');
      const refusal = await client.response();
      assert.equal(refusal.status, 502, client.received);
      assert.doesNotMatch(client.received, /EVIL|hello/);
      await (await world.backend.request(from)).connection.closed();
      await probe(world);
      client.destroy();
    });
  }
});

const TRUNCATED: readonly Row[] = [
  ['R2 short content-length', `${OK}Content-Length: 10\r\n\r\nhello`],
  ['R2 no last chunk', `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`],
  ['R2 within a chunk', `${OK}Transfer-Encoding: chunked\r\n\r\na\r\nhello`],
  ['R2 within the trailers', `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: `],
  ['R2 before the last line end', `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n`],
];

const BAD_CHUNKS: readonly Row[] = [
  ['R2 bad chunk size', `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nZ\r\nx\r\n0\r\n\r\n`],
  ['R2 bare LF in chunks', `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\nx\r\n0\r\n\r\n`],
  ['R2 data without its line end', `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\nxXX0\r\n\r\n`],
  ['R2 bad trailer', `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nbad trailer\r\n\r\n`],
];

describe('truncated upstream responses', () => {
  const current: { answer: string; after?: (request: BackendRequest) => void } = { answer: '' };
  let world: World;
  before(async () => {
    world = await World.start(scripted(current));
  });
  after(() => world.close());

  async function expectTruncation(answer: string): Promise<void> {
    current.answer = answer;
    const client = await RawClient.connect(world.port);
    await client.send('GET /raw HTTP/1.1\r\nHost: test.example\r\n\r\n');
    const reader = await client.readResponse();
    if (reader.done) assert.equal(reader.message.status, 502, `never complete: ${client.received}`);
    await client.closed();
    client.destroy();
    await probe(world);
  }

  for (const [name, answer] of TRUNCATED) {
    for (const [how, then] of [
      ['closed', (request: BackendRequest) => void request.connection.socket.end()],
      ['reset', (request: BackendRequest) => void request.connection.socket.resetAndDestroy()],
    ] as const) {
      it(`${name}, ${how}: the client sees it cut off`, async () => {
        current.after = then;
        await expectTruncation(answer);
      });
    }
  }

  for (const [name, answer] of BAD_CHUNKS) {
    it(`${name}: the client sees it cut off`, async () => {
      delete current.after;
      await expectTruncation(answer);
    });
  }

  it('R2 the log says so', async () => {
    current.after = (request) => void request.connection.socket.end();
    await expectTruncation(TRUNCATED[0]?.[1] as string);
    await world.waypoint.log.find((entry) => entry['reason'] === 'upstream_truncated');
  });

  it('until-close is complete at the end and gets a framing of its own', async () => {
    current.answer = `${OK}X-A: b\r\n\r\nall of it`;
    current.after = (request) => void request.connection.socket.end();
    const answer = await call(world.port, { path: '/raw' });
    assert.equal(answer.body, 'all of it');
  });

  it('until-close that is reset does not look complete', async () => {
    current.answer = `${OK}X-A: b\r\n\r\npart`;
    current.after = (request) => void request.connection.socket.resetAndDestroy();
    const client = await RawClient.connect(world.port);
    await client.send('GET /raw HTTP/1.1\r\nHost: test.example\r\n\r\n');
    const reader = await client.readResponse();
    assert.ok(!reader.done || reader.message.status >= 500 || reader.message.framing === 'close', client.received);
    client.destroy();
  });

  it('closed or reset before a byte: 503', async () => {
    for (const how of ['end', 'reset'] as const) {
      current.answer = '';
      current.after = (request) => {
        if (how === 'end') request.connection.socket.end();
        else request.connection.socket.resetAndDestroy();
      };
      const answer = await call(world.port, { path: '/raw' });
      assert.equal(answer.status, 503);
    }
  });
});
