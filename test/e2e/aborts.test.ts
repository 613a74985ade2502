// Either side gives up: the other side learns it, and what was cut off never looks whole.

import assert from 'node:assert/strict';
import { RawClient } from '../harness/raw-client.ts';
import { type BackendRequest, echo } from '../harness/scripted-backend.ts';
import { eventually } from '../harness/signal.ts';
import { probe } from '../harness/verdict.ts';
import { World } from '../harness/world.ts';

const HOST = 'Host: test.example\r\n';

const HALF = 'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhello';

/** Never answers at /never, dies at /end and /reset, answers a part at /half, echoes otherwise. */
async function halting(request: BackendRequest): Promise<void> {
  const { target } = request.message;
  if (target === '/never') return;
  if (target === '/half') return request.send(HALF);
  if (target === '/end') return void request.connection.socket.end();
  if (target === '/reset') return void request.connection.socket.resetAndDestroy();
  return echo(request);
}

async function sendUntilClosed(request: BackendRequest): Promise<void> {
  await eventually(async () => {
    await request.send('more');
    return request.connection.ended !== null;
  }, 'the answer to be cancelled');
}

describe('aborts', () => {
  let world: World;
  before(async () => {
    world = await World.start(halting);
  });
  after(() => world.close());

  async function begin(bytes: string): Promise<{ client: RawClient; request: BackendRequest }> {
    const from = world.backend.requests.length;
    const client = await RawClient.connect(world.port);
    await client.send(bytes);
    return { client, request: await world.backend.request(from) };
  }

  for (const how of ['destroy', 'reset'] as const) {
    for (const [name, bytes, target] of [
      ['before the answer', `GET /never HTTP/1.1\r\n${HOST}\r\n`, ''],
      ['within its length-delimited body', `POST /never HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\nhello`, ''],
      [
        'within its chunked body',
        `POST /never HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`,
        '',
      ],
      ['within the answer', `GET /half HTTP/1.1\r\n${HOST}\r\n`, 'hello'],
    ] as const) {
      it(`a client that goes (${how}) ${name}: the upstream connection is closed, the log says client_gone`, async () => {
        const { client, request } = await begin(bytes);
        if (target !== '') await client.until(/hello$/);
        if (how === 'reset') client.reset();
        else client.destroy();
        // A close looks like a half-close until something is sent there: the rest of an answer, or a wait of 5 s.
        if (how === 'destroy' && target !== '') await sendUntilClosed(request);
        await request.connection.closed(7000);
        const id = request.message.get('x-request-id');
        const entry = await world.waypoint.log.findOne((e) => e['id'] === id);
        assert.equal(entry['reason'], 'client_gone');
        if (bytes.startsWith('POST')) assert.equal(request.message.complete, false, 'the body never looks whole');
        await probe(world);
      });
    }
  }

  it('a client that half-closes within its body is gone: the body never looks whole upstream', async () => {
    const { client, request } = await begin(`POST /never HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\nhello`);
    client.end();
    await request.connection.closed();
    assert.equal(request.message.complete, false);
    await client.closed();
    client.destroy();
    await probe(world);
  });

  for (const how of ['end', 'reset'] as const) {
    it(`an upstream that goes (${how}) before the answer: 503 after at most one more try, the connection lives on`, async () => {
      const from = world.backend.requests.length;
      const { client } = await begin(`GET /${how} HTTP/1.1\r\n${HOST}\r\n`);
      assert.equal((await client.response()).status, 503);
      assert.ok(world.backend.requests.length - from <= 2);
      await client.send(`GET /next HTTP/1.1\r\n${HOST}\r\n`);
      assert.equal((await client.response()).status, 200);
      client.destroy();
    });

    it(`an upstream that goes (${how}) while the body uploads: 503 at once`, async () => {
      const { client, request } = await begin(`POST /never HTTP/1.1\r\n${HOST}Content-Length: 1000000\r\n\r\nhello`);
      if (how === 'end') request.connection.socket.end();
      else request.connection.socket.resetAndDestroy();
      const answer = await client.response('POST');
      assert.equal(answer.status, 503);
      assert.equal(answer.get('connection'), 'close');
      client.destroy();
      await probe(world);
    });

    it(`an upstream that goes (${how}) within the answer: the client sees it cut off`, async () => {
      const { client, request } = await begin(`GET /half HTTP/1.1\r\n${HOST}\r\n`);
      await client.until(/hello$/);
      if (how === 'end') request.connection.socket.end();
      else request.connection.socket.resetAndDestroy();
      const reader = await client.readResponse();
      assert.equal(reader.done, false);
      client.destroy();
      await probe(world);
    });
  }

  it('a client that goes before its upstream connection is made leaves nothing behind', async () => {
    for (let i = 0; i < 30; i++) {
      const client = await RawClient.connect(world.port);
      await client.send(`GET /gone-${i} HTTP/1.1\r\n${HOST}\r\n`);
      client.reset();
    }
    await probe(world);
  });

  it('every request that was begun is in the log once', async () => {
    await probe(world);
    const ids = world.waypoint.log.entries.map((entry) => entry['id']);
    assert.equal(new Set(ids).size, ids.length);
  });
});
