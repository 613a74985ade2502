import assert from 'node:assert/strict';
import { reuse } from './reuse.ts';

describe('reuse', () => {
  const value = (): object => ({ list: [1, { deep: null }], map: new Map([['k', { v: 1 }]]), text: 'x' });
  const different: [string, object][] = [
    ['a field more', { ...value(), more: 1 }],
    ['a field undefined in place of absent', { ...value(), more: undefined }],
    ['a list element', { ...value(), list: [1, { deep: 0 }] }],
    ['a shorter list', { ...value(), list: [1] }],
    ['a map value', { ...value(), map: new Map([['k', { v: 2 }]]) }],
    ['a map key', { ...value(), map: new Map([['l', { v: 1 }]]) }],
    ['a list in place of an object', { ...value(), map: [] }],
  ];
  it('keeps the previous value when the new one equals it', () => {
    const previous = value();
    assert.equal(reuse(previous, value()), previous);
  });
  for (const [name, next] of different)
    it(`takes the new value: ${name}`, () => assert.equal(reuse(value(), next), next));
  it('takes the first value', () => assert.equal(reuse<number>(undefined, 1), 1));
});
