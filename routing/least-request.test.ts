import assert from 'node:assert/strict';
import { backendOfSize, pickContext } from '../test/harness/endpoints.ts';
import { balancerFor } from './balancer.ts';
import type { Endpoint } from './endpoint.ts';
import type { Backend } from './registry.ts';

const balancer = balancerFor({ algorithm: 'LeastRequest', consistentHash: null, slowStart: null, locality: 'Any' });

function loaded(...inFlight: number[]): Backend {
  const backend = backendOfSize(inFlight.length);
  for (const [at, count] of inFlight.entries()) backend.endpoints[at]!.inFlight = count;
  return backend;
}

function draws(...values: number[]): () => number {
  return () => values.shift() ?? assert.fail('drawn too often');
}

describe('LeastRequest', () => {
  const rows: readonly (readonly [name: string, load: number[], drawn: number[], expected: number])[] = [
    ['the only one', [9], [], 0],
    ['the first drawn on a tie', [1, 1], [0.9, 0.9], 1],
    ['the less loaded of two', [1, 0], [0, 0], 1],
    ['never the same twice', [0, 5, 0], [0.4, 0.6], 2],
    ['the last place of the range', [3, 2, 1], [0.999, 0.999], 2],
  ];
  for (const [name, load, drawn, expected] of rows) {
    it(`takes ${name}`, () => {
      const backend = loaded(...load);
      assert.equal(backend.pick(pickContext({ random: draws(...drawn) }), balancer), backend.endpoints[expected]);
    });
  }

  it('takes the other one of two on a retry', () => {
    const backend = loaded(0, 7);
    const context = pickContext({ random: draws(), avoid: backend.endpoints[0]! });
    assert.equal(backend.pick(context, balancer), backend.endpoints[1]);
  });

  it('draws every pair alike', () => {
    const backend = loaded(0, 0, 0, 0);
    const seen = new Map<Endpoint | null, number>();
    for (let first = 0; first < 4; first += 1) {
      for (let second = 0; second < 3; second += 1) {
        const random = draws((first + 0.5) / 4, (second + 0.5) / 3);
        const picked = backend.pick(pickContext({ random }), balancer);
        seen.set(picked, (seen.get(picked) ?? 0) + 1);
      }
    }
    assert.deepEqual([...seen.values()], [3, 3, 3, 3]);
  });
});
