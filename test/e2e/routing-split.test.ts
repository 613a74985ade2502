// Weights and mirrors over many requests: within statistical bounds, and a mirror never touches the primary.

import assert from 'node:assert/strict';
import { call } from '../harness/call.ts';
import { echoed } from '../harness/echoed.ts';
import { backendRef, prefix, type RuleSetup } from '../harness/manifests.ts';
import { RawClient } from '../harness/raw-client.ts';
import { RoutingWorld } from '../harness/routing-world.ts';
import type { Script } from '../harness/scripted-backend.ts';
import { eventually } from '../harness/signal.ts';

const REQUESTS = 500;

/** Sends many requests over a few kept connections and counts who answered. */
async function count(world: RoutingWorld, path: string, total: number = REQUESTS): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const lane = async (requests: number): Promise<void> => {
    const client = await RawClient.connect(world.port);
    for (let i = 0; i < requests; i++) {
      await client.send(`GET ${path} HTTP/1.1\r\nHost: test.example\r\n\r\n`);
      const answer = await client.response();
      const name = answer.status === 200 ? nameOf(world, echoed(answer).backend) : String(answer.status);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    client.destroy();
  };
  await Promise.all(Array.from({ length: 10 }, () => lane(total / 10)));
  return counts;
}

function nameOf(world: RoutingWorld, port: number): string {
  return [...world.backends].find(([, backend]) => backend.port === port)?.[0] ?? 'nobody';
}

/** Within five standard deviations: wrong once in a million runs. */
function assertShare(got: number, total: number, share: number): void {
  const bound = 5 * Math.sqrt(total * share * (1 - share));
  assert.ok(Math.abs(got - total * share) <= bound, `${got} of ${total} is ${share * 100} % ± ${bound.toFixed(0)}`);
}

function weighted(path: string, ...shares: readonly (readonly [name: string, weight: number])[]): RuleSetup {
  return { matches: [prefix(path)], backendRefs: shares.map(([name, weight]) => backendRef(name, { weight })) };
}

describe('weights', () => {
  let world: RoutingWorld;
  before(async () => {
    const headers = (name: string): unknown => ({
      type: 'RequestHeaderModifier',
      requestHeaderModifier: { set: [{ name: 'X-Chosen', value: name }] },
    });
    const rules: RuleSetup[] = [
      weighted('/conformance', ['v1', 70], ['v2', 30], ['v3', 0]),
      weighted('/thirds', ['v1', 1], ['v2', 1], ['v3', 1]),
      weighted('/broken', ['v1', 1], ['missing', 1]),
      weighted('/broken-zero', ['v1', 1], ['missing', 0]),
      weighted('/zero', ['v1', 0]),
      {
        matches: [prefix('/filters')],
        backendRefs: ['v1', 'v2'].map((name) => backendRef(name, { filters: [headers(name)] })),
      },
    ];
    world = await RoutingWorld.start([{ name: 'weights', rules }]);
  });
  after(() => world.close());

  it('HTTPRouteWeight 70/30/0', async () => {
    const counts = await count(world, '/conformance');
    assertShare(counts.get('v1') ?? 0, REQUESTS, 0.7);
    assertShare(counts.get('v2') ?? 0, REQUESTS, 0.3);
    assert.equal(counts.get('v3'), undefined);
  });

  it('equal thirds', async () => {
    const counts = await count(world, '/thirds');
    for (const name of ['v1', 'v2', 'v3']) assertShare(counts.get(name) ?? 0, REQUESTS, 1 / 3);
  });

  it('an invalid reference answers 500 for its share', async () => {
    const counts = await count(world, '/broken');
    assertShare(counts.get('500') ?? 0, REQUESTS, 0.5);
    assertShare(counts.get('v1') ?? 0, REQUESTS, 0.5);
  });

  it('an invalid reference of weight 0 costs nothing', async () => {
    assert.deepEqual([...(await count(world, '/broken-zero', 100))], [['v1', 100]]);
  });

  it('weights that sum to 0 answer 500', async () => {
    assert.deepEqual([...(await count(world, '/zero', 20))], [['500', 20]]);
  });

  it('HTTPRouteRequestHeaderModifierBackendWeights: the filter is that of the chosen backend', async () => {
    await count(world, '/filters', 100);
    for (const name of ['v1', 'v2']) {
      const seen = world.backend(name).requests.filter((request) => request.message.target === '/filters');
      assert.ok(seen.length > 0);
      for (const request of seen) assert.equal(request.message.get('x-chosen'), name);
    }
  });
});

function mirror(name: string, more: Record<string, unknown> = {}): unknown {
  return { type: 'RequestMirror', requestMirror: { backendRef: { name, port: 80 }, ...more } };
}

