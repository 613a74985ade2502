import assert from 'node:assert/strict';
import { editQuery } from './query-edits.ts';

describe('edits of a query', () => {
  const rows: readonly (readonly [
    name: string,
    query: string,
    remove: readonly string[],
    set: readonly (readonly [string, string])[],
    expected: string,
  ])[] = [
    ['nothing', 'a=1&&b', [], [], 'a=1&&b'],
    ['of nothing', '', ['a'], [['b', '1']], 'b=1'],
    ['every one of a name', 'a=1&b=2&a=3&a', ['a'], [], 'b=2'],
    ['however it is written', '%61=1&b=2', ['a'], [], 'b=2'],
    ['a blank', 'a+b=1&c', ['a b'], [], 'c'],
    ['in place of all', 'a=1&b=2&a=3', [], [['a', '4']], 'b=2&a=4'],
    ['escaped', '', [], [['a&b', 'c d=\r\n#']], 'a%26b=c%20d%3D%0D%0A%23'],
    ['others stay as they were sent', 'x=%zz&y=+', ['a'], [], 'x=%zz&y=+'],
  ];
  for (const [name, query, remove, set, expected] of rows) {
    it(name, () => assert.equal(editQuery(query, { remove, set }), expected));
  }
});
