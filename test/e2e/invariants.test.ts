// The global invariants over a long mixed stream: I1 and I2 from the log, I4 by every answer naming its own request.

import assert from 'node:assert/strict';
import { chunked } from '../harness/chunked.ts';
import { assertInvariants } from '../harness/oracle.ts';
import { RawClient } from '../harness/raw-client.ts';
import { type BackendRequest, echo } from '../harness/scripted-backend.ts';
import { World } from '../harness/world.ts';

const CONNECTIONS = 8;
const REQUESTS = 60;

/** A repeatable sequence in [0, 1). */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Some answers come chunked, some late by a turn of the loop, some close their connection. */
async function mixed(request: BackendRequest): Promise<void> {
  const { message } = await request.whole();
  if (!message.complete) return;
  const id = message.get('x-test-id') ?? '';
  const kind = Number(id.split('-')[2]) % 4;
  if (kind === 0) return echo(request);
  if (kind === 1) await new Promise((resolve) => setImmediate(resolve));
  if (kind === 2)
    return request.send(
      `HTTP/1.1 200 OK\r\nX-Echo-Id: ${id}\r\nTransfer-Encoding: chunked\r\n\r\n${chunked(id.repeat(20), 7)}`,
    );
  await request.send(
    `HTTP/1.1 200 OK\r\nX-Echo-Id: ${id}\r\nConnection: close\r\nContent-Length: ${id.length}\r\n\r\n${id}`,
  );
  request.connection.socket.end();
}

function nextRequest(id: string, random: () => number): { method: string; bytes: string } {
  const lines = `Host: test.example\r\nX-Test-Id: ${id}\r\n`;
  const body = 'b'.repeat(Math.floor(random() * 3000));
  const kind = Math.floor(random() * 5);
  if (kind === 0) return { method: 'HEAD', bytes: `HEAD /${id} HTTP/1.1\r\n${lines}\r\n` };
  if (kind === 1)
    return { method: 'POST', bytes: `POST /${id} HTTP/1.1\r\n${lines}Content-Length: ${body.length}\r\n\r\n${body}` };
  if (kind === 2)
    return {
      method: 'PUT',
      bytes: `PUT /${id} HTTP/1.1\r\n${lines}Transfer-Encoding: chunked\r\n\r\n${chunked(body, 500)}`,
    };
  return { method: 'GET', bytes: `GET /${id} HTTP/1.1\r\n${lines}\r\n` };
}

describe('invariants', () => {
  it('I1, I2, I4 over mixed pipelines, cut anywhere', async () => {
    const world = await World.start(mixed);
    try {
      await Promise.all(Array.from({ length: CONNECTIONS }, (_, lane) => run(world, lane)));
      assert.equal(world.backend.requests.length, CONNECTIONS * REQUESTS);
      await assertInvariants({ log: world.waypoint.log, backends: [world.backend] });
    } finally {
      await world.close();
    }
  });
});

async function run(world: World, lane: number): Promise<void> {
  const random = sequence(lane + 1);
  const client = await RawClient.connect(world.port);
  for (let sent = 0; sent < REQUESTS; ) {
    const batch = Array.from({ length: Math.min(1 + Math.floor(random() * 4), REQUESTS - sent) }, (_, i) => {
      const id = `t-${lane}-${sent + i}`;
      return { id, ...nextRequest(id, random) };
    });
    const bytes = batch.map((request) => request.bytes).join('');
    const writing = client.send(bytes, [Math.floor(random() * bytes.length)]);
    for (const { id, method } of batch) {
      const answer = await client.response(method);
      assert.deepEqual([answer.status, answer.get('x-echo-id')], [200, id]);
    }
    await writing;
    sent += batch.length;
  }
  client.destroy();
}
