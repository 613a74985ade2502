// Who gets how many of the requests: by algorithm, by key, by zone, and while an endpoint comes or goes.

import assert from 'node:assert/strict';
import { type Call, requestBytes } from '../harness/call.ts';
import { echoed, sentField } from '../harness/echoed.ts';
import { PolicyWorld } from '../harness/policy-world.ts';
import { RawClient } from '../harness/raw-client.ts';
import { type BackendRequest, echo } from '../harness/scripted-backend.ts';
import { eventually } from '../harness/signal.ts';

const SIZE = 4;

/** Ports of the endpoints that answered, in order; all on one connection, or in several lanes. */
async function ask(world: PolicyWorld, calls: readonly Call[], lanes: number = 1): Promise<number[]> {
  const ports: number[] = [];
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      const client = await RawClient.connect(world.port);
      for (let i = lane; i < calls.length; i += lanes) {
        await client.send(requestBytes(calls[i] as Call));
        ports[i] = echoed(await client.response()).backend;
      }
      client.destroy();
    }),
  );
  return ports;
}

function repeated(count: number, call: Call = {}): Call[] {
  return Array.from({ length: count }, () => call);
}

function countsOf(world: PolicyWorld, ports: readonly number[]): number[] {
  return world.backends.map(({ port }) => ports.filter((each) => each === port).length);
}

/** Five standard deviations of a fair draw: wrong once in two million runs. */
function assertFair(counts: readonly number[], what: string): void {
  const total = counts.reduce((sum, each) => sum + each, 0);
  const share = 1 / counts.length;
  const bound = 5 * Math.sqrt(total * share * (1 - share));
  for (const count of counts) assert.ok(Math.abs(count - total * share) <= bound, `${what}: ${counts}`);
}

describe('policies: distribution by algorithm', () => {
  let world: PolicyWorld;
  before(async () => {
    world = await PolicyWorld.start({ backends: SIZE });
  });
  after(() => world.close());

  it('RoundRobin gives each the same, exactly', async () => {
    await world.policy({ loadBalancing: { algorithm: 'RoundRobin' } });
    const ports = await ask(world, repeated(400));
    assert.deepEqual(countsOf(world, ports), [100, 100, 100, 100]);
    for (let i = 0; i < 400; i += SIZE) assert.equal(new Set(ports.slice(i, i + SIZE)).size, SIZE);
  });

  it('Random gives each its share', async () => {
    await world.policy({ loadBalancing: { algorithm: 'Random' } });
    assertFair(countsOf(world, await ask(world, repeated(800), 4)), 'Random');
  });

  it('LeastRequest gives equals their share, and what is busy nothing while two others idle', async () => {
    await world.policy({ loadBalancing: { algorithm: 'LeastRequest' } });
    assertFair(countsOf(world, await ask(world, repeated(800))), 'LeastRequest');
    await assertAvoidsBusy(world, 0);
  });

  it('PeakEWMA, the default, uses all and avoids what is slow', async () => {
    await world.policy({ loadBalancing: { algorithm: 'PeakEWMA' } });
    const counts = countsOf(world, await ask(world, repeated(800), 4));
    assert.ok(
      counts.every((count) => count >= 20),
      `all are used: ${counts}`,
    );
    const [slow] = world.backends;
    world.script(async (request) => {
      if (request.connection.socket.localPort === slow?.port) await new Promise((resolve) => setTimeout(resolve, 40));
      await echo(request);
    });
    const [few = 0, ...others] = countsOf(world, await ask(world, repeated(400), 4));
    world.script(echo);
    // Drawn twice in a row it gets a sixteenth, as nobody is left to compare it with.
    assert.ok(few < 400 * 0.13, `slow ${few}, others ${others}`);
  });

  it('of one endpoint alone every algorithm makes use', async () => {
    await world.endpoints([{ port: world.backend.port }]);
    for (const algorithm of ['RoundRobin', 'Random', 'LeastRequest']) {
      await world.policy({ loadBalancing: { algorithm } });
      assert.deepEqual(countsOf(world, await ask(world, repeated(10))), [10, 0, 0, 0]);
    }
  });
});

/** While the first endpoint holds one request it loses every comparison: it is chosen only against itself. */
async function assertAvoidsBusy(world: PolicyWorld, index: number): Promise<void> {
  const held: BackendRequest[] = [];
  const busy = world.backends[index]?.port;
  world.script((request) => {
    if (request.message.target !== '/hold') return echo(request);
    held.push(request);
  });
  const clients: RawClient[] = [];
  while (!held.some((request) => request.connection.socket.localPort === busy)) {
    const client = await RawClient.connect(world.port);
    clients.push(client);
    await client.send(requestBytes({ path: '/hold' }));
    await eventually(() => held.length === clients.length, 'the held request to arrive');
    if (clients.length > 60) throw new Error('never chosen');
  }
  for (const request of held) if (request.connection.socket.localPort !== busy) await echo(request);
  const counts = countsOf(world, await ask(world, repeated(320)));
  assert.ok((counts[index] as number) < 320 * 0.13, `busy ${counts}`);
  world.script(echo);
  for (const client of clients) client.destroy();
}

