import assert from 'node:assert/strict';
import fc from 'fast-check';
import { BACKOFF_BASE_MS, backoffMs, MAX_BACKOFF_MS } from './backoff.ts';

const PLAN = { backoffBaseMs: BACKOFF_BASE_MS, backoffMinMs: 0, maxBackoffMs: MAX_BACKOFF_MS };

const CASES: readonly (readonly [name: string, retry: number, random: number, minMs: number, ms: number])[] = [
  ['the lower end is 0', 1, 0, 0, 0],
  ['first: below B', 1, 0.96, 0, 24],
  ['second: below 3 B', 2, 0.96, 0, 72],
  ['third: below 7 B', 3, 0.96, 0, 168],
  ['fourth: capped at 10 B', 4, 0.96, 0, 240],
  ['hundredth: capped at 10 B', 2_000, 0.96, 0, 240],
  ['a minimum is kept', 1, 0, 100, 100],
  ['a minimum grows upward only', 2, 0.96, 1_000, 1_072],
];

describe('backoff', () => {
  for (const [name, retry, random, backoffMinMs, ms] of CASES) {
    it(name, () => {
      assert.equal(backoffMs({ ...PLAN, backoffMinMs }, retry, random), ms);
    });
  }

  it('is uniform over its range, and never below the minimum', () => {
    fc.assert(
      fc.property(
        fc.nat(20),
        fc.nat(5_000),
        fc.double({ min: 0, max: 1 - 2 ** -53, noNaN: true }),
        (n, min, random) => {
          const ms = backoffMs({ ...PLAN, backoffMinMs: min }, n + 1, random);
          const span = Math.min((2 ** (n + 1) - 1) * 25, 250);
          assert.ok(ms >= min && ms <= min + span);
          assert.ok(Math.abs(ms - min - random * span) < 1e-6);
        },
      ),
    );
  });

  it('does not wait where nobody asked for retries', () => {
    assert.equal(backoffMs(null, 1, 0.9), 0);
  });
});
