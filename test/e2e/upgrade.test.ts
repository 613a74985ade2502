// WebSocket tunnels (U2, U4, U8): byte for byte, at the pace of the slower side, each end passed on to the other.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { RawClient } from '../harness/raw-client.ts';
import { type BackendRequest, echo } from '../harness/scripted-backend.ts';
import { eventually } from '../harness/signal.ts';
import { probe } from '../harness/verdict.ts';
import { webSocketFrame } from '../harness/web-socket.ts';
import { World } from '../harness/world.ts';

const HOST = 'Host: test.example\r\n';
const ASK =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
const WS = `GET /ws HTTP/1.1\r\n${HOST}${ASK}\r\n`;
const MIB = 1_048_576;
const SWITCH =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';

/** Accepts at /ws and sends everything back; answers otherwise. */
async function upgrading(request: BackendRequest): Promise<void> {
  const { connection, message } = request;
  if (!message.target.startsWith('/ws')) return echo(request);
  request.startTunnel();
  await request.send(SWITCH);
  connection.socket.on('data', (chunk: Buffer) => {
    if (!connection.socket.write(chunk)) {
      connection.socket.pause();
      connection.socket.once('drain', () => connection.socket.resume());
    }
  });
}

/** Waits until a length has been the same for 100 ms. */
async function stalled(length: () => number): Promise<void> {
  let last = -1;
  await eventually(async () => {
    const now = length();
    if (now === last) return true;
    last = now;
    await new Promise((resolve) => setTimeout(resolve, 100));
    return false;
  }, 'the flow to stall');
}

describe('WebSocket', () => {
  let world: World;
  before(async () => {
    world = await World.start(upgrading, { limits: { tunnelIdleTimeoutMs: 700 } });
  });
  after(() => world.close());

  async function open(): Promise<RawClient> {
    const client = await RawClient.connect(world.port);
    await client.send(WS);
    const answer = await client.response();
    assert.equal(answer.status, 101);
    assert.equal(answer.get('upgrade')?.toLowerCase(), 'websocket');
    assert.match(answer.get('connection') ?? '', /upgrade/i);
    assert.equal(answer.get('sec-websocket-accept'), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    return client;
  }

  for (const [name, frame] of [
    ['text', webSocketFrame(1, Buffer.from('hello'))],
    ['binary', webSocketFrame(2, randomBytes(300))],
    ['an empty ping', webSocketFrame(9, Buffer.alloc(0))],
    ['1 MiB binary', webSocketFrame(2, randomBytes(1_048_576))],
    ['1 MiB text', webSocketFrame(1, Buffer.alloc(1_048_576, 'a'))],
    ['bytes that are no frame', Buffer.from([0xff, 0x00, 0x0d, 0x0a, 0x0d, 0x0a])],
  ] as const) {
    it(`U8 ${name} comes back byte for byte`, async () => {
      const client = await open();
      await client.send(frame);
      assert.ok((await client.take(frame.length)).equals(frame));
      client.destroy();
    });
  }

  it('U8 both sides at once, 3 MiB', async () => {
    const client = await open();
    const data = randomBytes(3_145_728);
    const sent = client.send(data, [1, 70_000, 1_000_000]);
    assert.ok((await client.take(data.length)).equals(data));
    await sent;
    client.destroy();
  });

  it('U8, X9 a backend that reads nothing stops the client, then everything arrives', async () => {
    const from = world.backend.requests.length;
    const { script } = world.backend;
    world.backend.script = async (request) => {
      request.startTunnel();
      request.connection.socket.pause();
      await request.send(SWITCH);
    };
    const client = await open();
    world.backend.script = script;
    const { connection } = await world.backend.request(from);
    try {
      const data = randomBytes(32 * MIB);
      const sent = client.send(data);
      await stalled(() => client.socket.writableLength);
      assert.ok(client.socket.writableLength > MIB, 'the client is held back');
      connection.socket.resume();
      const arrived = await connection.tunnelBytes(data.length, 5000);
      assert.ok(arrived.equals(data));
      await sent;
    } finally {
      client.destroy();
      connection.socket.destroy();
    }
  });

  it('U8, X9 a client that reads nothing stops the backend, then everything arrives', async () => {
    const from = world.backend.requests.length;
    const client = await open();
    client.socket.pause();
    const { connection } = await world.backend.request(from);
    const data = randomBytes(32 * MIB);
    connection.socket.write(data);
    await stalled(() => connection.socket.writableLength);
    assert.ok(connection.socket.writableLength > MIB, 'the backend is held back');
    client.countOnly();
    const before = client.receivedBytes;
    client.socket.resume();
    await client.untilBytes(before + data.length, 10_000);
    client.destroy();
  });

  it('U8 the client closes: the backend sees it', async () => {
    const from = world.backend.requests.length;
    const client = await open();
    const { connection } = await world.backend.request(from);
    client.end();
    await connection.closed();
    await client.closed();
    client.destroy();
  });

  it('U8 the backend closes: the client sees it, behind the last bytes', async () => {
    const from = world.backend.requests.length;
    const client = await open();
    const { connection } = await world.backend.request(from);
    await connection.send('last words');
    connection.socket.end();
    assert.equal((await client.take(10)).toString(), 'last words');
    await client.closed();
    client.destroy();
  });

  it('U8 a reset on either side is passed on', async () => {
    const from = world.backend.requests.length;
    const first = await open();
    (await world.backend.request(from)).connection.socket.resetAndDestroy();
    await first.closed();
    first.destroy();
    const second = await open();
    const { connection } = await world.backend.request(from + 1);
    second.reset();
    await connection.closed();
  });

  it('U8 silence in both directions ends the tunnel', async () => {
    const from = world.backend.requests.length;
    const client = await open();
    await client.closed(3000);
    await (await world.backend.request(from)).connection.closed();
    client.destroy();
  });

  it('U4 an upgraded upstream connection is not used again', async () => {
    const from = world.backend.requests.length;
    const client = await open();
    const { connection } = await world.backend.request(from);
    await probe(world);
    assert.equal(connection.tunnelLength, 0);
    client.destroy();
    await connection.closed();
    await probe(world);
    assert.equal(
      connection.requests.length,
      1 + connection.requests.indexOf(world.backend.requests[from] as BackendRequest),
    );
  });

  it('U2 bytes behind the upgrade head are held until 101, then lead the tunnel', async () => {
    const client = await RawClient.connect(world.port);
    const frame = webSocketFrame(1, Buffer.from('early'));
    await client.send(Buffer.concat([Buffer.from(WS), frame]));
    assert.equal((await client.response()).status, 101);
    assert.ok((await client.take(frame.length)).equals(frame));
    client.destroy();
  });

  it('the log tells of the tunnel when it ended', async () => {
    const client = await open();
    client.destroy();
    await world.waypoint.log.find((entry) => entry['status'] === 101);
  });
});
