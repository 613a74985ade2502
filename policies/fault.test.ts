import assert from 'node:assert/strict';
import { decideFault, decodeFault, describeFault, type FaultPlan, faultReply } from './fault.ts';

const BOTH: FaultPlan = { delayMs: 200, delayPercent: 5, abortStatus: 503, abortPercent: 1 };
const NONE: FaultPlan = { delayMs: 0, delayPercent: 0, abortStatus: 0, abortPercent: 0 };

const CASES: readonly (readonly [
  name: string,
  plan: FaultPlan,
  draws: readonly number[],
  delayMs: number,
  abortStatus: number,
])[] = [
  ['neither', BOTH, [0.05, 0.01], 0, 0],
  ['delayed', BOTH, [0.0499, 0.01], 200, 0],
  ['aborted', BOTH, [0.05, 0.0099], 0, 503],
  ['delayed, then aborted', BOTH, [0, 0], 200, 503],
  ['never at 0 %', { ...BOTH, delayPercent: 0, abortPercent: 0 }, [], 0, 0],
  ['always at 100 %', { ...BOTH, delayPercent: 100, abortPercent: 100 }, [0.999_999, 0.999_999], 200, 503],
  ['a fraction of a percent', { ...NONE, abortStatus: 500, abortPercent: 0.1 }, [0.000_99], 0, 500],
  ['beyond a fraction of a percent', { ...NONE, abortStatus: 500, abortPercent: 0.1 }, [0.001], 0, 0],
];

describe('fault', () => {
  for (const [name, plan, draws, delayMs, abortStatus] of CASES) {
    it(name, () => {
      const left = [...draws];
      assert.deepEqual(
        decideFault(plan, () => left.shift() ?? assert.fail()),
        { delayMs, abortStatus },
      );
      assert.deepEqual(left, []);
    });
  }

  it('answers with the status', () => {
    assert.deepEqual([faultReply(418).status, faultReply(418).reason], [418, 'fault_abort']);
  });

  it('reads its settings', () => {
    const read = (raw: unknown) => decodeFault(raw, 'f', { unsupported: assert.fail });
    const delay = { duration: '200ms', percent: 5 };
    assert.deepEqual(read({ delay, abort: { httpStatus: 503, percent: 1 } }), BOTH);
    assert.deepEqual(read({ delay }), { ...NONE, delayMs: 200, delayPercent: 5 });
    assert.deepEqual(read({}), NONE);
  });

  const bad: readonly (readonly [raw: unknown, at: readonly string[]])[] = [
    [{ delay: { duration: '200ms' } }, ['f.delay.percent']],
    [{ delay: {} }, ['f.delay.duration', 'f.delay.percent']],
    [{ delay: { duration: '0s', percent: 1 } }, ['f.delay.duration']],
    [{ delay: { duration: '200', percent: 101 } }, ['f.delay.duration', 'f.delay.percent']],
    [{ abort: { httpStatus: 503, percent: -1 } }, ['f.abort.percent']],
    [{ abort: { httpStatus: 100, percent: 1 } }, ['f.abort.httpStatus']],
    [{ abort: { httpStatus: 503, percent: '1' } }, ['f.abort.percent']],
    [{ abort: { grpcStatus: 14, percent: 1 } }, ['f.abort.grpcStatus', 'f.abort.httpStatus']],
    [{ abort: null }, ['f.abort']],
    ['abort', ['f']],
  ];
  for (const [raw, at] of bad) {
    it(`refuses ${JSON.stringify(raw)}`, () => {
      const paths = new Set<string>();
      assert.equal(decodeFault(raw, 'f', { unsupported: (path) => paths.add(path) }), null);
      for (const path of at) assert.ok(paths.has(path), path);
    });
  }

  it('describes itself', () => {
    assert.equal(describeFault(BOTH), 'fault: 5 % delayed by 200ms, 1 % answered 503');
    assert.equal(describeFault(NONE), 'fault: none');
  });
});
