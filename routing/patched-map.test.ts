import assert from 'node:assert/strict';
import fc from 'fast-check';
import { changedKeys, editMap, type MapEdits } from './patched-map.ts';

const KEYS = Array.from({ length: 200 }, (_, i) => `key-${i}`);
const LARGE: ReadonlyMap<string, number> = new Map(KEYS.map((key, i) => [key, i]));

function plainly(map: ReadonlyMap<string, number>, edits: MapEdits<number>): Map<string, number> {
  const edited = new Map(map);
  for (const [key, value] of edits) {
    if (value === undefined) edited.delete(key);
    else edited.set(key, value);
  }
  return edited;
}

describe('editMap', () => {
  const cases: [string, MapEdits<number>][] = [
    ['nothing', new Map()],
    ['one replaced', new Map([['key-7', -7]])],
    ['one added', new Map([['other', 1]])],
    ['one removed', new Map([['key-7', undefined]])],
    ['one removed that is not there', new Map([['other', undefined]])],
    ['all replaced', new Map(KEYS.map((key) => [key, 0]))],
    ['all removed', new Map(KEYS.map((key) => [key, undefined]))],
  ];
  for (const [name, edits] of cases) {
    it(`${name}: says what a plain copy says`, () => {
      const edited = editMap(LARGE, edits);
      assert.deepEqual(new Map(edited), plainly(LARGE, edits));
      assert.equal(edited.size, plainly(LARGE, edits).size);
      assert.equal(LARGE.size, KEYS.length);
    });
  }

  it('is itself without edits', () => assert.equal(editMap(LARGE, new Map()), LARGE));

  it('shows in JSON what it holds', () => {
    const edited = editMap(LARGE, new Map([['key-0', 5]]));
    assert.deepEqual(JSON.parse(JSON.stringify(edited)), { ...Object.fromEntries(LARGE), 'key-0': 5 });
  });

  it('any edits of edits, and what they change', () => {
    const key = fc.constantFrom(...KEYS, 'a', 'b', 'c');
    const edits = fc.array(fc.tuple(key, fc.option(fc.nat(9), { nil: undefined })), { maxLength: 30 });
    fc.assert(
      fc.property(fc.array(edits, { maxLength: 8 }), (rounds) => {
        let map = LARGE;
        let plain = new Map(LARGE);
        for (const round of rounds) {
          const next = editMap(map, new Map(round));
          const plainNext = plainly(plain, new Map(round));
          assert.deepEqual(new Map(next), plainNext);
          assert.equal(next.size, plainNext.size);
          for (const each of [...KEYS, 'a']) assert.equal(next.has(each), plainNext.has(each));
          assert.deepEqual([...changedKeys(map, next)].sort(), [...changedKeys(plain, plainNext)].sort());
          [map, plain] = [next, plainNext];
        }
        assert.deepEqual([...changedKeys(LARGE, map)].sort(), [...changedKeys(LARGE, plain)].sort());
      }),
    );
  });
});
