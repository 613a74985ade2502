// Local rate limits and faults on purpose: exact bursts per key, fields of a refusal, and percentages of delays and aborts.

import assert from 'node:assert/strict';
import { type Answered, type Call, call } from '../harness/call.ts';
import { PolicyWorld, ROUTE, trafficPolicy } from '../harness/policy-world.ts';

type Limit = Record<string, unknown>;

const limited = (...local: Limit[]): Record<string, unknown> => ({ rateLimit: { local } });

async function statuses(world: PolicyWorld, count: number, request: Call = {}): Promise<number[]> {
  const seen: number[] = [];
  for (let i = 0; i < count; i++) seen.push((await world.call(request)).status);
  return seen;
}

function expected(allowed: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => (i < allowed ? 200 : 429));
}

describe('policies: local rate limits', () => {
  let world: PolicyWorld;
  before(async () => {
    world = await PolicyWorld.start();
  });
  after(() => world.close());

  for (const [name, limit, allowed] of [
    ['requests', { requests: 4, per: '1h' }, 4],
    ['burst above requests', { requests: 1, per: '1h', burst: 7 }, 7],
    ['burst below requests', { requests: 100, per: '1h', burst: 2 }, 2],
  ] as const) {
    it(`${name}: exactly ${allowed} pass, one after another and at once`, async () => {
      await world.policy(limited(limit));
      assert.deepEqual(await statuses(world, allowed + 2), expected(allowed, allowed + 2));
      await world.policy(limited({ ...limit, per: '2h' }));
      const all = await Promise.all(Array.from({ length: allowed + 5 }, () => world.call()));
      assert.equal(all.filter(({ status }) => status === 200).length, allowed);
    });
  }

  it('429 says what was allowed and when to come back; flag RL', async () => {
    await world.policy(limited({ requests: 2, per: '60s', burst: 1 }));
    await world.call();
    const { answer, entry } = await world.logged();
    const field = (name: string): string | undefined => answer.message.get(name);
    assert.equal(answer.status, 429);
    assert.deepEqual([field('ratelimit-limit'), field('ratelimit-remaining')], ['2', '0']);
    assert.deepEqual([field('retry-after'), field('ratelimit-reset')], ['30', '30']);
    assert.deepEqual([entry['flag'], entry['reason'], entry['tries']], ['RL', 'rate_limited', undefined]);
  });

  it('tokens come back evenly', async () => {
    await world.policy(limited({ requests: 10, per: '1s', burst: 3 }));
    assert.deepEqual(await statuses(world, 4), [200, 200, 200, 429]);
    const began = performance.now();
    let passed = 0;
    while (performance.now() - began < 520) if ((await world.call()).status === 200) passed++;
    assert.ok(passed >= 4 && passed <= 6, `${passed} in half a second`);
  });

  for (const [name, key, one, other] of [
    ['header', { header: 'X-Tenant' }, { fields: [['x-tenant', 'a']] }, { fields: [['X-Tenant', 'b']] }],
    ['cookie', { cookie: 'tenant' }, { fields: [['cookie', 'tenant=a']] }, { fields: [['cookie', 'x=1; tenant=b']] }],
    ['query', { query: 'tenant' }, { path: '/?tenant=a' }, { path: '/?tenant=b' }],
    ['path', { path: true }, { path: '/a' }, { path: '/b' }],
    ['method', { method: true }, { method: 'GET' }, { method: 'DELETE' }],
  ] as const) {
    it(`per ${name}: each key has a bucket of its own`, async () => {
      await world.policy(limited({ requests: 2, per: '1h', key: [key] }));
      assert.deepEqual(await statuses(world, 3, one as unknown as Call), [200, 200, 429]);
      assert.deepEqual(await statuses(world, 3, other as unknown as Call), [200, 200, 429]);
    });
  }

  it('per source address', async () => {
    await world.policy(limited({ requests: 2, per: '1h', key: [{ sourceIP: true }] }));
    assert.deepEqual(await statuses(world, 3), [200, 200, 429]);
    assert.deepEqual(await statuses(world, 2, { fields: [['x-forwarded-for', '10.9.9.9']] }), [429, 429]);
  });

  it('an absent header is a key as well; parts of a key count together', async () => {
    await world.policy(limited({ requests: 1, per: '1h', key: [{ header: 'a' }, { header: 'b' }] }));
    const ask = async (...fields: [string, string][]): Promise<number> => (await world.call({ fields })).status;
    assert.deepEqual([await ask(), await ask()], [200, 429]);
    assert.deepEqual([await ask(['a', 'x']), await ask(['b', 'x']), await ask(['a', 'x'])], [200, 200, 429]);
  });

  it('all limits must allow; one that another refuses costs nothing', async () => {
    await world.policy(limited({ requests: 5, per: '1h' }, { requests: 2, per: '1h', key: [{ header: 'x-tenant' }] }));
    const tenant = (name: string): Call => ({ fields: [['x-tenant', name]] });
    assert.deepEqual(await statuses(world, 4, tenant('a')), [200, 200, 429, 429]);
    assert.deepEqual(await statuses(world, 3, tenant('b')), [200, 200, 429]);
    assert.deepEqual(await statuses(world, 2, tenant('c')), [200, 429]);
  });

  it('buckets survive another edit of the configuration', async () => {
    await world.policy(limited({ requests: 2, per: '3h' }));
    assert.deepEqual(await statuses(world, 3), [200, 200, 429]);
    await world.rule({ timeouts: { request: '9s' } });
    assert.deepEqual(await statuses(world, 1), [429]);
    await world.rule({});
  });

  it("a route's limit comes before its Service's", async () => {
    await world.policy(limited({ requests: 1, per: '4h' }));
    await world.waypoint.apply('route-policy.yaml', [
      trafficPolicy('of-route', ROUTE, limited({ requests: 3, per: '4h' })),
    ]);
    assert.deepEqual(await statuses(world, 4), expected(3, 4));
    await world.waypoint.remove('route-policy.yaml');
    assert.deepEqual(await statuses(world, 2), expected(1, 2));
  });
});

