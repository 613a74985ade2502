import assert from 'node:assert/strict';
import { formatDuration, parseDuration } from './duration.ts';

const CASES: readonly (readonly [text: string, ms: number | null])[] = [
  ['0s', 0],
  ['0h', 0],
  ['500ms', 500],
  ['10s', 10_000],
  ['1h', 3_600_000],
  ['1m30s', 90_000],
  ['1h30m10s5ms', 5_410_005],
  ['10s10s', 20_000],
  ['5ms1h', 3_600_005],
  ['99999h', 359_996_400_000],
  ['', null],
  ['10', null],
  ['s', null],
  ['-1s', null],
  ['+1s', null],
  ['1.5s', null],
  ['1d', null],
  ['1us', null],
  ['100000s', null],
  ['1h1m1s1ms1s', null],
  [' 1s', null],
  ['1s\n', null],
  ['1 s', null],
  ['1S', null],
];

describe('duration', () => {
  for (const [text, ms] of CASES) {
    it(`${JSON.stringify(text)} is ${ms === null ? 'refused' : `${ms} ms`}`, () => {
      assert.equal(parseDuration(text), ms);
    });
  }

  const written = [
    [0, '0s'],
    [500, '500ms'],
    [10_000, '10s'],
    [90_000, '1m30s'],
    [5_410_005, '1h30m10s5ms'],
    [24.6, '25ms'],
  ] as const;
  for (const [ms, text] of written) {
    it(`${ms} ms is written ${text}`, () => {
      assert.equal(formatDuration(ms), text);
    });
  }
});
