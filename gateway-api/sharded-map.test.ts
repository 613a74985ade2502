import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DraftMap } from './draft-map.ts';
import { ShardedDraft, ShardedMap } from './sharded-map.ts';

const edits = fc.array(fc.tuple(fc.string({ maxLength: 3 }), fc.option(fc.integer(), { nil: undefined })));

describe('maps under edit', () => {
  it('hold what a Map would hold, and leave the one they started from alone', () => {
    fc.assert(
      fc.property(edits, edits, (first, second) => {
        const model = new Map<string, number>();
        const start = new ShardedDraft(new ShardedMap<number>());
        for (const [key, value] of first) edit(model, start, key, value);
        const base = start.current;
        const before = new Map(model);
        const sharded = new ShardedDraft(base);
        const draft = new DraftMap<number>(before);
        for (const [key, value] of second) {
          edit(model, sharded, key, value);
          draft.put(key, value);
        }
        assert.deepEqual(new Map(sharded.current), model);
        assert.deepEqual(draft.current, model);
        assert.deepEqual(new Map(base), before);
        for (const [key] of second) assert.equal(sharded.get(key), model.get(key));
      }),
      { seed: 42 },
    );
  });

  it('are the very same map when nothing changed', () => {
    const base = new ShardedMap<number>();
    const sharded = new ShardedDraft(base);
    sharded.put('a', undefined);
    assert.equal(sharded.current, base);
    const map = new Map([['a', 1]]);
    const draft = new DraftMap(map);
    draft.put('a', 1);
    assert.equal(draft.current, map);
    assert.equal(draft.changed.size, 0);
  });
});

function edit(model: Map<string, number>, draft: ShardedDraft<number>, key: string, value: number | undefined): void {
  if (value === undefined) model.delete(key);
  else model.set(key, value);
  draft.put(key, value);
}
