import assert from 'node:assert/strict';
import { backendOfSize } from '../test/harness/endpoints.ts';
import { SlowStart } from './slow-start.ts';

describe('slow start', () => {
  const rows: readonly (readonly [aggression: number, percent: number, age: number, weight: number])[] = [
    [1, 10, 0, 0.1],
    [1, 10, 2_000, 0.1],
    [1, 10, 5_000, 0.25],
    [1, 10, 10_000, 0.5],
    [1, 10, 19_999, 0.99995],
    [1, 10, 20_000, 1],
    [1, 10, Number.POSITIVE_INFINITY, 1],
    [1, 10, -5, 0.1],
    [1, 0, 0, 0],
    [1, 100, 0, 1],
    [2, 10, 5_000, 0.5],
    [4, 10, 1_250, 0.5],
    [1.5, 10, 2_500, 0.25],
  ];
  for (const [aggression, minWeightPercent, age, weight] of rows) {
    it(`weighs ${weight} after ${age} of 20,000 ms (aggression ${aggression}, at least ${minWeightPercent} %)`, () => {
      const [endpoint] = backendOfSize(1).endpoints;
      endpoint!.addedAt = 1_000;
      if (age === Number.POSITIVE_INFINITY) endpoint!.addedAt = Number.NEGATIVE_INFINITY;
      const slowStart = new SlowStart({ windowMs: 20_000, minWeightPercent, aggression });
      const now = age === Number.POSITIVE_INFINITY ? 0 : 1_000 + age;
      assert.ok(Math.abs(slowStart.weight(endpoint!, now) - weight) < 1e-9);
    });
  }
});
