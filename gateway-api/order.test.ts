// Reading order: what stays where it is keeps its number, and there is always a number in between.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FileOrder } from './file-order.ts';
import { numberInOrder } from './order.ts';

describe('numberInOrder', () => {
  const rows: [string, (number | null)[], number, number, number[] | null][] = [
    ['nothing', [], 0, 10, []],
    ['evenly where it is tight', [null, null, null], 0, 4, [1, 2, 3]],
    ['between those that stay', [10, null, 20], 0, 100, [10, 15, 20]],
    ['one that moved to the front', [30, 10, 20], 0, 100, [5, 10, 20]],
    ['one that moved to the end', [20, 30, 10], 0, 100, [20, 30, 65]],
    ['numbers out of bounds', [5, 50], 10, 100, [30, 50]],
    ['no room', [1, null, 2], 0, 10, null],
  ];
  for (const [name, had, low, high, expected] of rows) {
    it(`numbers ${name}`, () => assert.deepEqual(numberInOrder(had, low, high), expected));
  }

  it('is increasing and keeps at least as many as any other choice of one run', () => {
    const had = fc.array(fc.option(fc.integer({ min: 1, max: 999_999 }), { nil: null }), { maxLength: 30 });
    fc.assert(
      fc.property(had, (numbers) => {
        const found = numberInOrder(numbers, 0, 1_000_000);
        if (found === null) return;
        assert.ok(found.every((number, index) => number > (found[index - 1] ?? 0) && number < 1_000_000));
        const kept = found.filter((number, index) => number === numbers[index]).length;
        assert.ok(kept >= (numbers.some((number) => number !== null) ? 1 : 0));
      }),
      { seed: 1 },
    );
  });
});

describe('FileOrder', () => {
  it('numbers files by path, whatever the order they come in', () => {
    const order = new FileOrder();
    const b = order.place('b', [null, null])!;
    const c = order.place('c', [null])!;
    const a = order.place('a', [null])!;
    const bb = order.place('bb', [null])!;
    const all = [...a, ...b, ...bb, ...c];
    assert.deepEqual(
      all,
      all.toSorted((x, y) => x - y),
    );
    assert.ok(all.every((number) => number < 0));
  });

  it('keeps numbers through many insertions at one place', () => {
    const order = new FileOrder();
    let numbers = order.place('a', [null, null])!;
    order.place('b', [null]);
    const [first, last] = [numbers[0]!, numbers.at(-1)!];
    for (let i = 0; i < 15; i++) numbers = order.place('a', [numbers[0]!, null, ...numbers.slice(1)])!;
    assert.equal(numbers[0], first);
    assert.equal(numbers.at(-1), last);
  });

  it('numbers a file anew when it has no room, and all when there is none at all', () => {
    const order = new FileOrder();
    order.place('a', [null]);
    let between: number[] | null = [];
    for (let i = 0; between !== null && i < 200; i++) between = order.place(`b${'a'.repeat(200 - i)}`, [null]);
    for (const [, numbers] of order.restart(() => 1)) assert.equal(numbers.length, 1);
    assert.notEqual(order.place('ab', [null]), null);
  });
});
