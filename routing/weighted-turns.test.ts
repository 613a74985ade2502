import assert from 'node:assert/strict';
import { seeded } from '../test/harness/chance.ts';
import { backendOfSize, countPicks, endpointData, pickContext } from '../test/harness/endpoints.ts';
import { balancerFor, type PickContext } from './balancer.ts';
import type { Backend } from './registry.ts';
import { SlowStart } from './slow-start.ts';
import { WeightedTurns } from './weighted-turns.ts';

const roundRobin = balancerFor({ algorithm: 'RoundRobin', consistentHash: null, slowStart: null, locality: 'Any' });

function order(backend: Backend, times: number, context: PickContext): number[] {
  return Array.from({ length: times }, () => backend.endpoints.indexOf(backend.pick(context, roundRobin)!));
}

describe('RoundRobin', () => {
  it('takes everyone once before anyone twice, whatever is under way', () => {
    const backend = backendOfSize(5);
    backend.endpoints[1]!.inFlight = 100;
    const context = pickContext({ random: seeded(7) });
    const first = order(backend, 5, context);
    assert.deepEqual([...first].sort(), [0, 1, 2, 3, 4]);
    for (let round = 0; round < 3; round += 1) assert.deepEqual(order(backend, 5, context), first);
  });

  it('does not begin with the same one everywhere', () => {
    const begins = new Set<number>();
    for (let seed = 0; seed < 40; seed += 1) {
      begins.add(order(backendOfSize(5), 1, pickContext({ random: seeded(seed) }))[0]!);
    }
    assert.equal(begins.size, 5);
  });

  it('gives one that joins, or comes back, its turn and no more', () => {
    const backend = backendOfSize(3);
    const context = pickContext({ random: seeded(8) });
    order(backend, 300, context);
    const list = backend.endpoints.map(({ address }) => endpointData({ address }));
    backend.update([...list, endpointData({ address: '10.0.0.9' })], 0);
    assert.deepEqual(order(backend, 4, context).sort(), [0, 1, 2, 3]);
    backend.endpoints[0]!.ejectedUntil = 10;
    backend.changed();
    order(backend, 300, context);
    const later = pickContext({ ...context, now: 10 });
    assert.ok(order(backend, 2, later).includes(0), 'it is due at once');
    for (let round = 0; round < 3; round += 1) assert.deepEqual(order(backend, 4, later).sort(), [0, 1, 2, 3]);
  });
});

describe('weighted turns', () => {
  const slowStart = new SlowStart({ windowMs: 100, minWeightPercent: 0, aggression: 1 });

  /** Four endpoints that weigh 1, 1/2, 1/4 and 1/4 at time 0. */
  function weighing(): Backend {
    const backend = backendOfSize(4);
    for (const [at, age] of [100, 50, 25, 25].entries()) backend.endpoints[at]!.addedAt = -age;
    return backend;
  }

  it('go by weight, smoothly', () => {
    const backend = weighing();
    const turns = new WeightedTurns(0);
    const context = pickContext({ random: seeded(9) });
    const picked = Array.from({ length: 800 }, () => turns.choose(backend.endpoints, backend, context, slowStart));
    const counts = backend.endpoints.map((endpoint) => picked.filter((each) => each === endpoint).length);
    for (const [at, expected] of [400, 200, 100, 100].entries()) {
      assert.ok(Math.abs(counts[at]! - expected) <= 1, counts.join(' '));
    }
    for (let at = 0; at + 3 < picked.length; at += 1) {
      const heavy = picked.slice(at, at + 4).filter((each) => each === backend.endpoints[0]).length;
      assert.ok(heavy >= 1 && heavy <= 3, `${heavy} of 4 in a row`);
    }
  });

  it('go by weight and load', () => {
    const backend = weighing();
    backend.endpoints[0]!.inFlight = 3;
    const turns = new WeightedTurns(1);
    const context = pickContext({ random: seeded(10) });
    const counts = countPicks(backend, 500, () => turns.choose(backend.endpoints, backend, context, slowStart));
    for (const [at, expected] of [100, 200, 100, 100].entries()) {
      assert.ok(Math.abs(counts[at]! - expected) <= 1, counts.join(' '));
    }
  });

  it('come even to who weighs nothing yet', () => {
    const backend = backendOfSize(2);
    backend.endpoints[1]!.addedAt = 0;
    const turns = new WeightedTurns(0);
    const context = pickContext({ random: seeded(11) });
    const counts = countPicks(backend, 5_000, () => turns.choose(backend.endpoints, backend, context, slowStart));
    assert.ok(counts[1]! >= 4 && counts[1]! <= 6, counts.join(' '));
  });
});
