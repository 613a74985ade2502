import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Edit, editResources, edits } from '../test/harness/random-edits.ts';
import { NO_RESOURCES } from './changes.ts';
import { DEFAULT_ENVIRONMENT } from './environment.ts';
import { NO_PORTS, type PortAllocation } from './service-ports.ts';
import { type Environment, type Translation, translate } from './translate.ts';

const ENVIRONMENT: Environment = DEFAULT_ENVIRONMENT;

/** A world in which most references lead somewhere, and what is done to it. */
const world = fc.array(edits, { minLength: 20, maxLength: 60 });
const steps = fc.array(edits, { minLength: 1, maxLength: 2 });

function environmentAfter(edit: Edit, environment: Environment): Environment {
  if (edit.kind === 'BindError') {
    return { ...environment, bindErrors: new Map(edit.error === null ? [] : [[edit.id, edit.error]]) };
  }
  if (edit.kind === 'Names') return { ...environment, addresses: new Map(Object.entries(edit.addresses)) };
  if (edit.kind === 'ExternalNames') return { ...environment, allowExternalName: edit.allowed };
  if (edit.kind === 'Interfaces') {
    return { ...environment, localAddresses: edit.addresses === null ? null : new Set(edit.addresses) };
  }
  if (edit.kind === 'Time') return { ...environment, now: edit.now };
  return edit.kind === 'Scope' ? { ...environment, gateway: edit.gateway } : environment;
}

/** Fewer than there are Services: some get none, some get what others had. Told as whoever keeps them tells them. */
function withPorts(environment: Environment, kept: PortAllocation): Environment {
  return { ...environment, servicePorts: { from: 20_000, to: 20_003, kept } };
}

/** Equal values must be the same objects: that is how the publisher tells what changed. */
function assertReused(before: Translation, after: Translation): void {
  const maps = { ...after.snapshot, statuses: after.statuses };
  const old = { ...before.snapshot, statuses: before.statuses };
  for (const name of Object.keys(maps) as (keyof typeof maps)[]) {
    const now = maps[name] as ReadonlyMap<string, unknown>;
    for (const [key, value] of old[name] as ReadonlyMap<string, unknown>) {
      const next = now.get(key);
      if (next === value || next === undefined) continue;
      assert.notDeepEqual(next, value, `${name} ${key} was rebuilt although it is the same`);
    }
  }
}

function assertEntriesReused(before: Translation, after: Translation): void {
  for (const [id, table] of after.snapshot.tables) {
    for (const [key, entry] of before.snapshot.tables.get(id)?.entries ?? []) {
      const next = table.entries.get(key);
      if (next !== undefined && next !== entry) assert.notDeepEqual(next, entry, `entry ${key} of ${id}`);
    }
  }
}

describe('translate', () => {
  it('gives after any edits what it gives from scratch, and keeps what did not change', () => {
    fc.assert(
      fc.property(world, fc.array(steps, { minLength: 1, maxLength: 15 }), (first, rest) => {
        let resources = NO_RESOURCES;
        let environment = withPorts(ENVIRONMENT, NO_PORTS);
        let translation: Translation | null = null;
        for (const step of [first, ...rest]) {
          const { gateway, allowExternalName } = environment;
          for (const edit of step) {
            resources = editResources(resources, edit);
            environment = environmentAfter(edit, environment);
          }
          const before = translation;
          translation = translate(resources, environment, before);
          environment = withPorts(environment, translation.state.ports);
          const { snapshot, statuses } = translate(resources, environment, null);
          assert.deepEqual(translation.snapshot, snapshot);
          assert.deepEqual(translation.statuses, statuses);
          const isSameScope = gateway === environment.gateway && allowExternalName === environment.allowExternalName;
          if (before === null || !isSameScope) continue;
          assertReused(before, translation);
          assertEntriesReused(before, translation);
        }
      }),
      { numRuns: 1500, seed: 42 },
    );
  });

  it('does not touch what it was given', () => {
    fc.assert(
      fc.property(fc.array(edits, { minLength: 2, maxLength: 30 }), (list) => {
        const early = list.slice(0, list.length >> 1).reduce(editResources, NO_RESOURCES);
        const late = list.reduce(editResources, NO_RESOURCES);
        const first = translate(early, ENVIRONMENT, null);
        const second = translate(late, ENVIRONMENT, first);
        const again = translate(early, ENVIRONMENT, null);
        assert.deepEqual(first, again);
        assert.deepEqual(translate(late, ENVIRONMENT, first).snapshot, second.snapshot);
      }),
      { numRuns: 50, seed: 42 },
    );
  });

  it('gives the very same translation parts when nothing changed', () => {
    const [resources] = fc
      .sample(fc.array(edits, { minLength: 40, maxLength: 40 }), { numRuns: 1, seed: 7 })
      .map((list) => list.reduce(editResources, NO_RESOURCES));
    const first = translate(resources!, ENVIRONMENT, null);
    const second = translate(resources!, ENVIRONMENT, first);
    for (const name of Object.keys(first.snapshot) as (keyof typeof first.snapshot)[]) {
      assert.equal(second.snapshot[name], first.snapshot[name], name);
    }
    assert.equal(second.statuses, first.statuses);
  });
});
