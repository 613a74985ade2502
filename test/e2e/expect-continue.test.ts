// `Expect` (U7): 100-continue is honoured, anything else is 417, and a refusal before the body closes what must close.

import assert from 'node:assert/strict';
import { echoed } from '../harness/echoed.ts';
import { RawClient } from '../harness/raw-client.ts';
import { type BackendRequest, echo } from '../harness/scripted-backend.ts';
import { expectRejected, probe } from '../harness/verdict.ts';
import { World } from '../harness/world.ts';

function expecting(value: string, path: string = '/e'): string {
  return `POST ${path} HTTP/1.1\r\nHost: test.example\r\nExpect: ${value}\r\nContent-Length: 5\r\n\r\n`;
}

/** Refuses at /no, asks for the body at /ask, echoes otherwise. */
async function backend(request: BackendRequest): Promise<void> {
  if (request.message.target === '/no') return request.respond({ status: 413, body: 'too much' });
  if (request.message.target === '/ask') await request.send('HTTP/1.1 100 Continue\r\n\r\n');
  return echo(request);
}

describe('Expect', () => {
  let world: World;
  before(async () => {
    world = await World.start(backend);
  });
  after(() => world.close());

  for (const value of ['100-continue', '100-Continue']) {
    it(`U7 ${value}: one 100 of the backend's, then the body is taken`, async () => {
      const client = await RawClient.connect(world.port);
      await client.send(expecting(value, '/ask'));
      await client.until(/^HTTP\/1\.1 100 [^\r]*\r\n\r\n/);
      await client.send('hello');
      assert.equal(echoed(await client.response('POST')).bodyBytes, 5);
      assert.equal(client.interim.length, 1);
      client.destroy();
    });
  }

  it('U7 a backend that knows no 100: the client sends the body unasked', async () => {
    const from = world.backend.requests.length;
    const client = await RawClient.connect(world.port);
    await client.send(expecting('100-continue'));
    await world.backend.request(from);
    await client.send('hello');
    assert.equal(echoed(await client.response('POST')).bodyBytes, 5);
    client.destroy();
  });

  it('U7 a client that does not wait', async () => {
    const client = await RawClient.connect(world.port);
    await client.send(`${expecting('100-continue', '/ask')}hello`);
    assert.equal(echoed(await client.response('POST')).bodyBytes, 5);
    assert.ok(client.interim.length <= 1);
    client.destroy();
  });

  it('U7 a final answer before the body closes the upstream connection and, at latest, the client cannot desynchronise', async () => {
    const from = world.backend.requests.length;
    const client = await RawClient.connect(world.port);
    await client.send(expecting('100-continue', '/no'));
    const answer = await client.response('POST');
    if (answer.status === 413) {
      assert.equal(answer.get('connection'), 'close');
      await client.closed();
    }
    client.destroy();
    await (await world.backend.request(from)).connection.closed();
    await probe(world);
  });

  for (const value of ['y 100-continue', '100-continue, x', 'x', '100-continued', '']) {
    it(`U7 Expect: ${JSON.stringify(value)} → 417`, async () => {
      await expectRejected(world, expecting(value), [417]);
    });
  }

  it('U7 without a body it changes nothing', async () => {
    const client = await RawClient.connect(world.port);
    await client.send(
      'GET /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n',
    );
    assert.equal((await client.response()).status, 200);
    assert.equal(echoed(await client.response()).target, '/next');
    client.destroy();
  });

  it('U7 from HTTP/1.0 no 100 is sent', async () => {
    const client = await RawClient.connect(world.port);
    await client.send('POST /e HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello');
    assert.equal(echoed(await client.response('POST')).bodyBytes, 5);
    assert.equal(client.interim.length, 0);
    client.destroy();
  });
});
