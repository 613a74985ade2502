// Bodies that have to wait (A5, X9): while a slow side holds megabytes back, other traffic uses the same buffers; nothing mixes.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { chunked } from '../harness/chunked.ts';
import { echoed } from '../harness/echoed.ts';
import { RawClient } from '../harness/raw-client.ts';
import { type BackendRequest, echo } from '../harness/scripted-backend.ts';
import { eventually } from '../harness/signal.ts';
import { webSocketFrame } from '../harness/web-socket.ts';
import { World } from '../harness/world.ts';

const HOST = 'Host: test.example\r\n';
/** More than the kernel's buffers of two connections and the waypoint's own take. */
const BODY = randomBytes(16_777_216);
const HASH = createHash('sha256').update(BODY).digest('hex');
const PIECE = 100_000;

function framed(framing: string): Buffer {
  const head = framing === 'length' ? `Content-Length: ${BODY.length}\r\n\r\n` : 'Transfer-Encoding: chunked\r\n\r\n';
  const body = framing === 'length' ? BODY : Buffer.from(chunked(BODY.toString('latin1'), PIECE), 'latin1');
  return Buffer.concat([Buffer.from(head), body]);
}

/** A slow upload is paused before it is read; a download is as framed; the rest is echoed. */
async function serve(request: BackendRequest): Promise<void> {
  const [, kind, framing = ''] = request.message.target.split('/');
  const { socket } = request.connection;
  if (kind === 'slow') socket.pause();
  if (kind === 'tunnel') {
    request.startTunnel();
    socket.pause();
    return request.send('HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  }
  if (kind !== 'down') return echo(request);
  socket.write('HTTP/1.1 200 OK\r\n');
  socket.write(framed(framing));
}

describe('slow bodies', () => {
  let world: World;
  before(async () => {
    world = await World.start(serve);
    world.backend.recording = false;
  });
  after(() => world.close());

  /** Uploads and downloads of other clients, each checked, that fill and empty every shared buffer. */
  async function traffic(): Promise<void> {
    const client = await RawClient.connect(world.port);
    for (let i = 0; i < 20; i++) {
      const body = randomBytes(60_000 + i);
      await client.send(
        Buffer.concat([Buffer.from(`PUT /other HTTP/1.1\r\n${HOST}Content-Length: ${body.length}\r\n\r\n`), body]),
      );
      const { bodyHash } = echoed(await client.response('PUT'));
      assert.equal(bodyHash, createHash('sha256').update(body).digest('hex'));
    }
    client.destroy();
  }

  for (const framing of ['length', 'chunked']) {
    it(`A5 an upload (${framing}) to a backend that waits`, async () => {
      const from = world.backend.requests.length;
      const client = await RawClient.connect(world.port);
      const sent = client.send(Buffer.concat([Buffer.from(`PUT /slow HTTP/1.1\r\n${HOST}`), framed(framing)]));
      const request = await world.backend.request(from);
      await held(() => client.socket.writableLength);
      await traffic();
      request.connection.socket.resume();
      const got = echoed(await client.response('PUT', 10_000));
      assert.deepEqual([got.bodyBytes, got.bodyHash], [BODY.length, HASH]);
      await sent;
      client.destroy();
    });

    it(`A5 a download (${framing}) to a client that waits`, async () => {
      const from = world.backend.requests.length;
      const client = await RawClient.connect({ port: world.port, paused: true });
      await client.send(`GET /down/${framing} HTTP/1.1\r\n${HOST}\r\n`);
      const request = await world.backend.request(from);
      await held(() => request.connection.socket.writableLength);
      await traffic();
      client.socket.resume();
      const got = await client.response('GET', 10_000);
      assert.deepEqual([got.bodyBytes, got.hash], [BODY.length, HASH]);
      client.destroy();
    });
  }

  it('U8 a tunnel to a backend that waits', async () => {
    const from = world.backend.requests.length;
    const client = await RawClient.connect(world.port);
    await client.send(`GET /tunnel HTTP/1.1\r\n${HOST}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n`);
    assert.equal((await client.response()).status, 101);
    const { connection } = await world.backend.request(from);
    const frame = webSocketFrame(2, BODY);
    const sent = client.send(frame);
    await held(() => client.socket.writableLength);
    await traffic();
    connection.socket.resume();
    assert.ok((await connection.tunnelBytes(frame.length, 10_000)).equals(frame));
    await sent;
    client.destroy();
  });
});

/** Waits until what is still to be sent stays the same for 50 ms: the other side holds it back. */
async function held(length: () => number): Promise<void> {
  let last = -1;
  await eventually(async () => {
    const now = length();
    if (now === last && now > 0) return true;
    last = now;
    await new Promise((resolve) => setTimeout(resolve, 50));
    return false;
  }, 'the flow to stall');
}
