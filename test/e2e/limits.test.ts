// Limits (X7, security defaults): what is exactly at the limit passes, one more does not.

import assert from 'node:assert/strict';
import { call } from '../harness/call.ts';
import { RawClient } from '../harness/raw-client.ts';
import { echo } from '../harness/scripted-backend.ts';
import { eventually } from '../harness/signal.ts';
import { expectForwarded, expectRejected, probe } from '../harness/verdict.ts';
import { World } from '../harness/world.ts';

const LINE = 'GET /l HTTP/1.1\r\n';
const HOST = 'Host: test.example\r\n';

/** A request whose head is exactly this long. */
function head(size: number): string {
  const bare = `${LINE}${HOST}X-Pad: \r\n\r\n`;
  return bare.replace('X-Pad: ', `X-Pad: ${'p'.repeat(size - bare.length)}`);
}

function fields(count: number): string {
  return `${LINE}${HOST}${'A: b\r\n'.repeat(count - 1)}\r\n`;
}

function target(size: number): string {
  return `GET /${'t'.repeat(size - 1)} HTTP/1.1\r\n${HOST}\r\n`;
}

describe('request limits at N and N + 1', () => {
  let world: World;
  before(async () => {
    world = await World.start();
  });
  after(() => world.close());

  for (const [name, within, beyond, status] of [
    ['head of 60 KiB', head(61_440), head(61_441), 431],
    ['100 fields', fields(100), fields(101), 431],
    ['target of 8 KiB', target(8192), target(8193), 414],
  ] as const) {
    it(`X7 ${name} passes`, async () => {
      await expectForwarded(world, within);
    });
    it(`X7 ${name} and one more: ${status}`, async () => {
      await expectRejected(world, beyond, [status]);
    });
    it(`X7 ${name} passes, in pieces`, async () => {
      const client = await RawClient.connect(world.port);
      await client.send(within, [1, 20, 1000, within.length - 1]);
      assert.equal((await client.response()).status, 200);
      client.destroy();
    });
  }

  it('X7 an endless head is refused at the limit, not kept', async () => {
    const client = await RawClient.connect(world.port);
    await client.send(`${LINE}${HOST}X: `);
    for (let i = 0; i < 200 && client.ended === null; i++) await client.send('x'.repeat(10_000));
    await client.until(/^HTTP\/1\.1 431 /);
    await client.closed();
    client.destroy();
    await probe(world);
  });

  it('X7 an endless request line is refused', async () => {
    const client = await RawClient.connect(world.port);
    await client.send('GET /');
    for (let i = 0; i < 100 && client.ended === null; i++) await client.send('x'.repeat(10_000));
    await client.until(/^HTTP\/1\.1 (414|431) /);
    client.destroy();
    await probe(world);
  });
});

describe('response limits at N and N + 1', () => {
  let answer = '';
  let world: World;
  before(async () => {
    world = await World.start((request) => (request.message.target === '/raw' ? request.send(answer) : echo(request)));
  });
  after(() => world.close());

  const status = 'HTTP/1.1 200 OK\r\n';
  const end = 'Content-Length: 0\r\n\r\n';
  for (const [name, bytes, expected] of [
    ['head of 60 KiB', `${status}X: ${'p'.repeat(61_440 - status.length - end.length - 5)}\r\n${end}`, 200],
    ['head of 60 KiB and one', `${status}X: ${'p'.repeat(61_441 - status.length - end.length - 5)}\r\n${end}`, 502],
    ['200 fields', `${status}${'A: b\r\n'.repeat(199)}${end}`, 200],
    ['201 fields', `${status}${'A: b\r\n'.repeat(200)}${end}`, 502],
    ['16 interim responses', `${'HTTP/1.1 103 Hints\r\n\r\n'.repeat(16)}${status}${end}`, 200],
    ['17 interim responses', `${'HTTP/1.1 103 Hints\r\n\r\n'.repeat(17)}${status}${end}`, 502],
  ] as const) {
    it(`${name} → ${expected}`, async () => {
      answer = bytes;
      assert.equal((await call(world.port, { path: '/raw' })).status, expected);
      await probe(world);
    });
  }
});

describe('connections', () => {
  it('X8 beyond the limit of connections nothing is served, below it again everything is', async () => {
    const world = await World.start(undefined, { limits: { connections: 3 } });
    try {
      const clients = await Promise.all([1, 2, 3].map(() => RawClient.connect(world.port)));
      for (const client of clients) {
        await client.send(`${LINE}${HOST}\r\n`);
        assert.equal((await client.response()).status, 200);
      }
      const fourth = await RawClient.connect(world.port);
      await fourth.send(`${LINE}${HOST}\r\n`);
      // Accepting pauses, or the connection is closed at once; either way it is not served while three are open.
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal(fourth.received, '');
      for (const client of clients) client.destroy();
      fourth.destroy();
      await eventually(async () => (await tryCall(world.port)) === 200, 'service to resume', 1000);
    } finally {
      await world.close();
    }
  });

  it('X6 a keep-alive connection that stays silent is closed', async () => {
    const world = await World.start(undefined, { limits: { keepAliveTimeoutMs: 100 } });
    try {
      const client = await RawClient.connect(world.port);
      await client.send(`${LINE}${HOST}\r\n`);
      await client.response();
      await client.closed(2000);
      assert.equal(client.takeUnread().length, 0);
      const silent = await RawClient.connect(world.port);
      await silent.closed(2000);
    } finally {
      await world.close();
    }
  });

  it('an idle upstream connection is closed, and replaced when needed', async () => {
    const world = await World.start(undefined, { limits: { upstreamIdleTimeoutMs: 100 } });
    try {
      await probe(world);
      await world.backend.connections[0]?.closed(2000);
      await probe(world);
      assert.equal(world.backend.connections.length, 2);
    } finally {
      await world.close();
    }
  });
});

async function tryCall(port: number): Promise<number> {
  try {
    return (await call(port)).status;
  } catch {
    return 0;
  }
}
