import assert from 'node:assert/strict';
import {
  type BackendPlan,
  EMPTY_SNAPSHOT,
  type RoutePlanEntry,
  type Snapshot,
  type TablePlan,
} from '../policies/plan.ts';
import { NO_BACKEND_POLICY } from '../policies/traffic.ts';
import { difference, isEmpty } from './publisher.ts';

function entry(name: string): RoutePlanEntry {
  return { key: name, kind: 'HTTPRoute', namespace: 'shop', name, createdAt: 0, hostnames: [], rules: [] };
}

function table(id: string, ...entries: RoutePlanEntry[]): TablePlan {
  return { id, entries: new Map(entries.map((one) => [one.key, one])) };
}

function snapshot(tables: readonly TablePlan[], backends: readonly BackendPlan[] = []): Snapshot {
  return {
    ...EMPTY_SNAPSHOT,
    tables: new Map(tables.map((one) => [one.id, one])),
    backends: new Map(backends.map((one) => [one.id, one])),
  };
}

describe('publisher', () => {
  it('says nothing where every reference is the same', () => {
    const one = snapshot([table('t', entry('a'))]);
    assert.ok(isEmpty(difference(one, { ...one }, 2)));
  });

  it('carries one changed route of a table, not its neighbours', () => {
    const kept = entry('kept');
    const before = snapshot([table('t', kept, entry('old'), entry('gone'))]);
    const changed = entry('old');
    const update = difference(before, snapshot([table('t', kept, changed)]), 2);
    assert.deepEqual(update.tables, [{ id: 't', upserts: [changed], removals: ['gone'] }]);
    assert.equal(update.tables[0]?.upserts[0], changed);
  });

  it('tells of an empty table, which answers 404 where no table forwards to the Service itself', () => {
    const update = difference(EMPTY_SNAPSHOT, snapshot([table('t')]), 1);
    assert.deepEqual(update.tables, [{ id: 't', upserts: [], removals: [] }]);
  });

  it('names what is gone', () => {
    const backend: BackendPlan = {
      id: 'shop/a:80',
      protocol: 'http',
      endpoints: [],
      tls: null,
      external: false,
      authority: null,
      policy: NO_BACKEND_POLICY,
      origins: [],
    };
    const update = difference(snapshot([table('t')], [backend]), EMPTY_SNAPSHOT, 2);
    assert.deepEqual(update.droppedTables, ['t']);
    assert.deepEqual(update.backends, { set: [], dropped: ['shop/a:80'] });
  });
});
