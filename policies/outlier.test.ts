import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  adoptEjection,
  DEFAULT_OUTLIER,
  decodeOutlier,
  describeOutlier,
  type OutlierEndpoint,
  type OutlierPlan,
  observe,
  sweep,
} from './outlier.ts';

function endpoint(id: string, state: Partial<OutlierEndpoint> = {}): OutlierEndpoint {
  const counters = { consecutive5xx: 0, consecutiveLocal: 0, windowRequests: 0, windowFailures: 0 };
  return { id, ejectedUntil: 0, ejections: 0, ...counters, ...state };
}

function pool(count: number): OutlierEndpoint[] {
  return Array.from({ length: count }, (_, index) => endpoint(`10.0.0.${index}:80`));
}

const RATED: OutlierPlan = {
  ...DEFAULT_OUTLIER,
  successRate: { minHosts: 5, minRequests: 100, stdevFactor: 1.9 },
};

/** One endpoint of two; `after` of it: whether it is ejected, and why. */
const OBSERVED: readonly (readonly [
  name: string,
  plan: Partial<OutlierPlan>,
  state: Partial<OutlierEndpoint>,
  cause: string | null,
])[] = [
  ['four 5xx', {}, { consecutive5xx: 4 }, null],
  ['five 5xx', {}, { consecutive5xx: 5 }, 'consecutive_5xx'],
  ['four lost tries', {}, { consecutiveLocal: 4 }, null],
  ['five lost tries', {}, { consecutiveLocal: 5 }, 'consecutive_local_origin'],
  ['four of each', {}, { consecutive5xx: 4, consecutiveLocal: 4 }, null],
  ['5xx not judged', { consecutive5xx: 0 }, { consecutive5xx: 50 }, null],
  ['lost tries not judged', { consecutiveLocalOriginFailures: 0 }, { consecutiveLocal: 50 }, null],
  ['ejected already', {}, { consecutive5xx: 5, ejectedUntil: 1_001 }, null],
  ['back since just now', {}, { consecutive5xx: 5, ejectedUntil: 1_000 }, 'consecutive_5xx'],
];

describe('outlier detection', () => {
  for (const [name, plan, state, cause] of OBSERVED) {
    it(`${name}: ${cause ?? 'stays'}`, () => {
      const failing = endpoint('a', state);
      const ejection = observe({ ...DEFAULT_OUTLIER, ...plan }, [failing, endpoint('b')], failing, 1_000);
      assert.equal(ejection?.cause ?? null, cause);
      if (cause === null) assert.equal(failing.ejections, 0);
      else assert.deepEqual(ejection, { endpoint: 'a', cause, untilMs: failing.ejectedUntil, forMs: 30_000 });
    });
  }

  it('begins to count anew after it has judged', () => {
    const failing = endpoint('a', { consecutive5xx: 5 });
    assert.ok(observe(DEFAULT_OUTLIER, [failing], failing, 0));
    assert.equal(failing.consecutive5xx, 0);
    assert.equal(observe(DEFAULT_OUTLIER, [failing], failing, 30_000), null);
  });

  it('lasts longer each time, up to the maximum', () => {
    const failing = endpoint('a');
    let now = 0;
    const lasted = Array.from({ length: 12 }, () => {
      failing.consecutive5xx = 5;
      const { forMs, untilMs } = observe(DEFAULT_OUTLIER, [failing], failing, now)!;
      assert.equal(untilMs, now + forMs);
      now = untilMs;
      return forMs / 1_000;
    });
    assert.deepEqual(lasted, [30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300]);
  });

  it('forgives one ejection per good interval, and none while it is ejected', () => {
    const failing = endpoint('a', { ejections: 3, ejectedUntil: 15_000, consecutive5xx: 2 });
    const seen = [10_000, 20_000, 30_000, 40_000, 50_000, 60_000].map((now) => {
      sweep(DEFAULT_OUTLIER, [failing], now);
      return [failing.ejections, failing.ejectedUntil];
    });
    assert.deepEqual(seen, [
      [3, 15_000],
      [3, 0],
      [2, 0],
      [1, 0],
      [0, 0],
      [0, 0],
    ]);
    assert.equal(failing.consecutive5xx, 0);
  });

  for (const [count, percent, most] of [
    [1, 10, 1],
    [5, 10, 1],
    [19, 10, 1],
    [20, 10, 2],
    [10, 50, 5],
    [3, 100, 3],
    [3, 0, 1],
  ] as const) {
    it(`ejects at most ${most} of ${count} at ${percent} %`, () => {
      const endpoints = pool(count);
      const plan = { ...DEFAULT_OUTLIER, maxEjectionPercent: percent };
      const ejected = endpoints.filter((one) => {
        one.consecutive5xx = 5;
        return observe(plan, endpoints, one, 0) !== null;
      });
      assert.equal(ejected.length, most);
    });
  }

  it('never ejects more than it may, whatever happens', () => {
    const event = fc.record({ who: fc.nat(29), waitMs: fc.nat(20_000), what: fc.constantFrom('5xx', 'lost', 'sweep') });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.nat(100), fc.array(event), (count, percent, events) => {
        const endpoints = pool(count);
        const plan = { ...RATED, maxEjectionPercent: percent };
        let now = 0;
        for (const { who, waitMs, what } of events) {
          now += waitMs;
          const one = endpoints[who % count]!;
          if (what === 'sweep') sweep(plan, endpoints, now);
          else if (what === '5xx') one.consecutive5xx += 5;
          else one.consecutiveLocal += 5;
          observe(plan, endpoints, one, now);
          const ejected = endpoints.filter(({ ejectedUntil }) => ejectedUntil > now).length;
          assert.ok(ejected <= Math.max(1, Math.floor((count * percent) / 100)));
        }
      }),
    );
  });
});

