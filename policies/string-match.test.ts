import assert from 'node:assert/strict';
import { GlobMatch, StringMatch } from './string-match.ts';

const STRINGS: readonly (readonly [patterns: readonly string[], text: string, matches: boolean])[] = [
  [['abc'], 'abc', true],
  [['abc'], 'ABC', false],
  [['abc'], 'abcd', false],
  [['abc*'], 'abc', true],
  [['abc*'], 'abcd', true],
  [['abc*'], 'xabc', false],
  [['*abc'], 'abc', true],
  [['*abc'], 'xabc', true],
  [['*abc'], 'abcx', false],
  [['*'], 'x', true],
  [['*'], '', false],
  [['a*c'], 'abc', false],
  [['a*c'], 'a*c', true],
  [['*b*'], 'abc', false],
  [['*b*'], 'xb*', true],
  [['**'], 'x*', true],
  [['**'], 'x', false],
  [['a', 'b*', '*c'], 'xc', true],
  [['a', 'b*', '*c'], 'd', false],
  [['a', 'b', 'c', 'd', 'e', 'f'], 'f', true],
  [['a', 'b', 'c', 'd', 'e', 'f'], 'g', false],
  [[], '', false],
  [['__proto__'], '__proto__', true],
  [['a', 'b', 'c', 'd', 'e'], 'constructor', false],
];

const GLOBS: readonly (readonly [pattern: string, text: string, matches: boolean])[] = [
  ['a*c', 'abc', true],
  ['a*c', 'ac', true],
  ['a*c', 'acb', false],
  ['a*b*c', 'a-b-c', true],
  ['a*b*c', 'a-c-b', false],
  ['*b*', 'abc', true],
  ['*b*', 'ac', false],
  ['ab*ba', 'aba', false],
  ['a*', 'abc', true],
  ['*', '', false],
  ['a', 'a', true],
];

describe('StringMatch', () => {
  for (const [patterns, text, expected] of STRINGS) {
    it(`${JSON.stringify(text)} ${expected ? 'is' : 'is not'} ${patterns.join(' or ') || 'nothing'}`, () => {
      assert.equal(new StringMatch(patterns).matches(text), expected);
    });
  }
});

describe('GlobMatch', () => {
  for (const [pattern, text, expected] of GLOBS) {
    it(`${JSON.stringify(text)} ${expected ? 'is' : 'is not'} ${pattern}`, () => {
      assert.equal(new GlobMatch([pattern]).matches(text), expected);
    });
  }
});
