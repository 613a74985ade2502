// Slow and stalled peers (X6, X9): each is ended at its limit, what they hold is bounded, and the healthy do not notice.

import assert from 'node:assert/strict';
import { RawClient } from '../harness/raw-client.ts';
import { type BackendRequest, echo } from '../harness/scripted-backend.ts';
import { eventually } from '../harness/signal.ts';
import { probe } from '../harness/verdict.ts';
import { World } from '../harness/world.ts';

const HOST = 'Host: test.example\r\n';
const MIB = 1_048_576;

describe('slow peers', () => {
  let world: World;
  before(async () => {
    const limits = { requestHeadTimeoutMs: 150, bodyIdleTimeoutMs: 150, writeIdleTimeoutMs: 300 };
    world = await World.start((request) => stalling(request), { limits });
  });
  after(() => world.close());

  for (const [name, bytes] of [
    ['half a request line', 'GET /sl'],
    ['half a head', `GET /slow HTTP/1.1\r\n${HOST}X-Part`],
    ['a head without its end', `GET /slow HTTP/1.1\r\n${HOST}`],
  ] as const) {
    it(`X6 ${name}: 408 or closed, nothing forwarded`, async () => {
      const from = world.backend.requests.length;
      const client = await RawClient.connect(world.port);
      await client.send(bytes);
      await client.closed(2000);
      assert.match(client.received, /^(HTTP\/1\.1 408 |$)/);
      assert.equal(world.backend.requests.length, from);
      client.destroy();
    });
  }

  it('X6 a head that drips is ended by its total time, not kept alive by each byte', async () => {
    const client = await RawClient.connect(world.port);
    const begun = performance.now();
    await client.send(`GET /slow HTTP/1.1\r\n${HOST}X: `);
    const drip = setInterval(() => void client.send('x'), 20);
    try {
      await client.closed(2000);
    } finally {
      clearInterval(drip);
    }
    assert.ok(performance.now() - begun < 1500);
    client.destroy();
  });

  for (const [name, head] of [
    ['content-length', 'Content-Length: 10\r\n\r\nhello'],
    ['chunked', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'],
  ] as const) {
    it(`X6 a ${name} body that stalls: 408 and the upstream connection destroyed`, async () => {
      const from = world.backend.requests.length;
      const client = await RawClient.connect(world.port);
      await client.send(`POST /slow HTTP/1.1\r\n${HOST}${head}`);
      const answer = await client.response('POST', 2000);
      assert.equal(answer.status, 408);
      await client.closed();
      client.destroy();
      for (const request of world.backend.requests.slice(from)) {
        await request.connection.closed();
        assert.equal(request.message.complete, false);
      }
      await probe(world);
    });
  }

  it('X6 a body that drips within the idle limit is served', async () => {
    const client = await RawClient.connect(world.port);
    await client.send(`POST /slow HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\n`);
    for (let i = 0; i < 10; i++) {
      await client.send('x');
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    assert.equal((await client.response('POST')).status, 200);
    client.destroy();
  });

  it('X6 a reader that takes nothing is cut off, the upstream connection with it', async () => {
    const from = world.backend.requests.length;
    const client = await RawClient.connect({ port: world.port, paused: true });
    await client.send(`GET /endless HTTP/1.1\r\n${HOST}\r\n`);
    await (await world.backend.request(from)).connection.closed(5000);
    client.socket.resume();
    await client.closed(2000);
    client.destroy();
    await probe(world);
  });

  it('X6 an upstream that stalls within its body: the client sees it cut off', async () => {
    const client = await RawClient.connect(world.port);
    await client.send(`GET /stall HTTP/1.1\r\n${HOST}\r\n`);
    const reader = await client.readResponse('GET', 3000);
    assert.equal(reader.done, false);
    client.destroy();
  });

  it('X6 two hundred slow heads and bodies do not touch a healthy client, all are reaped', async () => {
    const slow = await Promise.all(Array.from({ length: 200 }, () => RawClient.connect(world.port)));
    await Promise.all(
      slow.map((client, i) =>
        client.send(i % 2 === 0 ? 'GET /sl' : `POST /slow HTTP/1.1\r\n${HOST}Content-Length: 9\r\n\r\nx`),
      ),
    );
    for (let i = 0; i < 20; i++) await probe(world);
    await Promise.all(slow.map((client) => client.closed(3000)));
    for (const client of slow) client.destroy();
  });
});

/** Streams without end at /endless (until the connection goes), stalls at /stall, echoes otherwise. */
async function stalling(request: BackendRequest): Promise<void> {
  const { socket } = request.connection;
  if (request.message.target === '/stall') return request.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
  if (request.message.target !== '/endless') return echo(request);
  await request.send('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n');
  const block = Buffer.alloc(65_536, 'x');
  while (!socket.destroyed && request.connection.ended === null) {
    written.bytes += block.length;
    if (!socket.write(block)) await drainedOrClosed(request);
  }
}

const written = { bytes: 0 };

async function drainedOrClosed(request: BackendRequest): Promise<void> {
  const { socket } = request.connection;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}

/** Bytes that stop growing: the same twice, 100 ms apart. */
async function settled(read: () => number): Promise<number> {
  let last = -1;
  await eventually(
    async () => {
      const now = read();
      if (now === last && now > 0) return true;
      last = now;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return false;
    },
    'the flow to stall',
    10_000,
  );
  return last;
}

describe('back-pressure', () => {
  let world: World;
  before(async () => {
    world = await World.start((request) => (request.message.target === '/sink' ? undefined : stalling(request)));
    world.backend.recording = false;
  });
  after(() => world.close());

  it('X9 a fast upstream and a stalled reader: the flow stops, memory stays bounded, then everything arrives', async () => {
    written.bytes = 0;
    const client = await RawClient.connect({ port: world.port, paused: true });
    const before = process.memoryUsage().rss;
    await client.send(`GET /endless HTTP/1.1\r\n${HOST}\r\n`);
    const stalledAt = await settled(() => written.bytes);
    // Kernel buffers on both connections (at most about 6 MiB each on loopback) and what the waypoint holds.
    assert.ok(stalledAt < 24 * MIB, `${stalledAt} bytes left the backend while nobody read`);
    assert.ok(process.memoryUsage().rss - before < 96 * MIB, 'resident memory stays bounded');
    client.countOnly();
    client.socket.resume();
    await client.untilBytes(stalledAt + 16 * MIB, 10_000);
    client.destroy();
    await probe(world);
  });

  it('X9 a fast uploader and a stalled upstream: the flow stops, memory stays bounded', async () => {
    const from = world.backend.requests.length;
    const client = await RawClient.connect(world.port);
    await client.send(`POST /sink HTTP/1.1\r\n${HOST}Content-Length: 1000000000\r\n\r\n`);
    const { connection } = await world.backend.request(from);
    connection.socket.pause();
    const flood = new Flood(client, Buffer.alloc(65_536, 'x'));
    try {
      const stalledAt = await settled(() => flood.sentBytes);
      assert.ok(stalledAt < 24 * MIB, `${stalledAt} bytes left the client while the backend read nothing`);
      const received = connection.receivedBytes;
      connection.socket.resume();
      await connection.signal.until(
        () => connection.receivedBytes > received + 16 * MIB,
        () => 'the flow to resume',
      );
    } finally {
      await flood.stop();
    }
    await connection.closed();
    await probe(world);
  });

  it('X9 a pipeline whose answers nobody reads is served no further, then goes on', async () => {
    const client = await RawClient.connect({ port: world.port, paused: true });
    const from = world.backend.requests.length;
    const request = `GET /pipelined HTTP/1.1\r\n${HOST}X-Pad: ${'p'.repeat(4000)}\r\n\r\n`;
    const flood = new Flood(client, Buffer.from(request.repeat(16)));
    try {
      const stalledAt = await settled(() => world.backend.requests.length - from);
      // Each answer echoes the 4 KB of its request: the kernel takes some MiB of them, the waypoint 1 MiB.
      assert.ok(stalledAt < 6000, `${stalledAt} requests were served whose answers nobody read`);
      client.countOnly();
      client.socket.resume();
      await eventually(() => world.backend.requests.length - from > stalledAt + 500, 'the pipeline to go on');
    } finally {
      await flood.stop();
    }
    await probe(world);
  });
});

/** Sends the same block again and again, as fast as it is taken. */
class Flood {
  sentBytes = 0;
  #open = true;
  readonly #client: RawClient;
  readonly #running: Promise<void>;

  constructor(client: RawClient, block: Buffer) {
    this.#client = client;
    this.#running = this.#run(block);
  }

  async stop(): Promise<void> {
    this.#open = false;
    this.#client.destroy();
    await this.#running;
  }

  async #run(block: Buffer): Promise<void> {
    while (this.#open && this.#client.ended === null) {
      await this.#client.send(block);
      this.sentBytes += block.length;
    }
  }
}
