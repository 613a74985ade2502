// What bounds retries: the request's own time, back-off, the replay buffer, the budget; and two tries beside each other.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { DEFAULT_LIMITS } from '../../waypoint/config.ts';
import { echoed } from '../harness/echoed.ts';
import { PolicyWorld } from '../harness/policy-world.ts';
import { RawClient } from '../harness/raw-client.ts';
import { type BackendRequest, echo, type Script } from '../harness/scripted-backend.ts';

const CALM = { outlierDetection: { consecutive5xx: 0, consecutiveLocalOriginFailures: 0 } };
const HOST = 'Host: test.example\r\n';

const hang: Script = () => {};
const unavailable: Script = (request) => request.respond({ status: 503, body: 'unavailable' });

function isFirst(request: BackendRequest): boolean {
  return request.message.get('x-waypoint-attempt-count') === '1';
}

/** Answers 503 to the first try, once its body is whole; echoes the others. */
async function firstUnavailable(request: BackendRequest): Promise<void> {
  if (!isFirst(request)) return echo(request);
  await request.whole();
  await request.respond({ status: 503 });
}

async function within(world: PolicyWorld, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } finally {
    await world.close();
  }
}

describe('policies: time limits over tries', () => {
  it('timeouts.request ends them all: 504, and the try under way is reset', async () => {
    const world = await PolicyWorld.start({
      policy: { ...CALM, retry: { attempts: 10, perTryTimeout: '120ms' } },
      rule: { timeouts: { request: '200ms' } },
      script: hang,
    });
    await within(world, async () => {
      const began = performance.now();
      const { answer, entry } = await world.logged();
      assert.deepEqual([answer.status, entry['reason'], entry['flag']], [504, 'request_timeout', 'UT']);
      const took = Number(entry['duration_ms']);
      assert.ok(took >= 200 && took < 260, `${took} ms`);
      assert.ok(performance.now() - began < 1000);
      assert.ok(world.backend.requests.length === 2);
      for (const connection of world.backend.connections) assert.notEqual(await connection.closed(), null);
    });
  });

  it('a back-off that would not fit is not waited for', async () => {
    const world = await PolicyWorld.start({
      policy: { ...CALM, retry: { on: ['5xx'], backoff: '5s' } },
      rule: { timeouts: { request: '1s' } },
      script: unavailable,
    });
    await within(world, async () => {
      const { answer, entry } = await world.logged();
      assert.deepEqual([answer.status, answer.body, entry['retry']], [503, 'unavailable', 'deadline']);
      assert.ok(Number(entry['duration_ms']) < 200);
    });
  });

  it('backoff is a minimum, before each retry', async () => {
    const world = await PolicyWorld.start({
      policy: CALM,
      rule: { retry: { attempts: 2, codes: [503], backoff: '90ms' } },
      script: unavailable,
    });
    await within(world, async () => {
      const { entry } = await world.logged();
      const took = Number(entry['duration_ms']);
      // At most 25 and 75 ms are added by chance.
      assert.ok(took >= 178 && took < 400, `${took} ms`);
      assert.equal(entry['tries'], 3);
    });
  });

  it('a client that goes in the back-off ends it', async () => {
    const world = await PolicyWorld.start({
      policy: { ...CALM, circuitBreaker: { maxRetries: 1 } },
      rule: { retry: { codes: [503], backoff: '300ms' } },
      script: unavailable,
    });
    await within(world, async () => {
      const client = await RawClient.connect(world.port);
      await client.send(`GET /gone HTTP/1.1\r\n${HOST}\r\n`);
      await world.backend.request(0);
      client.reset();
      await world.waypoint.log.findOne((entry) => entry['reason'] === 'client_gone');
      world.script(firstUnavailable);
      // Its place among the retries under way is free.
      assert.equal((await world.call()).status, 200);
      assert.deepEqual(
        world.backend.requests.map((request) => request.message.target),
        ['/gone', '/', '/'],
      );
    });
  });
});

describe('policies: bodies of repeated requests', () => {
  const LIMIT = DEFAULT_LIMITS.mirrorBodyBytes;
  let world: PolicyWorld;
  before(async () => {
    world = await PolicyWorld.start({
      policy: { ...CALM, retry: { on: ['5xx', 'reset-before-response'] } },
      script: firstUnavailable,
    });
  });
  after(() => world.close());

  for (const [bytes, framing, status] of [
    [0, 'length', 200],
    [1, 'length', 200],
    [LIMIT, 'length', 200],
    [LIMIT + 1, 'length', 503],
    [1_000_000, 'length', 503],
    [LIMIT, 'chunked', 200],
    [LIMIT + 1, 'chunked', 503],
  ] as const) {
    it(`${bytes} bytes, ${framing}: ${status}`, async () => {
      const from = world.backend.requests.length;
      const path = `/${framing}/${bytes}`;
      const body = randomBytes(bytes);
      const client = await RawClient.connect(world.port);
      const head = `PUT ${path} HTTP/1.1\r\n${HOST}`;
      if (framing === 'length')
        await client.send(Buffer.concat([Buffer.from(`${head}Content-Length: ${bytes}\r\n\r\n`), body]));
      else {
        await client.send(`${head}Transfer-Encoding: chunked\r\n\r\n${bytes.toString(16)}\r\n`);
        await client.send(Buffer.concat([body, Buffer.from('\r\n0\r\nx-trailer: kept\r\n\r\n')]));
      }
      const answer = await client.response('PUT');
      assert.equal(answer.status, status);
      const seen = world.backend.requests.slice(from).map(({ message }) => [message.bodyBytes, message.hash]);
      assert.deepEqual(
        seen,
        Array.from({ length: status === 200 ? 2 : 1 }, () => [bytes, seen[0]?.[1]]),
      );
      const [entry] = await world.waypoint.log.find((one) => one['path'] === path);
      assert.equal(entry?.['retry'], status === 200 ? 'server_error' : 'body_not_kept');
      assert.equal(entry?.['request_bytes'], bytes);
    });
  }

  it('a try that fails amid the body is repeated with all of it', async () => {
    const from = world.backend.requests.length;
    world.backend.script = async (request) => {
      if (!isFirst(request)) return echo(request);
      await request.bodyBytes(3);
      request.connection.socket.resetAndDestroy();
    };
    const client = await RawClient.connect(world.port);
    await client.send(`PUT / HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\n0123`);
    await world.backend.request(from + 1);
    await client.send('456789');
    assert.equal(echoed(await client.response('PUT')).bodyBytes, 10);
    assert.equal(world.backend.requests[from + 1]?.message.body, '0123456789');
  });
});

