// Upgrades that are refused or not allowed, CONNECT and TRACE (U1 – U3, U6): plain HTTP, or an error, never a tunnel.

import assert from 'node:assert/strict';
import { call } from '../harness/call.ts';
import { echoed } from '../harness/echoed.ts';
import { RawClient } from '../harness/raw-client.ts';
import { echo } from '../harness/scripted-backend.ts';
import { expectRejected, probe } from '../harness/verdict.ts';
import { World } from '../harness/world.ts';

const HOST = 'Host: test.example\r\n';
const ASK =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
const WS = `GET /ws HTTP/1.1\r\n${HOST}${ASK}\r\n`;

describe('upgrades that are none', () => {
  let answer = '';
  let world: World;
  before(async () => {
    world = await World.start(async (request) =>
      request.message.target === '/ws' ? request.send(answer) : echo(request),
    );
  });
  after(() => world.close());

  for (const [status, line] of [
    [200, 'OK'],
    [426, 'Upgrade Required'],
    [404, 'Not Found'],
  ] as const) {
    it(`U1 ${status} to an upgrade is ordinary HTTP, what follows is routed on its own`, async () => {
      answer = `HTTP/1.1 ${status} ${line}\r\nUpgrade: websocket\r\nConnection: upgrade\r\nContent-Length: 2\r\n\r\nno`;
      const from = world.backend.requests.length;
      const client = await RawClient.connect(world.port);
      await client.send(`${WS}GET /behind HTTP/1.1\r\n${HOST}\r\n`);
      const first = await client.response();
      assert.deepEqual([first.status, first.body], [status, 'no']);
      const reader = await client.readResponse();
      if (reader.done) assert.equal(echoed(reader.message).target, '/behind');
      else await client.closed();
      const [asked, behind] = world.backend.requests.slice(from);
      assert.notEqual(behind?.message.get('x-request-id'), asked?.message.get('x-request-id'), 'a decision of its own');
      client.destroy();
      await probe(world);
    });
  }

  for (const [name, lines] of [
    ['U3 h2c', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n'],
    ['U1 a token that is not allowed', 'Connection: Upgrade\r\nUpgrade: chat/2\r\n'],
    ['U1 TLS', 'Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n'],
    ['U1 websocket without Connection: upgrade', 'Upgrade: websocket\r\n'],
  ] as const) {
    it(`${name} is served as plain HTTP/1.1 without the field, the next request on its own`, async () => {
      const client = await RawClient.connect(world.port);
      await client.send(`GET /plain HTTP/1.1\r\n${HOST}${lines}\r\nGET /admin HTTP/1.1\r\n${HOST}\r\n`);
      const first = echoed(await client.response());
      assert.deepEqual(
        first.fields.filter(([field]) => /^(upgrade|http2-settings|connection)$/i.test(field)),
        [],
      );
      assert.equal(echoed(await client.response()).target, '/admin');
      client.destroy();
    });
  }

  it('U1 101 with another token than asked: 502', async () => {
    answer = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n';
    const client = await RawClient.connect(world.port);
    await client.send(WS);
    assert.equal((await client.response()).status, 502);
    client.destroy();
    await probe(world);
  });

  it('an upgrade with a body is refused or served as plain HTTP', async () => {
    answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno';
    const status = (
      await call(world.port, {
        path: '/ws',
        method: 'POST',
        body: 'x',
        fields: [
          ['Connection', 'upgrade'],
          ['Upgrade', 'websocket'],
        ],
      })
    ).status;
    assert.ok([200, 400].includes(status), String(status));
  });
});

describe('CONNECT and TRACE', () => {
  let world: World;
  before(async () => {
    world = await World.start();
  });
  after(() => world.close());

  for (const [name, bytes, statuses] of [
    ['U6 CONNECT', 'CONNECT test.example:443 HTTP/1.1\r\nHost: test.example:443\r\n\r\n', [405, 501]],
    [
      'U6 CONNECT with data',
      `CONNECT test.example:443 HTTP/1.1\r\nHost: test.example:443\r\n\r\nGET /x HTTP/1.1\r\n${HOST}\r\n`,
      [405, 501],
    ],
    ['U6 CONNECT of a path', `CONNECT /x HTTP/1.1\r\n${HOST}\r\n`, [400, 405, 501]],
    ['U6 TRACE', `TRACE / HTTP/1.1\r\n${HOST}X-Secret: s3cret\r\n\r\n`, [405]],
  ] as const) {
    it(name, async () => {
      const answer = await expectRejected(world, bytes, statuses);
      assert.doesNotMatch(answer.body, /s3cret/);
    });
  }
});
