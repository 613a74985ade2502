import assert from 'node:assert/strict';
import { seeded } from '../test/harness/chance.ts';
import { backendOf, backendOfSize, countPicks, pickContext } from '../test/harness/endpoints.ts';
import { balancerFor } from './balancer.ts';
import type { LoadBalancingPlan } from './load-balancing.ts';

const ALGORITHMS = ['PeakEWMA', 'LeastRequest', 'RoundRobin', 'Random', 'ConsistentHash'] as const;

function plan(given: Partial<LoadBalancingPlan> = {}): LoadBalancingPlan {
  return { algorithm: 'PeakEWMA', consistentHash: null, slowStart: null, locality: 'Any', ...given };
}

describe('balancerFor', () => {
  it('is one for equal plans, PeakEWMA in any zone for none', () => {
    assert.equal(balancerFor(plan()), balancerFor(null));
    const slowStart = { windowMs: 1_000, minWeightPercent: 10, aggression: 1 };
    assert.equal(balancerFor(plan({ slowStart })), balancerFor(plan({ slowStart: { ...slowStart } })));
    const distinct = [
      plan(),
      plan({ algorithm: 'Random' }),
      plan({ locality: 'Strict' }),
      plan({ slowStart }),
      plan({ slowStart: { ...slowStart, aggression: 2 } }),
    ];
    assert.equal(new Set(distinct.map(balancerFor)).size, distinct.length);
  });
});

for (const algorithm of ALGORITHMS) {
  const balancer = balancerFor(plan({ algorithm }));
  describe(`every choice: ${algorithm}`, () => {
    it('has nothing to choose from', () => {
      assert.equal(backendOfSize(0).pick(pickContext(), balancer), null);
    });

    it('takes the only one, even if it just failed', () => {
      const backend = backendOfSize(1);
      const [only] = backend.endpoints;
      assert.equal(backend.pick(pickContext({ avoid: only! }), balancer), only);
    });

    it('leaves out who is ejected', () => {
      const backend = backendOfSize(4);
      const random = seeded(1);
      backend.endpoints[2]!.ejectedUntil = 1_000;
      backend.changed();
      const counts = countPicks(backend, 400, (at) => backend.pick(pickContext({ random, hash: at * 77 }), balancer));
      assert.equal(counts[2], 0);
      assert.ok(Math.min(counts[0]!, counts[1]!, counts[3]!) > 50, counts.join(' '));
    });

    it('retries where it was not, in another zone if it can', () => {
      const backend = backendOf([{ zone: 'a' }, { zone: 'a' }, { zone: 'b' }, { zone: 'b' }, {}]);
      const [one, two, three, four] = backend.endpoints;
      const random = seeded(2);
      const rows = [
        [one, [], [0, 0, 1, 1, 0]],
        [three, [one], [0, 1, 0, 0, 0]],
        [three, [one, two], [0, 0, 0, 1, 1]],
        [four, [one, two, three], [0, 0, 0, 0, 1]],
        [four, backend.endpoints, [1, 1, 0, 0, 0]],
      ] as const;
      for (const [avoid, tried, expected] of rows) {
        const context = (at: number) => pickContext({ random, avoid: avoid!, tried: tried as never, hash: at * 7919 });
        const counts = countPicks(backend, 100, (at) => backend.pick(context(at), balancer));
        assert.deepEqual(counts.map(Math.sign), expected);
      }
    });

    it('is even over equal endpoints', () => {
      const backend = backendOfSize(5);
      const random = seeded(3);
      const counts = countPicks(backend, 10_000, () => {
        const hash = Math.floor(random() * 2 ** 32);
        return backend.pick(pickContext({ random, hash }), balancer);
      });
      // 5 σ of a binomial with n = 10,000 and p = 1/5.
      for (const count of counts) assert.ok(Math.abs(count - 2_000) < 200, counts.join(' '));
    });
  });
}

describe('locality', () => {
  const backend = backendOf([{ zone: 'a' }, { zone: 'a' }, { zone: 'b' }, { zone: 'b' }, { zone: 'b' }, { zone: 'b' }]);
  const rows: readonly (readonly [locality: LoadBalancingPlan['locality'], zone: string | null, local: number])[] = [
    ['Any', 'a', 2 / 6],
    // Two of six where three would be fair: 2/3, and 1.2 times that stays.
    ['PreferZone', 'a', 0.8],
    ['PreferZone', 'b', 0],
    ['PreferZone', 'c', 2 / 6],
    ['PreferZone', null, 2 / 6],
    ['Strict', 'a', 1],
    ['Strict', 'b', 0],
  ];
  for (const [locality, zone, expected] of rows) {
    it(`${locality} in zone ${zone} sends ${expected.toFixed(2)} to zone a`, () => {
      const random = seeded(4);
      const balancer = balancerFor(plan({ algorithm: 'Random', locality }));
      const counts = countPicks(backend, 6_000, () => backend.pick(pickContext({ random, zone }), balancer));
      const share = (counts[0]! + counts[1]!) / 6_000;
      assert.ok(Math.abs(share - expected) < 0.03, String(share));
    });
  }

  it('Strict refuses where the zone has none, or none is known', () => {
    const balancer = balancerFor(plan({ locality: 'Strict' }));
    assert.equal(backend.pick(pickContext({ zone: 'c' }), balancer), null);
    assert.equal(backend.pick(pickContext({ zone: null }), balancer), null);
  });

  it('Strict retries within the zone', () => {
    const balancer = balancerFor(plan({ locality: 'Strict' }));
    const [one, two] = backend.endpoints;
    assert.equal(backend.pick(pickContext({ zone: 'a', avoid: one! }), balancer), two);
  });

  it('PreferZone keeps equal hash keys together when it spills', () => {
    const balancer = balancerFor(plan({ algorithm: 'ConsistentHash', locality: 'PreferZone' }));
    for (let hash = 1; hash < 200; hash += 1) {
      const random = seeded(hash);
      const context = pickContext({ random, zone: 'a', hash });
      assert.equal(backend.pick(context, balancer), backend.pick(context, balancer));
    }
  });
});

describe('slow start', () => {
  const slowStart = { windowMs: 10_000, minWeightPercent: 10, aggression: 1 };
  for (const algorithm of ['PeakEWMA', 'LeastRequest', 'RoundRobin', 'Random'] as const) {
    it(`gives a new endpoint its share by and by: ${algorithm}`, () => {
      const balancer = balancerFor(plan({ algorithm, slowStart }));
      const random = seeded(5);
      const backend = backendOfSize(4);
      const list = backend.endpoints.map(({ address, port, name, zone, hints, ready, serving, terminating }) => {
        return { address, port, name, zone, hints, ready, serving, terminating };
      });
      backend.update([...list, { ...list[0]!, address: '10.0.0.9' }], 1_000);
      for (const endpoint of backend.endpoints) endpoint.ewmaAt = 1_000;
      for (const [now, weight] of [
        [1_000, 0.1],
        [6_000, 0.5],
        [11_000, 1],
      ] as const) {
        const counts = countPicks(backend, 10_000, () => backend.pick(pickContext({ now, random }), balancer));
        const share = counts[4]! / 10_000;
        assert.ok(Math.abs(share - weight / (4 + weight)) < 0.01, `${now}: ${counts.join(' ')}`);
      }
    });
  }
});