describe('policies: hedging', () => {
  const policy = { ...CALM, retry: { hedgeAfter: '60ms' }, loadBalancing: { algorithm: 'RoundRobin' } };

  it('a second try starts beside a slow one; the loser is reset and one answer arrives', async () => {
    const world = await PolicyWorld.start({ backends: 2, policy });
    await within(world, async () => {
      world.script((request) => (isFirst(request) ? undefined : echo(request)));
      const { answer, entry } = await world.logged();
      assert.deepEqual([answer.status, entry['tries'], entry['retry']], [200, 2, 'hedge']);
      assert.ok(Number(entry['duration_ms']) >= 60);
      assert.deepEqual(world.arrived, [1, 1]);
      const slow = world.backends.flatMap(({ requests }) => requests).find(isFirst);
      assert.notEqual(await slow?.connection.closed(), null);
      assert.equal(world.backends.filter(({ open }) => open.size > 0).length, 1);
      assert.equal(echoed(answer).backend, world.backends.find(({ open }) => open.size > 0)?.port);
    });
  });

  it('the first answer wins, also if it is the first try that gives it', async () => {
    const world = await PolicyWorld.start({ backends: 2, policy });
    await within(world, async () => {
      world.script(() => {});
      const calls = world.logged();
      await world.untilArrived(2);
      const [first] = world.backends.flatMap(({ requests }) => requests).filter(isFirst);
      await echo(first as BackendRequest);
      const { answer, entry } = await calls;
      assert.deepEqual([answer.status, echoed(answer).backend], [200, first?.connection.socket.localPort]);
      assert.equal(entry['endpoint'], `127.0.0.1:${echoed(answer).backend}`);
    });
  });

  it('a hedge that fails leaves the first try alone', async () => {
    const world = await PolicyWorld.start({ backends: 2, policy });
    await within(world, async () => {
      world.script(async (request) => {
        if (isFirst(request)) return;
        request.connection.socket.resetAndDestroy();
        const [first] = world.backends.flatMap(({ requests }) => requests).filter(isFirst);
        await request.connection.closed();
        await echo(first as BackendRequest);
      });
      assert.equal((await world.call()).status, 200);
    });
  });

  it('POSTs are not hedged', async () => {
    const world = await PolicyWorld.start({ backends: 2, policy });
    await within(world, async () => {
      world.script(() => {});
      const asked = world.logged({ method: 'POST', body: 'order' });
      await world.untilArrived(1);
      await new Promise((resolve) => setTimeout(resolve, 100));
      const [only, ...others] = world.backends.flatMap(({ requests }) => requests);
      assert.deepEqual(others, []);
      await echo(only as BackendRequest);
      const { entry } = await asked;
      assert.deepEqual([entry['tries'], entry['retry']], [1, 'method_not_idempotent']);
    });
  });
});

describe('policies: the retry budget', () => {
  it('with every answer a 503 the backend gets at most 1.25 times the requests and 10 a second', async () => {
    const world = await PolicyWorld.start({
      policy: { ...CALM, retry: { attempts: 3, on: ['5xx'] }, circuitBreaker: { maxRetries: 1000 } },
      script: unavailable,
    });
    await within(world, async () => {
      const began = performance.now();
      let asked = 0;
      const lane = async (): Promise<void> => {
        const client = await RawClient.connect(world.port);
        while (performance.now() - began < 2500) {
          await client.send(`GET / HTTP/1.1\r\n${HOST}\r\n`);
          assert.equal((await client.response()).body, 'unavailable');
          asked++;
        }
      };
      await Promise.all(Array.from({ length: 8 }, lane));
      const seconds = (performance.now() - began) / 1000;
      const upstream = world.backend.requests.length;
      assert.ok(asked > 500, `${asked} requests`);
      assert.ok(
        upstream <= 1.25 * asked + 10 * Math.ceil(seconds + 1),
        `${upstream} upstream for ${asked} in ${seconds} s`,
      );
      assert.ok(upstream >= 1.1 * asked, `the budget is used: ${upstream} upstream for ${asked}`);
      assert.ok((await world.metric('waypoint_retries_refused_total', /budget_exhausted/)) > 0);
    });
  });
});
