import assert from 'node:assert/strict';
import { backendOfSize } from '../test/harness/endpoints.ts';
import type { Endpoint } from './endpoint.ts';
import type { Outcome } from './outcome.ts';
import { PENALTY_MS } from './peak-ewma.ts';

function endpoint(): Endpoint {
  return backendOfSize(1).endpoints[0]!;
}

describe('the end of a try', () => {
  type Counts = readonly [
    failures: number,
    fives: number,
    local: number,
    window: number,
    failed: number,
    ewmaMs: number,
  ];
  /** After two 5xx and two resets, with an average of 100 ms. */
  const rows: readonly (readonly [outcome: Outcome, rttMs: number, expected: Counts])[] = [
    ['ok', 100, [4, 0, 0, 5, 4, 100]],
    ['ok', 400, [4, 0, 0, 5, 4, 400]],
    ['429', 1, [4, 0, 0, 5, 4, PENALTY_MS]],
    ['5xx', 1, [5, 3, 0, 5, 5, PENALTY_MS]],
    ['5xx', 3_000, [5, 3, 0, 5, 5, 3_000]],
    ['connect-failure', 1, [5, 2, 3, 5, 5, PENALTY_MS]],
    ['reset', 1, [5, 2, 3, 5, 5, PENALTY_MS]],
    ['timeout', 15_000, [5, 2, 3, 5, 5, 15_000]],
    ['client-gone', 1, [4, 2, 2, 4, 4, 100]],
    ['client-gone', 900, [4, 2, 2, 4, 4, 900]],
  ];
  for (const [outcome, rttMs, expected] of rows) {
    it(`${outcome} after ${rttMs} ms`, () => {
      const it = endpoint();
      for (const before of ['5xx', '5xx', 'reset', 'reset'] as const) {
        it.begin();
        it.end(0, before, 1);
      }
      it.ewmaMs = 100;
      it.begin();
      assert.equal(it.inFlight, 1);
      it.end(0, outcome, rttMs);
      assert.deepEqual(
        [it.failures, it.consecutive5xx, it.consecutiveLocal, it.windowRequests, it.windowFailures, it.ewmaMs],
        expected,
      );
      assert.deepEqual([it.inFlight, it.requests], [0, 5]);
    });
  }

  it('counts 5xx though tries are lost between them', () => {
    const it = endpoint();
    for (let at = 0; at < 10; at += 1) {
      it.begin();
      it.end(at, at % 2 === 0 ? '5xx' : 'reset', 1);
    }
    assert.equal(it.consecutive5xx, 5);
  });
});
