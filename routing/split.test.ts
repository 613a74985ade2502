import assert from 'node:assert/strict';
import { Split } from './split.ts';

describe('Split', () => {
  const rows: readonly (readonly [name: string, weights: number[], random: number, expected: number | null])[] = [
    ['no share', [], 0, null],
    ['only weightless shares', [0, 0], 0.5, null],
    ['a single share', [7], 0.999, 0],
    ['the beginning', [1, 1], 0, 0],
    ['before the border', [1, 3], 0.2499, 0],
    ['at the border', [1, 3], 0.25, 1],
    ['the end', [1, 3], 0.9999999, 1],
    ['a weightless share in front', [0, 1], 0, 1],
    ['a weightless share behind', [1, 0], 0.9999999, 0],
    ['a weightless share between', [1, 0, 1], 0.5, 2],
  ];
  for (const [name, weights, random, expected] of rows) {
    it(`draws from ${name}`, () => {
      assert.equal(new Split(weights.map((weight, value) => ({ weight, value }))).pick(random), expected);
    });
  }

  it('gives each share its part', () => {
    const split = new Split([10, 0, 70, 20].map((weight, value) => ({ weight, value })));
    const counts = [0, 0, 0, 0];
    for (let at = 0; at < 1000; at += 1) counts[split.pick((at + 0.5) / 1000) ?? 1]! += 1;
    assert.deepEqual(counts, [100, 0, 700, 200]);
  });
});