describe('mirrors', () => {
  let world: RoutingWorld;
  before(async () => {
    const rule = (path: string, ...filters: unknown[]): RuleSetup => ({
      matches: [prefix(path)],
      filters,
      backendRefs: [backendRef('v1')],
    });
    const header = {
      type: 'RequestHeaderModifier',
      requestHeaderModifier: { set: [{ name: 'X-Before', value: 'yes' }], remove: ['X-Gone'] },
    };
    const rules = [
      rule('/one', header, mirror('v2')),
      rule('/two', mirror('v2'), mirror('v3')),
      rule('/percent', mirror('v2', { percent: 20 })),
      rule('/fraction', mirror('v2', { fraction: { numerator: 1, denominator: 2 } })),
      rule('/none', mirror('v2', { percent: 0 })),
      rule('/missing', mirror('missing')),
      { matches: [prefix('/backend')], backendRefs: [backendRef('v1', { filters: [mirror('v2')] })] },
    ];
    world = await RoutingWorld.start([{ name: 'mirrors', rules }]);
  });
  after(() => world.close());

  function copies(name: string, path: string): number {
    return world.backend(name).requests.filter((request) => request.message.target === path).length;
  }

  it('HTTPRouteRequestMirror: one copy, with the filters before it, body and all', async () => {
    const answer = await call(world.port, { method: 'POST', path: '/one', body: 'hello', fields: [['X-Gone', 'x']] });
    assert.equal(nameOf(world, echoed(answer).backend), 'v1');
    await eventually(() => copies('v2', '/one') === 1, 'the copy');
    const copy = world.backend('v2').requests.find((request) => request.message.target === '/one');
    await copy?.whole();
    assert.deepEqual(
      [copy?.message.method, copy?.message.body, copy?.message.get('x-before'), copy?.message.get('x-gone')],
      ['POST', 'hello', 'yes', undefined],
    );
  });

  it('a copy of a body that came in pieces is the same body', async () => {
    const client = await RawClient.connect(world.port);
    const from = world.backend('v2').requests.length;
    const head = 'POST /one HTTP/1.1\r\nHost: test.example\r\nContent-Length: 60000\r\n\r\n';
    const body = Array.from({ length: 60_000 }, (_, i) => String.fromCharCode(33 + (i % 89))).join('');
    await client.send(head + body, [head.length, head.length + 7, 20_000, 40_000]);
    const { bodyHash } = echoed(await client.response('POST'));
    const copy = await (await world.backend('v2').request(from)).whole();
    assert.deepEqual([copy.message.bodyBytes, copy.message.hash], [60_000, bodyHash]);
    client.destroy();
  });

  it('HTTPRouteRequestMultipleMirrors', async () => {
    await world.expect('GET /two', 'v1');
    await eventually(() => copies('v2', '/two') === 1 && copies('v3', '/two') === 1, 'both copies');
  });

  it('a mirror on a backendRef', async () => {
    await world.expect('GET /backend', 'v1');
    await eventually(() => copies('v2', '/backend') === 1, 'the copy');
  });

  for (const [path, share] of [
    ['/percent', 0.2],
    ['/fraction', 0.5],
  ] as const) {
    it(`HTTPRouteRequestPercentageMirror ${path}`, async () => {
      await count(world, path);
      const bound = 5 * Math.sqrt(REQUESTS * share * (1 - share));
      await eventually(() => copies('v2', path) >= REQUESTS * share - bound, 'the copies');
      assertShare(copies('v2', path), REQUESTS, share);
    });
  }

  it('percent 0 mirrors nothing, a missing mirror leaves the primary alone', async () => {
    for (let i = 0; i < 20; i++) {
      await world.expect('GET /none', 'v1');
      await world.expect('GET /missing', 'v1');
    }
    assert.equal(copies('v2', '/none'), 0);
  });

  for (const [name, script] of [
    ['never answers', () => {}],
    ['resets', (request) => void request.connection.socket.resetAndDestroy()],
    ['answers nonsense', (request) => request.send('nonsense\r\n\r\n')],
    ['answers 500', (request) => request.respond({ status: 500 })],
    [
      'streams without end',
      (request) => request.send(`HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n${'x'.repeat(1_000_000)}`),
    ],
  ] as readonly (readonly [string, Script])[]) {
    it(`A4 a mirror that ${name} does not touch the primary`, async () => {
      const before = world.backend('v2').script;
      world.backend('v2').script = script;
      for (let i = 0; i < 20; i++) await world.expect('GET /one', 'v1');
      world.backend('v2').script = before;
    });
  }

  it('A4 a large upload is not held back by its mirror', async () => {
    const answer = await call(world.port, { method: 'POST', path: '/one', body: 'x'.repeat(500_000) });
    assert.equal(echoed(answer).bodyBytes, 500_000);
  });
});
