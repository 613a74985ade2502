import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type CircuitBreakerPlan, CircuitState, DEFAULT_CIRCUIT_BREAKER } from './circuit-breaker.ts';
import { decideRetry, decodeRouteRetry, type RetryFacts } from './retry.ts';
import { DEFAULT_RETRY_BUDGET, decodeRetryBudget, describeRetryBudget, RetryBudget } from './retry-budget.ts';

const FULL = decodeRouteRetry({ attempts: 3, codes: [503] }, 'r', { unsupported: assert.fail }, null)!;
const FAILED: RetryFacts = {
  failure: null,
  status: 503,
  requestSent: true,
  responseStarted: true,
  answered: false,
  reused: true,
  method: 'GET',
  bodyKept: true,
  tries: 1,
  deadlineLeftMs: Number.POSITIVE_INFINITY,
  waitMs: 0,
  budgetLeft: true,
  circuitLeft: true,
};

describe('RetryBudget.report', () => {
  it('says how much of the window is used, and how much is left', () => {
    const budget = new RetryBudget({ ...DEFAULT_RETRY_BUDGET, minCount: 3 });
    assert.deepEqual(budget.report(0), { requests: 0, retries: 0, left: 3 });
    for (let count = 0; count < 10; count += 1) budget.request(100);
    assert.deepEqual(budget.report(100), { requests: 10, retries: 0, left: 5 });
    for (let left = 4; left >= 0; left -= 1) {
      assert.ok(budget.tryRetry(200));
      assert.equal(budget.report(200).left, left);
    }
    assert.ok(!budget.tryRetry(200));
    assert.deepEqual(budget.report(200), { requests: 10, retries: 2, left: 0 });
    assert.deepEqual(budget.report(60_000), { requests: 0, retries: 0, left: 3 });
  });
});

const STEP_MS = 100;

/** Every try fails `holdMs` after it began. `arrivals`: requests of each step. */
function outage(
  arrivals: readonly number[],
  holdMs: number,
  limits: CircuitBreakerPlan,
): { requests: number; upstream: number } {
  const budget = new RetryBudget(DEFAULT_RETRY_BUDGET);
  const circuit = new CircuitState();
  const failing: { at: number; tries: number }[] = [];
  let requests = 0;
  let upstream = 0;
  for (const [step, count] of arrivals.entries()) {
    const now = step * STEP_MS;
    while (failing.length > 0 && failing[0]!.at <= now) {
      const { tries } = failing.shift()!;
      if (tries > 1) circuit.release('retries');
      const budgetLeft = budget.left(now);
      const circuitLeft = circuit.full('retries', limits) === null;
      if (!decideRetry(FULL, { ...FAILED, tries, budgetLeft, circuitLeft }).retry) continue;
      budget.take(now);
      circuit.admit('retries', limits);
      assert.ok(circuit.retries <= limits.maxRetries);
      upstream += 1;
      failing.push({ at: now + holdMs, tries: tries + 1 });
    }
    for (let one = 0; one < count; one += 1) {
      budget.request(now);
      requests += 1;
      upstream += 1;
      failing.push({ at: now + holdMs, tries: 1 });
    }
  }
  return { requests, upstream };
}