/** Failures of 100 requests each; which are ejected. */
const RATES: readonly (readonly [name: string, failures: readonly number[], ejected: readonly number[]])[] = [
  ['one far below the others', [1, 1, 1, 1, 1, 40], [5]],
  ['all alike', [7, 7, 7, 7, 7, 7], []],
  ['all failing', [100, 100, 100, 100, 100, 100], []],
  ['all well', [0, 0, 0, 0, 0, 0], []],
  ['spread evenly', [0, 10, 20, 30, 40, 50], []],
  ['too few endpoints', [0, 0, 0, 90], []],
  ['two far below: the worse one, as 10 % allow', [0, 0, 0, 0, 0, 0, 0, 0, 0, 80, 90], [10]],
];

describe('success rate', () => {
  for (const [name, failures, ejected] of RATES) {
    it(name, () => {
      const endpoints = failures.map((windowFailures, index) =>
        endpoint(String(index), { windowFailures, windowRequests: 100 }),
      );
      const ejections = sweep(RATED, endpoints, 1_000);
      assert.deepEqual(
        ejections.map((one) => Number(one.endpoint)),
        ejected,
      );
      assert.ok(ejections.every(({ cause, untilMs }) => cause === 'success_rate' && untilMs === 31_000));
      assert.ok(endpoints.every((one) => one.windowRequests === 0 && one.windowFailures === 0));
    });
  }

  it('does not count endpoints with too few requests, or ejected ones', () => {
    const judged = (plan: OutlierPlan, odd: Partial<OutlierEndpoint>) => {
      const good = Array.from({ length: 5 }, (_, index) => endpoint(String(index), { windowRequests: 100 }));
      return sweep(plan, [...good, endpoint('odd', { windowFailures: 90, windowRequests: 100, ...odd })], 1_000).length;
    };
    assert.equal(judged(RATED, {}), 1);
    assert.equal(judged(RATED, { windowRequests: 99 }), 0);
    assert.equal(judged(RATED, { ejectedUntil: 9_000 }), 0);
    assert.equal(judged(DEFAULT_OUTLIER, {}), 0);
  });
});

describe('shared ejections', () => {
  const found = { endpoint: '10.0.0.1:80', forMs: 5_000 };

  it('are taken over by this clock', () => {
    const endpoints = pool(3);
    const ejection = adoptEjection(DEFAULT_OUTLIER, endpoints, found, 100);
    assert.deepEqual(ejection, { ...found, cause: 'shared', untilMs: 5_100 });
    assert.deepEqual([endpoints[1]!.ejectedUntil, endpoints[1]!.ejections], [5_100, 1]);
    assert.equal(adoptEjection(DEFAULT_OUTLIER, endpoints, found, 200), null);
  });

  it('respect the percentage, and endpoints that went', () => {
    const endpoints = pool(3);
    endpoints[0]!.ejectedUntil = 9_000;
    assert.equal(adoptEjection(DEFAULT_OUTLIER, endpoints, found, 100), null);
    assert.equal(adoptEjection(DEFAULT_OUTLIER, pool(1), found, 100), null);
  });
});

describe('outlier settings', () => {
  const read = (raw: unknown, paths: string[] = []) =>
    decodeOutlier(raw, 'o', { unsupported: (path) => paths.push(path) });

  it('are filled in', () => {
    assert.deepEqual(read({}), DEFAULT_OUTLIER);
    assert.deepEqual(read({ successRate: {} }), RATED);
    const raw = { consecutive5xx: 0, interval: '1s', maxEjectionPercent: 50, successRate: { stdevFactor: 3 } };
    assert.deepEqual(read(raw), {
      ...DEFAULT_OUTLIER,
      consecutive5xx: 0,
      intervalMs: 1_000,
      maxEjectionPercent: 50,
      successRate: { minHosts: 5, minRequests: 100, stdevFactor: 3 },
    });
  });

  const bad: readonly (readonly [raw: unknown, at: readonly string[]])[] = [
    [{ maxEjectionPercent: 101 }, ['o.maxEjectionPercent']],
    [{ panicThresholdPercent: -1 }, ['o.panicThresholdPercent']],
    [{ interval: '0s' }, ['o.interval']],
    [{ interval: 10, baseEjectionTime: '1d' }, ['o.interval', 'o.baseEjectionTime']],
    [{ baseEjectionTime: '10m' }, ['o.maxEjectionTime']],
    [{ consecutive5xx: '5' }, ['o.consecutive5xx']],
    [{ successRate: true }, ['o.successRate']],
    [{ successRate: { minHosts: 0 } }, ['o.successRate.minHosts']],
    [{ consecutiveErrors: 5 }, ['o.consecutiveErrors']],
    [[], ['o']],
  ];
  for (const [raw, at] of bad) {
    it(`refuse ${JSON.stringify(raw)}`, () => {
      const paths: string[] = [];
      assert.equal(read(raw, paths), null);
      assert.deepEqual(paths, at);
    });
  }

  it('are described', () => {
    assert.equal(
      describeOutlier(RATED),
      'outlier detection: 5 5xx in a row or 5 lost tries in a row or success below mean − 1.9 σ ejects for ' +
        '30s × times, at most 5m and 10 %; ignored below 50 % healthy',
    );
  });
});
