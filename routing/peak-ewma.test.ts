import assert from 'node:assert/strict';
import { seeded } from '../test/harness/chance.ts';
import { backendOfSize, countPicks, pickContext } from '../test/harness/endpoints.ts';
import { balancerFor } from './balancer.ts';
import { costOf, observeRtt, PENALTY_MS, START_MS } from './peak-ewma.ts';

const E = Math.E;

describe('cost', () => {
  const rows: readonly (readonly [name: string, ewmaMs: number, inFlight: number, age: number, expected: number])[] = [
    ['of an unknown one', START_MS, 0, 0, 30],
    ['grows with what is under way', 10, 4, 0, 50],
    ['fades', 100, 0, 10_000, 100 / E],
    ['fades, under way or not', 100, 1, 20_000, 200 / E ** 2],
    ['never fades to nothing', 100, 4, 10_000_000, 0.5],
    ['does not grow when clocks run back', 100, 0, 0, 100],
  ];
  for (const [name, ewmaMs, inFlight, age, expected] of rows) {
    it(name, () => {
      const [endpoint] = backendOfSize(1).endpoints;
      Object.assign(endpoint!, { ewmaMs, inFlight, ewmaAt: 5_000 });
      assert.ok(Math.abs(costOf(endpoint!, 5_000 + age) - expected) < 1e-9);
    });
  }
});

describe('an observed time', () => {
  const rows: readonly (readonly [name: string, before: number, rtt: number, after: number, expected: number])[] = [
    ['that is slower counts whole', 30, 400, 1, 400],
    ['that is faster counts by the time since the last', 100, 20, 10_000, 100 / E + 20 * (1 - 1 / E)],
    ['that is faster counts nothing at once', 100, 20, 0, 100],
    ['that is faster is all that counts in the end', 100, 20, 10_000_000, 20],
    ['from before the last changes nothing', 100, 20, -50, 100],
    ['from before the last is still a peak', 100, 200, -50, 200],
  ];
  for (const [name, before, rtt, after, expected] of rows) {
    it(name, () => {
      const [endpoint] = backendOfSize(1).endpoints;
      Object.assign(endpoint!, { ewmaMs: before, ewmaAt: 5_000 });
      observeRtt(endpoint!, rtt, 5_000 + after);
      assert.ok(Math.abs(endpoint!.ewmaMs - expected) < 1e-9, String(endpoint!.ewmaMs));
      assert.equal(endpoint!.ewmaAt, 5_000 + Math.max(0, after));
    });
  }
});

describe('PeakEWMA', () => {
  const balancer = balancerFor(null);

  const rows: readonly (readonly [name: string, costs: number[], drawn: number[], expected: number])[] = [
    ['the cheaper of two', [50, 20, 90], [0, 0.5], 1],
    ['the cheaper of two, drawn first', [50, 20, 90], [0.5, 0.9], 1],
    ['the first on a tie', [20, 20], [0.9, 0], 1],
    ['the costliest where it is drawn twice', [90, 20], [0, 0], 0],
  ];
  for (const [name, costs, drawn, expected] of rows) {
    it(`takes ${name}`, () => {
      const backend = backendOfSize(costs.length);
      for (const [at, ewmaMs] of costs.entries()) backend.endpoints[at]!.ewmaMs = ewmaMs;
      const draws = [...drawn];
      const random = () => draws.shift() ?? assert.fail('drawn too often');
      assert.equal(backend.pick(pickContext({ random }), balancer), backend.endpoints[expected]);
    });
  }

  for (const outcome of ['5xx', '429', 'reset', 'connect-failure', 'timeout'] as const) {
    it(`is not lured by a fast failure: ${outcome}`, () => {
      const backend = backendOfSize(5);
      const random = seeded(6);
      const share = countPicks(backend, 5_000, (at) => {
        const now = at * 10;
        const endpoint = backend.pick(pickContext({ now, random }), balancer)!;
        endpoint.begin();
        const broken = endpoint === backend.endpoints[0];
        endpoint.end(now, broken ? outcome : 'ok', broken ? 0.5 : 20);
        return endpoint;
      });
      // Both draws fall on it once in 25.
      assert.ok(share[0]! < 5_000 * 0.05 && share[0]! > 5_000 * 0.03, share.join(' '));
      assert.ok(costOf(backend.endpoints[0]!, 50_000) > PENALTY_MS / 3);
    });
  }
});
