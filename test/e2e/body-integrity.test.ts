// Every body arrives as it was sent (A5): hashed, both ways, each framing, cut at every byte where it is small.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { chunked } from '../harness/chunked.ts';
import { echoed } from '../harness/echoed.ts';
import { RawClient } from '../harness/raw-client.ts';
import { type BackendRequest, echo } from '../harness/scripted-backend.ts';
import { World } from '../harness/world.ts';

const HOST = 'Host: test.example\r\n';
const SIZES = [0, 1, 2, 1023, 4096, 16_383, 16_384, 16_385, 65_535, 65_536, 65_537, 262_145, 1_048_577];
const LARGE = 5_242_881;

function hash(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

/** GET /down/<size>/<framing> streams the bytes of `BODY`; anything else is echoed. */
const BODY = randomBytes(LARGE);

async function serveBody(request: BackendRequest): Promise<void> {
  const [, kind, size = '0', framing = ''] = request.message.target.split('/');
  if (kind !== 'down') return echo(request);
  const data = BODY.subarray(0, Number(size));
  if (framing === 'length') return request.respond({ body: data });
  if (framing === 'close') {
    await request.send('HTTP/1.1 200 OK\r\nX-A: b\r\n\r\n');
    await request.send(data);
    request.connection.socket.end();
    return;
  }
  await request.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
  await request.send(Buffer.from(chunked(data.toString('latin1'), Number(framing)), 'latin1'));
}

describe('body integrity', () => {
  let world: World;
  before(async () => {
    world = await World.start(serveBody);
    world.backend.recording = false;
  });
  after(() => world.close());

  for (const size of [...SIZES, LARGE]) {
    const data = BODY.subarray(0, size);

    it(`A5 upload of ${size} bytes by content-length`, async () => {
      const client = await RawClient.connect(world.port);
      const head = `PUT /up HTTP/1.1\r\n${HOST}Content-Length: ${size}\r\n\r\n`;
      await client.send(Buffer.concat([Buffer.from(head), data]));
      const got = echoed(await client.response('PUT'));
      assert.deepEqual([got.bodyBytes, got.bodyHash], [size, hash(data)]);
      client.destroy();
    });

    for (const piece of size > 100_000 ? [65_536] : [size < 5000 ? 7 : 1000, 16_384]) {
      it(`A5 upload of ${size} bytes in chunks of ${piece}`, async () => {
        const client = await RawClient.connect(world.port);
        const head = `PUT /up HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`;
        await client.send(head + chunked(data.toString('latin1'), piece));
        const got = echoed(await client.response('PUT'));
        assert.deepEqual([got.bodyBytes, got.bodyHash], [size, hash(data)]);
        client.destroy();
      });
    }

    for (const framing of ['length', 'close', size > 100_000 ? '65536' : '1000']) {
      it(`A5 download of ${size} bytes by ${/\d/.test(framing) ? `chunks of ${framing}` : framing}`, async () => {
        const client = await RawClient.connect(world.port);
        await client.send(`GET /down/${size}/${framing} HTTP/1.1\r\n${HOST}\r\n`);
        const got = await client.response('GET', 10_000);
        assert.deepEqual([got.bodyBytes, got.hash], [size, hash(data)]);
        client.destroy();
      });
    }
  }

  it('A5 an upload cut at every byte', async () => {
    const text = 'The quick brown fox';
    const bytes = `PUT /up HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${chunked(text, 5)}`;
    const client = await RawClient.connect(world.port);
    for (let cut = bytes.indexOf('\r\n\r\n'); cut < bytes.length; cut++) {
      await client.send(bytes, [cut]);
      assert.equal(echoed(await client.response('PUT')).bodyHash, hash(Buffer.from(text)), `cut at ${cut}`);
    }
    client.destroy();
  });

  it('A5 a download cut at every byte', async () => {
    const text = 'jumps over the lazy dog';
    const bytes = `HTTP/1.1 200 OK\r\nX-Cut: y\r\nTransfer-Encoding: chunked\r\n\r\n${chunked(text, 7)}`;
    const { script } = world.backend;
    const client = await RawClient.connect(world.port);
    for (let cut = 1; cut < bytes.length; cut++) {
      world.backend.script = async (request) => {
        await request.send(bytes.slice(0, cut));
        await request.send(bytes.slice(cut));
      };
      await client.send(`GET /cut HTTP/1.1\r\n${HOST}\r\n`);
      assert.equal((await client.response()).body, text, `cut at ${cut}`);
    }
    world.backend.script = script;
    client.destroy();
  });

  it('A5 both directions at once on ten connections', async () => {
    const data = BODY.subarray(0, 300_000);
    const work = Array.from({ length: 10 }, async (_, i) => {
      const client = await RawClient.connect(world.port);
      for (let round = 0; round < 3; round++) {
        const head = `PUT /up/${i} HTTP/1.1\r\n${HOST}Content-Length: ${data.length}\r\n\r\n`;
        await client.send(Buffer.concat([Buffer.from(head), data]));
        assert.equal(echoed(await client.response('PUT', 10_000)).bodyHash, hash(data));
        await client.send(`GET /down/300000/1000 HTTP/1.1\r\n${HOST}\r\n`);
        assert.equal((await client.response('GET', 10_000)).hash, hash(data));
      }
      client.destroy();
    });
    await Promise.all(work);
  });

  it('a streamed download arrives piece by piece', async () => {
    const { script } = world.backend;
    const { promise, resolve } = Promise.withResolvers<BackendRequest>();
    world.backend.script = async (request) => {
      await request.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n');
      resolve(request);
    };
    const client = await RawClient.connect(world.port);
    await client.send(`GET /events HTTP/1.1\r\n${HOST}\r\n`);
    const request = await promise;
    await client.until(/text\/event-stream/);
    for (let i = 0; i < 5; i++) {
      await request.send(`8\r\nevent ${i}\n\r\n`);
      await client.until(new RegExp(`event ${i}\n`));
    }
    await request.send('0\r\n\r\n');
    assert.equal((await client.response()).bodyBytes, 40);
    world.backend.script = script;
    client.destroy();
  });

  it('a streamed upload arrives piece by piece', async () => {
    const from = world.backend.requests.length;
    const client = await RawClient.connect(world.port);
    await client.send(`POST /pieces HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`);
    const request = await world.backend.request(from);
    for (let i = 1; i <= 5; i++) {
      await client.send('4\r\nabcd\r\n');
      await request.bodyBytes(4 * i);
    }
    await client.send('0\r\n\r\n');
    assert.equal(echoed(await client.response('POST')).bodyBytes, 20);
    client.destroy();
  });
});
