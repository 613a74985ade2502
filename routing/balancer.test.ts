import assert from 'node:assert/strict';
import { leastRequest } from './balancer.ts';
import { Endpoint } from './endpoint.ts';

function endpoints(...inFlight: number[]): Endpoint[] {
  return inFlight.map((count, at) => {
    const endpoint = new Endpoint({
      address: `10.0.0.${at + 1}`,
      port: 80,
      name: null,
      zone: null,
      ready: true,
      serving: true,
      terminating: false,
    });
    endpoint.inFlight = count;
    return endpoint;
  });
}

function draws(...values: number[]): () => number {
  return () => values.shift() ?? assert.fail('drawn too often');
}

describe('leastRequest', () => {
  const rows: readonly (readonly [name: string, load: number[], avoid: number, drawn: number[], expected: number])[] = [
    ['nothing to pick from', [], -1, [], -1],
    ['the only one', [9], -1, [0.5], 0],
    ['the only one, even if it just failed', [9], 0, [0.5], 0],
    ['the first drawn on a tie', [1, 1], -1, [0.9, 0.9], 1],
    ['the less loaded of two', [1, 0], -1, [0, 0], 1],
    ['never the same twice', [0, 5, 0], -1, [0.4, 0.6], 2],
    ['the other one on a retry', [0, 7], 0, [0.1], 1],
    ['another on a retry', [0, 7, 3], 0, [0, 0], 2],
    ['another on a retry, from the middle', [5, 0, 3], 1, [0.1, 0.1], 2],
    ['the last place of the range', [3, 2, 1], -1, [0.999, 0.999], 2],
  ];
  for (const [name, load, avoid, drawn, expected] of rows) {
    it(`picks ${name}`, () => {
      const list = endpoints(...load);
      assert.equal(leastRequest.pick(list, draws(...drawn), list[avoid] ?? null), list[expected] ?? null);
    });
  }

  it('ignores an endpoint to avoid that is no longer there', () => {
    const list = endpoints(0, 0);
    assert.equal(leastRequest.pick(list, draws(0, 0), endpoints(0)[0] ?? null), list[0]);
  });

  it('draws every pair alike', () => {
    const list = endpoints(0, 0, 0, 0);
    const seen = new Map<Endpoint | null, number>();
    for (let first = 0; first < 4; first += 1) {
      for (let second = 0; second < 3; second += 1) {
        const picked = leastRequest.pick(list, draws((first + 0.5) / 4, (second + 0.5) / 3), null);
        seen.set(picked, (seen.get(picked) ?? 0) + 1);
      }
    }
    assert.deepEqual([...seen.values()], [3, 3, 3, 3]);
  });
});