describe('retry budget', () => {
  it('holds the load of an outage of 60 s within 1.25 × the requests and 10 per second', () => {
    const arrivals = fc.array(fc.oneof(fc.constant(0), fc.nat(40), fc.nat(3)), { minLength: 600, maxLength: 600 });
    fc.assert(
      fc.property(arrivals, fc.nat(300), fc.constantFrom(3, 100, 10_000), (counts, holdMs, maxRetries) => {
        const { requests, upstream } = outage(counts, holdMs, { ...DEFAULT_CIRCUIT_BREAKER, maxRetries });
        assert.ok(upstream <= 1.25 * requests + 600, `${upstream} tries for ${requests} requests`);
      }),
      { numRuns: 60 },
    );
  });

  it('holds a steady outage near 1.2 × the requests', () => {
    const { requests, upstream } = outage(new Array<number>(600).fill(100), 0, {
      ...DEFAULT_CIRCUIT_BREAKER,
      maxRetries: 1_000,
    });
    assert.equal(requests, 60_000);
    assert.ok(upstream > 1.19 * requests && upstream <= 1.2 * requests + 600, `${upstream} tries`);
  });

  it('in any window pays at most the share and the floor, and refuses only when both are used up', () => {
    const step = fc.record({ waitMs: fc.nat(1_500), requests: fc.nat(30), retries: fc.nat(30) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const budget = new RetryBudget(DEFAULT_RETRY_BUDGET);
        const requested: number[] = [];
        const paid: number[] = [];
        let now = 0;
        for (const { waitMs, requests, retries } of steps) {
          now += waitMs;
          for (let one = 0; one < requests; one += 1) {
            budget.request(now);
            requested.push(now);
          }
          for (let one = 0; one < retries; one += 1) if (budget.tryRetry(now)) paid.push(now);
          // Buckets of 1 s: the window reaches 9 to 10 s back.
          const from = (Math.floor(now / 1_000) - 9) * 1_000;
          const inWindow = (times: readonly number[]) => times.filter((at) => at >= from).length;
          // What an older window's requests paid for is still there until its bucket goes.
          assert.ok(inWindow(paid) <= 0.2 * requested.filter((at) => at >= from - 9_000).length + 100);
          if (retries > 0 && !budget.left(now)) assert.ok(inWindow(paid) + 1 > 0.2 * inWindow(requested));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('forgets what left the window, and all of it after a pause', () => {
    const budget = new RetryBudget({ ...DEFAULT_RETRY_BUDGET, minCount: 0 });
    for (let one = 0; one < 10; one += 1) budget.request(500);
    assert.deepEqual([budget.tryRetry(600), budget.tryRetry(9_999), budget.tryRetry(9_999)], [true, true, false]);
    for (let one = 0; one < 5; one += 1) budget.request(10_500);
    assert.equal(budget.tryRetry(10_600), false);
    assert.equal(budget.left(60_000), false);
    for (let one = 0; one < 5; one += 1) budget.request(60_000);
    assert.deepEqual([budget.tryRetry(60_000), budget.tryRetry(60_000)], [true, false]);
  });

  it('counts what was free of it, so that others get less', () => {
    const budget = new RetryBudget({ ...DEFAULT_RETRY_BUDGET, minCount: 1 });
    for (let one = 0; one < 5; one += 1) budget.request(0);
    for (let one = 0; one < 3; one += 1) budget.take(0);
    assert.equal(budget.left(0), false);
    assert.deepEqual([budget.tryRetry(1_000), budget.tryRetry(1_000)], [true, false]);
  });

  it('goes on under another plan', () => {
    const budget = new RetryBudget({ ...DEFAULT_RETRY_BUDGET, minCount: 0 });
    for (let one = 0; one < 10; one += 1) budget.request(0);
    budget.update({ ...DEFAULT_RETRY_BUDGET, percent: 10, minCount: 0 });
    assert.deepEqual([budget.tryRetry(0), budget.tryRetry(0)], [true, false]);
    budget.update({ percent: 100, intervalMs: 1_000, minCount: 0, minIntervalMs: 1_000 });
    budget.request(5);
    assert.deepEqual([budget.tryRetry(5), budget.tryRetry(5)], [true, false]);
  });

  it('is read from a retryConstraint', () => {
    const read = (raw: unknown, paths: string[] = []) =>
      decodeRetryBudget(raw, 'c', { unsupported: (path) => paths.push(path) });
    assert.deepEqual(read({}), DEFAULT_RETRY_BUDGET);
    const raw = { budget: { percent: 5, interval: '1m' }, minRetryRate: { count: 3, interval: '500ms' } };
    assert.deepEqual(read(raw), { percent: 5, intervalMs: 60_000, minCount: 3, minIntervalMs: 500 });
    const bad: readonly (readonly [raw: unknown, at: string])[] = [
      [{ budget: { percent: 101 } }, 'c.budget.percent'],
      [{ budget: { interval: '500ms' } }, 'c.budget.interval'],
      [{ budget: { interval: '2h' } }, 'c.budget.interval'],
      [{ minRetryRate: { count: -1 } }, 'c.minRetryRate.count'],
      [{ minRetryRate: { interval: '0s' } }, 'c.minRetryRate.interval'],
      [{ budgets: {} }, 'c.budgets'],
      [{ budget: 20 }, 'c.budget'],
    ];
    for (const [each, at] of bad) {
      const paths: string[] = [];
      assert.equal(read(each, paths), null);
      assert.deepEqual(paths, [at]);
    }
  });

  it('describes itself', () => {
    assert.equal(
      describeRetryBudget(DEFAULT_RETRY_BUDGET),
      'retry budget: 20 % of the requests of 10s, plus 10 per 1s',
    );
  });
});
