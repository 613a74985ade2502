import assert from 'node:assert/strict';
import { queryValue } from './query.ts';

describe('queryValue', () => {
  const rows: readonly (readonly [query: string, name: string, expected: string | null])[] = [
    ['', 'a', null],
    ['a=1', 'a', '1'],
    ['a=1', 'A', null],
    ['ab=1&a=2', 'a', '2'],
    ['a=1&a=2', 'a', '1'],
    ['a', 'a', ''],
    ['a&a=2', 'a', ''],
    ['a=', 'a', ''],
    ['&&a=1', 'a', '1'],
    ['=1', '', '1'],
    ['a=b=c', 'a', 'b=c'],
    ['a=x%20y', 'a', 'x y'],
    ['a=x+y', 'a', 'x y'],
    ['a=x%2By', 'a', 'x+y'],
    ['a=%c3%a9', 'a', 'é'],
    ['a=%', 'a', '%'],
    ['a=%zz+', 'a', '%zz+'],
    ['a=%ff', 'a', '%ff'],
    ['%61=1', 'a', '1'],
    ['%61%62=1', 'a', null],
    ['%6=1&%61=2', 'a', '2'],
    ['a+b=1', 'a b', '1'],
    ['a+b=1', 'a+b', null],
    ['a%2bb=1', 'a+b', '1'],
    ['%ff=1&a=2', 'a', '2'],
    ['a%=1', 'a%', '1'],
    ['a;b=1', 'b', null],
    ['__proto__=1', '__proto__', '1'],
    ['x=1', 'constructor', null],
  ];
  for (const [query, name, expected] of rows) {
    it(`${name} of ${query}: ${expected}`, () => assert.equal(queryValue(query, name), expected));
  }
});
