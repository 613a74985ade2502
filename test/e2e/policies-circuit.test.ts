// Circuit limits, exact at N and N + 1; whoever waits for a connection is served when one is free; how long connections live.

import assert from 'node:assert/strict';
import type { LogEntry } from '../harness/access-log.ts';
import { BlackHole } from '../harness/black-hole.ts';
import { type Answered, type Call, call } from '../harness/call.ts';
import { PolicyWorld } from '../harness/policy-world.ts';
import { RawClient } from '../harness/raw-client.ts';
import { echo, type Script } from '../harness/scripted-backend.ts';
import { eventually } from '../harness/signal.ts';

const CALM = { outlierDetection: { consecutive5xx: 0, consecutiveLocalOriginFailures: 0 } };
const hold: Script = () => {};

/** Answers everything that is held at the backends, oldest first, until `done`. */
async function release(world: PolicyWorld, done: () => boolean): Promise<void> {
  const answered = new Set<unknown>();
  await eventually(async () => {
    for (const request of world.backends.flatMap(({ requests }) => requests)) {
      if (answered.has(request)) continue;
      answered.add(request);
      await echo(request);
    }
    return done();
  }, 'what is held to be answered');
}

/** Starts as many calls; the answers so far are in `answers`. */
function burst(world: PolicyWorld, count: number, request: Call = {}): { answers: Answered[]; all: Promise<unknown> } {
  const answers: Answered[] = [];
  const calls = Array.from({ length: count }, () => call(world.port, request).then((answer) => answers.push(answer)));
  return { answers, all: Promise.all(calls) };
}

function assertOverflow(answer: Answered, limit: string): void {
  assert.deepEqual([answer.status, answer.message.get('x-waypoint-overloaded')], [503, limit]);
}

describe('policies: circuit limits', () => {
  for (const [name, circuitBreaker, room, limit] of [
    ['maxRequests', { maxRequests: 3 }, 3, 'max_requests'],
    ['maxConnections and maxPendingRequests', { maxConnections: 2, maxPendingRequests: 3 }, 5, 'max_pending_requests'],
    ['one of each', { maxConnections: 1, maxPendingRequests: 1 }, 2, 'max_pending_requests'],
  ] as const) {
    it(`${name}: ${room} are served, ${limit} refuses the next`, async () => {
      const world = await PolicyWorld.start({ policy: { ...CALM, circuitBreaker }, script: hold });
      try {
        const { answers, all } = burst(world, room + 4);
        await eventually(() => answers.length === 4, 'four refusals');
        for (const answer of answers) assertOverflow(answer, limit);
        const here = Math.min(room, 'maxConnections' in circuitBreaker ? circuitBreaker.maxConnections : room);
        await world.untilArrived(here);
        assert.equal(world.backend.requests.length, here);
        await release(world, () => answers.length === room + 4);
        await all;
        assert.ok(answers.slice(4).every(({ status }) => status === 200));
        assert.ok(
          world.backend.connections.length <=
            ('maxConnections' in circuitBreaker ? circuitBreaker.maxConnections : room),
        );
        const flags = (await world.waypoint.log.find(({ status }) => status === 503, 4)).map(({ flag }) => flag);
        assert.deepEqual(flags, ['UO', 'UO', 'UO', 'UO']);
        assert.equal(await world.metric('waypoint_circuit_overflows_total', new RegExp(`"${limit}"`)), 4);
        world.script(echo);
        for (let i = 0; i < 10; i++) assert.equal((await world.call()).status, 200, 'nothing is left counted');
      } finally {
        await world.close();
      }
    });
  }

  it('maxRetries: retries beyond it are refused and the last answer stands', async () => {
    const world = await PolicyWorld.start({
      policy: { ...CALM, circuitBreaker: { maxRetries: 2 }, retry: { on: ['5xx'] } },
      script: (request) =>
        request.message.get('x-waypoint-attempt-count') === '1' ? request.respond({ status: 503 }) : undefined,
    });
    try {
      const { answers, all } = burst(world, 6);
      await eventually(() => answers.length === 4, 'four that are not repeated');
      assert.ok(answers.every(({ status, message }) => status === 503 && !message.get('x-waypoint-overloaded')));
      await world.untilArrived(8);
      for (const request of world.backend.requests)
        if (request.message.get('x-waypoint-attempt-count') === '2') await echo(request);
      await all;
      assert.deepEqual(
        answers.slice(4).map(({ status }) => status),
        [200, 200],
      );
      const refused: LogEntry[] = await world.waypoint.log.find(({ retry }) => retry === 'max_retries', 4);
      assert.equal(refused.length, 4);
      assert.equal(await world.metric('waypoint_retries_refused_total', /max_retries/), 4);
    } finally {
      await world.close();
    }
  });

  it('a request that waits is served by the connection that comes free, in its turn', async () => {
    const world = await PolicyWorld.start({ policy: { ...CALM, circuitBreaker: { maxConnections: 1 } }, script: hold });
    try {
      const order: string[] = [];
      const asked = ['/0', '/1', '/2', '/3'];
      const clients = await Promise.all(asked.map(() => RawClient.connect(world.port)));
      for (const [i, client] of clients.entries()) {
        await client.send(`GET ${asked[i]} HTTP/1.1\r\nHost: test.example\r\n\r\n`);
        if (i === 0) await world.backend.request(0);
        void client.response().then(() => order.push(asked[i] as string));
        await untilActive(world, i + 1);
      }
      for (let i = 0; i < asked.length; i++) await echo(await world.backend.request(i));
      await eventually(() => order.length === 4, 'four answers');
      assert.deepEqual(order, asked);
      assert.equal(world.backend.connections.length, 1);
    } finally {
      await world.close();
    }
  });

  it('a client that goes while it waits leaves its place to the next', async () => {
    const policy = { ...CALM, circuitBreaker: { maxConnections: 1, maxPendingRequests: 1 } };
    const world = await PolicyWorld.start({ policy, script: hold });
    try {
      const first = world.call();
      await world.backend.request(0);
      const gone = await RawClient.connect(world.port);
      await gone.send('GET /gone HTTP/1.1\r\nHost: test.example\r\n\r\n');
      await untilActive(world, 2);
      gone.reset();
      await world.waypoint.log.findOne(({ reason }) => reason === 'client_gone');
      const next = world.call({ path: '/next' });
      await untilActive(world, 2);
      await echo(world.backend.requests[0] as (typeof world.backend.requests)[0]);
      await echo(await world.backend.request(1));
      assert.deepEqual([(await first).status, (await next).status], [200, 200]);
      assert.equal(world.backend.requests[1]?.message.target, '/next');
    } finally {
      await world.close();
    }
  });

  it('maxConnections holds over all endpoints: idle ones give way, and it is never exceeded', async () => {
    const world = await PolicyWorld.start({
      backends: 3,
      policy: { ...CALM, circuitBreaker: { maxConnections: 2 }, loadBalancing: { algorithm: 'Random' } },
    });
    try {
      let most = 0;
      world.script(async (request) => {
        most = Math.max(
          most,
          world.backends.reduce((sum, { open }) => sum + open.size, 0),
        );
        await echo(request);
      });
      await Promise.all(
        Array.from({ length: 12 }, async () => {
          for (let i = 0; i < 25; i++) assert.equal((await world.call()).status, 200);
        }),
      );
      assert.equal(
        world.arrived.reduce((sum, each) => sum + each, 0),
        300,
      );
      // One more may still be on its way out of the kernel when the next one has arrived.
      assert.ok(most <= 3, `${most} at once`);
    } finally {
      await world.close();
    }
  });
});

