// A worker that dies takes only its own requests with it and is replaced; the waypoint goes on.

import assert from 'node:assert/strict';
import { call } from '../harness/call.ts';
import { Load } from '../harness/load.ts';
import { eventually } from '../harness/signal.ts';
import { probe } from '../harness/verdict.ts';
import { World } from '../harness/world.ts';

describe('workers', () => {
  for (const workers of [1, 2]) {
    it(`one of ${workers} dies and is replaced within 5 s, with the whole configuration`, async () => {
      const world = await World.start(undefined, { workers, logLevel: 'error' });
      try {
        await probe(world);
        const victim = world.waypoint.running.workers[0];
        world.waypoint.deaths = 1;
        await victim?.terminate();
        await eventually(() => served(world.port), 'service to resume', 5000);
        await eventually(() => world.waypoint.running.workers.length === workers, 'a new worker', 5000);
        assert.notEqual(world.waypoint.running.workers[0], victim);
        for (let i = 0; i < 20; i++) await probe(world);
      } finally {
        await world.close();
      }
    });
  }

  it('under load only what the dead worker had in flight fails', async () => {
    const world = await World.start(undefined, { workers: 2 });
    try {
      const load = new Load(world.port);
      load.start(6, 2);
      await eventually(() => load.requests > 200, 'some load');
      world.waypoint.deaths = 1;
      await world.waypoint.running.workers[0]?.terminate();
      const before = load.requests;
      await eventually(() => load.requests > before + 200, 'the load to go on');
      await load.stop();
      assert.ok(load.failures.length <= 8, load.failures.join(', '));
    } finally {
      await world.close();
    }
  });

  it('with two workers both serve', async () => {
    const world = await World.start(undefined, { workers: 2 });
    try {
      // The kernel spreads connections by their addresses and ports: forty on one worker happen once in a trillion.
      for (let i = 0; i < 40; i++) await probe(world);
      assert.ok(world.backend.connections.length >= 2, 'each worker has connections of its own');
    } finally {
      await world.close();
    }
  });

  it('what a worker counted is not lost to the metrics when it dies', async () => {
    const world = await World.start();
    try {
      for (let i = 0; i < 5; i++) await probe(world);
      const before = await world.waypoint.admin('/metrics');
      world.waypoint.deaths = 1;
      await world.waypoint.running.workers[0]?.terminate();
      await eventually(() => served(world.port), 'service to resume', 5000);
      const after = await world.waypoint.admin('/metrics');
      assert.ok(before.status === 200 && after.status === 200);
      assert.ok(requests(after.body) >= requests(before.body), 'counters never fall');
    } finally {
      await world.close();
    }
  });
});

async function served(port: number): Promise<boolean> {
  try {
    return (await call(port)).status === 200;
  } catch {
    return false;
  }
}

/** Sum of the request counter over its series. */
function requests(metrics: string): number {
  return [...metrics.matchAll(/^\S*requests?\S*_(?:total|count)(?:\{[^}]*\})? (\d+)/gm)].reduce(
    (sum, match) => sum + Number(match[1]),
    0,
  );
}
