// What the simulation shows must stay true in kind: who is better, not by how much.

import assert from 'node:assert/strict';
import { mixed, oneFlapping } from './scenarios.ts';
import { type Result, type Scenario, simulate } from './simulate.ts';

/** Short, but with one whole cycle of the flapping pod; the same for every seed. */
function run(scenario: Scenario, seed: number): Result {
  return simulate({ ...scenario, seconds: 20, seed });
}

for (const seed of [1, 2, 3]) {
  describe(`simulation, seed ${seed}`, () => {
    const ewma = run(mixed('PeakEWMA', 'off'), seed);
    const least = run(mixed('LeastRequest', 'off'), seed);
    const turns = run(mixed('RoundRobin', 'off'), seed);

    it('is the same when it is run again', () => {
      assert.deepEqual(run(mixed('PeakEWMA', 'off'), seed), ewma);
    });

    it('errors: PeakEWMA below RoundRobin below LeastRequest, which fast failures attract', () => {
      assert.ok(ewma.errorShare < turns.errorShare / 3, `${ewma.errorShare} ${turns.errorShare}`);
      assert.ok(turns.errorShare < least.errorShare, `${turns.errorShare} ${least.errorShare}`);
    });

    it('p99: PeakEWMA below LeastRequest below RoundRobin', () => {
      assert.ok(ewma.p99Ms < least.p99Ms, `${ewma.p99Ms} ${least.p99Ms}`);
      assert.ok(least.p99Ms < turns.p99Ms, `${least.p99Ms} ${turns.p99Ms}`);
    });

    it('the slow pod is spared by whoever looks at load or time', () => {
      const [fromEwma, fromLeast, fromTurns] = [ewma, least, turns].map(({ shares }) => shares.get('slow')!);
      assert.ok(Math.max(fromEwma!, fromLeast!) < fromTurns! / 2, `${fromEwma} ${fromLeast} ${fromTurns}`);
    });

    it('ejection lowers the errors of every algorithm', () => {
      for (const [algorithm, off] of [
        ['PeakEWMA', ewma],
        ['LeastRequest', least],
        ['RoundRobin', turns],
      ] as const) {
        const on = run(mixed(algorithm, 'on'), seed);
        assert.ok(on.errorShare < off.errorShare, `${algorithm}: ${on.errorShare} ${off.errorShare}`);
      }
    });

    it('under one flapping pod health-aware balancing fails a tenth as often as plain round robin', () => {
      const plain = run(oneFlapping('RoundRobin', 'off'), seed).errorShare;
      const aware = run(oneFlapping('PeakEWMA', 'on'), seed).errorShare;
      assert.ok(aware < plain / 10, `${aware} ${plain}`);
    });
  });
}