/** This many requests are under way in the waypoint, whether they are sent or wait. */
async function untilActive(world: PolicyWorld, count: number): Promise<void> {
  await eventually(async () => (await world.metric('http_server_active_requests')) === count, `${count} active`);
}

describe('policies: how long upstream connections live', () => {
  it('maxRequestsPerConnection', async () => {
    const world = await PolicyWorld.start({ policy: { connections: { maxRequestsPerConnection: 3 } } });
    try {
      for (let i = 0; i < 10; i++) assert.equal((await world.call()).status, 200);
      assert.deepEqual(
        world.backend.connections.map(({ requests }) => requests.length),
        [3, 3, 3, 1],
      );
      for (const connection of world.backend.connections.slice(0, 3)) await connection.closed();
    } finally {
      await world.close();
    }
  });

  it('maxAge', async () => {
    const world = await PolicyWorld.start({ policy: { connections: { maxAge: '100ms' } } });
    try {
      await world.call();
      await world.call();
      assert.equal(world.backend.connections.length, 1);
      const [first] = world.backend.connections;
      const born = performance.now();
      while (first?.ended === null) assert.equal((await world.call()).status, 200);
      const age = performance.now() - born;
      assert.ok(age >= 50 && age < 400, `${age} ms`);
    } finally {
      await world.close();
    }
  });

  it('idleTimeout', async () => {
    const world = await PolicyWorld.start({ policy: { connections: { idleTimeout: '80ms' } } });
    try {
      await world.call();
      const began = performance.now();
      await world.backend.connections[0]?.closed();
      const idle = performance.now() - began;
      assert.ok(idle >= 60 && idle < 200, `${idle} ms`);
      assert.equal((await world.call()).status, 200);
    } finally {
      await world.close();
    }
  });

  it('connectTimeout', async () => {
    const hole = await BlackHole.start();
    const policy = { connections: { connectTimeout: '90ms' }, retry: { attempts: 0 } };
    const world = await PolicyWorld.start({ backends: 0, dead: [hole.port], policy });
    try {
      const { answer, entry } = await world.logged();
      assert.deepEqual([answer.status, entry['flag'], entry['reason']], [503, 'UF', 'connect_timeout']);
      const took = Number(entry['duration_ms']);
      assert.ok(took >= 88 && took < 130, `${took} ms`);
    } finally {
      await world.close();
      await hole.close();
    }
  });
});