describe('policies: faults', () => {
  let world: PolicyWorld;
  before(async () => {
    world = await PolicyWorld.start();
  });
  after(() => world.close());

  /** Answers to as many requests in lanes, with how long each took. */
  async function many(count: number): Promise<{ readonly answer: Answered; readonly ms: number }[]> {
    const found: { answer: Answered; ms: number }[] = [];
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        for (let i = 0; i < count / 10; i++) {
          const began = performance.now();
          const answer = await call(world.port);
          found.push({ answer, ms: performance.now() - began });
        }
      }),
    );
    return found;
  }

  for (const percent of [0, 20, 100]) {
    it(`abort ${percent} %`, async () => {
      await world.policy({ fault: { abort: { httpStatus: 418, percent } } });
      const before = world.backend.requests.length;
      const found = await many(300);
      const aborted = found.filter(({ answer }) => answer.status === 418).length;
      const spread = 5 * Math.sqrt(3 * percent * (1 - percent / 100));
      assert.ok(Math.abs(aborted - 3 * percent) <= spread, `${aborted} of 300`);
      assert.equal(world.backend.requests.length - before, 300 - aborted);
    });

    it(`delay ${percent} %`, async () => {
      await world.policy({ fault: { delay: { duration: '60ms', percent } } });
      const found = await many(100);
      const delayed = found.filter(({ ms }) => ms >= 59).length;
      const spread = 5 * Math.sqrt(percent * (1 - percent / 100));
      assert.ok(Math.abs(delayed - percent) <= spread, `${delayed} of 100`);
      assert.ok(found.every(({ answer }) => answer.status === 200));
    });
  }

  it('both: it waits, then is answered; the flags say so', async () => {
    const delay = { duration: '80ms', percent: 100 };
    await world.policy({ fault: { delay, abort: { httpStatus: 503, percent: 100 } } });
    const { answer, entry } = await world.logged();
    assert.deepEqual([answer.status, entry['flag'], entry['reason']], [503, 'FI', 'fault_abort']);
    assert.ok(Number(entry['duration_ms']) >= 79 && Number(entry['duration_ms']) < 150);
    await world.policy({ fault: { delay } });
    assert.equal((await world.logged()).entry['flag'], 'DI');
  });

  it("a delay ends with the request's own time limit, and does not count as the endpoint's", async () => {
    await world.policy({ fault: { delay: { duration: '5s', percent: 100 } } });
    await world.rule({ timeouts: { request: '100ms' } });
    const { answer, entry } = await world.logged();
    assert.equal(answer.status, 504);
    assert.ok(Number(entry['duration_ms']) < 160);
    await world.rule({});
    await world.policy({ fault: { delay: { duration: '400ms', percent: 100 } } });
    await world.call();
    const [report] = await world.reports(world.backend.port);
    assert.ok(Number(report?.['latencyMs']) < 300, `${report?.['latencyMs']} ms`);
  });
});
