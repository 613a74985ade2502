import assert from 'node:assert/strict';
import fc from 'fast-check';
import { allocatePorts, NO_PORTS, type PortAllocation, type PortRange, portAllocation } from './service-ports.ts';

const RANGE: PortRange = { from: 20_000, to: 29_999 };
const NONE: ReadonlySet<number> = new Set();

function allocate(ids: readonly string[], before: PortAllocation = NO_PORTS, range: PortRange = RANGE): PortAllocation {
  return allocatePorts(ids, before, range, NONE);
}

describe('ports of Services', () => {
  it('do not depend on the order', () => {
    const ids = ['shop/orders:80', 'shop/catalog:80', 'shop/catalog:81', 'default/orders:80'];
    const ports = allocate(ids);
    assert.equal(new Set(ports.assigned.values()).size, 4);
    assert.deepEqual(allocate(ids.toReversed()), ports);
    assert.equal(allocate(['shop/orders:80']).assigned.get('shop/orders:80'), ports.assigned.get('shop/orders:80'));
  });

  it('are the same in every version', () => {
    assert.deepEqual(
      [...allocate(['shop/orders:80', 'shop/catalog:80']).assigned],
      [
        ['shop/catalog:80', 22_129],
        ['shop/orders:80', 29_299],
      ],
    );
  });

  it('are the same object when nothing changed', () => {
    const ports = allocate(['a/a:1', 'a/b:1']);
    assert.equal(allocate(['a/b:1', 'a/a:1'], ports), ports);
  });

  it('stay when others come and go', () => {
    const first = allocate(['a/a:1', 'a/b:1', 'a/c:1']);
    const second = allocate(['a/c:1', 'a/d:1', 'a/e:1'], first);
    assert.equal(second.assigned.get('a/c:1'), first.assigned.get('a/c:1'));
    assert.deepEqual([...second.released.values()], ['a/a:1', 'a/b:1']);
  });

  it('come back to whoever had them', () => {
    const first = allocate(['a/a:1', 'a/b:1']);
    const without = allocate(['a/a:1'], first);
    const again = allocate(['a/a:1', 'a/b:1'], without);
    assert.deepEqual(again.assigned, first.assigned);
    assert.equal(again.released.size, 0);
  });

  it('are used again only when no other is left, the longest free first', () => {
    const range = { from: 5, to: 7 };
    let ports = allocate(['a:1', 'b:1'], NO_PORTS, range);
    const [a, b] = [ports.assigned.get('a:1'), ports.assigned.get('b:1')];
    ports = allocate(['b:1'], ports, range);
    ports = allocate([], ports, range);
    const fresh = [5, 6, 7].find((port) => port !== a && port !== b);
    ports = allocate(['c:1'], ports, range);
    assert.equal(ports.assigned.get('c:1'), fresh);
    ports = allocate(['c:1', 'd:1'], ports, range);
    assert.equal(ports.assigned.get('d:1'), a);
    ports = allocate(['c:1', 'd:1', 'e:1', 'f:1'], ports, range);
    assert.equal(ports.assigned.get('e:1'), b);
    assert.equal(ports.assigned.has('f:1'), false);
    // Whoever got none gets the next that becomes free.
    assert.equal(allocate(['c:1', 'd:1', 'f:1'], ports, range).assigned.get('f:1'), b);
  });

  it('leave out what is reserved, but for those who have it already', () => {
    const [port] = allocate(['a:1']).assigned.values() as unknown as [number];
    const other = allocatePorts(['a:1'], NO_PORTS, RANGE, new Set([port]));
    assert.equal(other.assigned.get('a:1'), port + 1);
    assert.equal(allocatePorts(['a:1', 'b:1'], allocate(['a:1']), RANGE, new Set([port])).assigned.get('a:1'), port);
  });

  it('move into another range', () => {
    const range = { from: 30_000, to: 30_009 };
    const ports = allocate(['a:1', 'b:1'], allocate(['a:1', 'c:1']), range);
    assert.ok([...ports.assigned.values()].every((port) => port >= 30_000 && port <= 30_009));
    assert.equal(ports.released.size, 0);
  });

  it('never belong to two, and never change owners without need', () => {
    const ids = fc.uniqueArray(
      fc.integer({ min: 0, max: 30 }).map((n) => `ns/s${n}:80`),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(fc.array(ids, { minLength: 1, maxLength: 8 }), (steps) => {
        const range = { from: 100, to: 119 };
        let ports = NO_PORTS;
        for (const step of steps) {
          const next = allocate(step, ports, range);
          assert.equal(next.assigned.size, step.length);
          assert.equal(
            new Set([...next.assigned.values(), ...next.released.keys()]).size,
            step.length + next.released.size,
          );
          for (const id of step) {
            if (ports.assigned.has(id)) assert.equal(next.assigned.get(id), ports.assigned.get(id));
          }
          assert.deepEqual(allocate(step.toReversed(), ports, range), next);
          ports = next;
        }
      }),
    );
  });

  const kept: [name: string, raw: unknown, expected: PortAllocation | null][] = [
    ['nothing', null, null],
    ['text', 'ports', null],
    ['a part', { assigned: {} }, null],
    [
      'all',
      { assigned: { 'a/b:1': 5 }, released: [[6, 'a/c:1']] },
      { assigned: new Map([['a/b:1', 5]]), released: new Map([[6, 'a/c:1']]) },
    ],
    [
      'what is right of it',
      { assigned: { a: 5, b: 5, c: 0, d: 70_000, e: '7' }, released: [[5, 'x'], [6], 'y', [8, 1], [9, 'z']] },
      { assigned: new Map([['a', 5]]), released: new Map([[9, 'z']]) },
    ],
  ];
  for (const [name, raw, expected] of kept) {
    it(`are read from ${name}`, () => assert.deepEqual(portAllocation(raw), expected));
  }
});