describe('policies: ConsistentHash', () => {
  let world: PolicyWorld;
  before(async () => {
    world = await PolicyWorld.start({ backends: SIZE });
  });
  after(() => world.close());

  const keys = Array.from({ length: 120 }, (_, i) => `user-${i}`);
  for (const [name, consistentHash, callOf] of [
    ['header', { header: 'X-User' }, (key: string): Call => ({ fields: [['x-user', key]] })],
    ['query', { query: 'user' }, (key: string): Call => ({ path: `/?a=1&user=${key}` })],
    ['cookie', { cookie: { name: 'user' } }, (key: string): Call => ({ fields: [['cookie', `x=1; user=${key}`]] })],
  ] as const) {
    it(`by ${name}: the same key always goes to the same endpoint, and only keys of one that left move`, async () => {
      await world.policy({ loadBalancing: { algorithm: 'ConsistentHash', consistentHash } });
      const calls = keys.map(callOf);
      const ports = await ask(world, calls);
      assert.deepEqual(await ask(world, calls, 3), ports);
      assertFair(countsOf(world, ports), name);
      const gone = world.backend.port;
      await world.endpoints(world.backends.slice(1).map(({ port }) => ({ port })));
      const after = await ask(world, calls);
      for (const [i, port] of after.entries()) if (ports[i] !== gone) assert.equal(port, ports[i]);
      await world.endpoints(world.backends.map(({ port }) => ({ port })));
      assert.deepEqual(await ask(world, calls), ports, 'and they come back');
    });
  }

  it('by a cookie that is made where there is none', async () => {
    const cookie = { name: 'pin', ttl: '1h', path: '/shop' };
    await world.policy({ loadBalancing: { algorithm: 'ConsistentHash', consistentHash: { cookie } } });
    const first = await world.call();
    const made = first.message.get('set-cookie') ?? '';
    assert.match(made, /^pin=[^;]+; Path=\/shop; Max-Age=3600; HttpOnly; SameSite=Lax$/);
    assert.equal(sentField(first, 'cookie'), undefined);
    const call: Call = { fields: [['cookie', made.split(';', 1)[0] as string]] };
    assert.equal((await world.call(call)).message.get('set-cookie'), undefined);
    assert.deepEqual([...new Set(await ask(world, repeated(20, call)))], [echoed(first).backend]);
    const others = await Promise.all(Array.from({ length: 24 }, () => world.call()));
    assert.ok(new Set(others.map((answer) => echoed(answer).backend)).size > 1, 'each client gets its own');
  });

  it('by source address', async () => {
    await world.policy({ loadBalancing: { algorithm: 'ConsistentHash', consistentHash: { sourceIP: true } } });
    assert.equal(new Set(await ask(world, repeated(40), 4)).size, 1);
  });

  it('a header that is absent is drawn anew each time', async () => {
    await world.policy({ loadBalancing: { algorithm: 'ConsistentHash', consistentHash: { header: 'x-user' } } });
    assert.ok(new Set(await ask(world, repeated(60))).size > 1);
  });
});

describe('policies: zones', () => {
  for (const [locality, zone, expected] of [
    ['PreferZone', 'a', [true, true, false, false]],
    ['PreferZone', 'c', [true, true, true, true]],
    ['Strict', 'b', [false, false, true, true]],
    ['Any', 'a', [true, true, true, true]],
  ] as const) {
    it(`${locality} from zone ${zone}`, async () => {
      const world = await PolicyWorld.start({
        backends: SIZE,
        settings: { zone },
        policy: { loadBalancing: { algorithm: 'RoundRobin', locality } },
      });
      try {
        await world.endpoints(world.backends.map(({ port }, i) => ({ port, zone: i < 2 ? 'a' : 'b' })));
        const counts = countsOf(world, await ask(world, repeated(80)));
        assert.deepEqual(
          counts.map((count) => count > 0),
          expected,
        );
        if (locality !== 'Any') return;
        assertFair(counts, 'Any');
      } finally {
        await world.close();
      }
    });
  }

  it('Strict refuses where its zone has none', async () => {
    const policy = { loadBalancing: { locality: 'Strict' } };
    const world = await PolicyWorld.start({ backends: 1, settings: { zone: 'z' }, policy });
    try {
      const { answer, entry } = await world.logged();
      assert.deepEqual([answer.status, entry['flag']], [503, 'UH']);
    } finally {
      await world.close();
    }
  });
});

describe('policies: endpoints that come and go', () => {
  it('a new one starts slowly', async () => {
    const slowStart = { window: '60s', minWeightPercent: 10 };
    const world = await PolicyWorld.start({
      backends: 2,
      policy: { loadBalancing: { algorithm: 'RoundRobin', slowStart } },
    });
    try {
      await world.endpoints([{ port: world.backend.port }]);
      await ask(world, repeated(4));
      await world.endpoints(world.backends.map(({ port }) => ({ port })));
      const [, fresh = 0] = countsOf(world, await ask(world, repeated(220)));
      // A weight of 0.1 beside one of 1.
      assert.ok(fresh >= 10 && fresh <= 40, `${fresh} of 220`);
    } finally {
      await world.close();
    }
  });

  it('one that terminates gets no new request and finishes what it has; alone it still serves', async () => {
    const world = await PolicyWorld.start({ backends: 2, policy: { loadBalancing: { algorithm: 'RoundRobin' } } });
    try {
      const [leaving, staying] = world.backends as [(typeof world.backends)[0], (typeof world.backends)[0]];
      leaving.script = () => {};
      const asked = [world.call({ path: '/long' }), world.call({ path: '/long' })];
      const held = await leaving.request(0);
      const conditions = { ready: false, serving: true, terminating: true };
      await world.endpoints([{ port: leaving.port, conditions }, { port: staying.port }]);
      await ask(world, repeated(20));
      assert.equal(leaving.requests.length, 1);
      await echo(held);
      for (const answer of await Promise.all(asked)) assert.equal(answer.status, 200);
      leaving.script = echo;
      await world.endpoints([{ port: leaving.port, conditions }]);
      assert.deepEqual(new Set(await ask(world, repeated(5))), new Set([leaving.port]));
    } finally {
      await world.close();
    }
  });
});
