import assert from 'node:assert/strict';
import type { EndpointData } from './endpoint.ts';
import { Registry } from './registry.ts';

type State = 'ready' | 'draining' | 'down' | 'starting';

function data(address: string, state: State = 'ready', port = 80): EndpointData {
  const ready = state === 'ready';
  const terminating = state === 'draining' || state === 'down';
  return { address, port, name: null, zone: null, ready, serving: ready || state === 'draining', terminating };
}

describe('Registry', () => {
  it('makes a backend once and forgets it when it is dropped', () => {
    const registry = new Registry();
    const backend = registry.backend('shop/orders:80');
    assert.equal(registry.backend('shop/orders:80'), backend);
    assert.equal(registry.peek('shop/orders:80'), backend);
    assert.equal(registry.peek('shop/carts:80'), undefined);
    registry.update('shop/carts:80', [data('10.0.0.1')]);
    assert.deepEqual([...registry.ids()], ['shop/orders:80', 'shop/carts:80']);
    const gone = registry.drop('shop/carts:80');
    assert.deepEqual(
      gone.map(({ id, removed }) => [id, removed]),
      [['10.0.0.1:80', true]],
    );
    assert.deepEqual(registry.drop('shop/carts:80'), []);
    assert.deepEqual([...registry.ids()], ['shop/orders:80']);
  });

  it('keeps the live state of an address that stays, and returns those that went', () => {
    const backend = new Registry().backend('b');
    backend.update([data('10.0.0.1'), data('10.0.0.2'), data('10.0.0.1', 'ready', 81)]);
    const [first, second] = backend.endpoints;
    assert.ok(first && second);
    first.inFlight = 3;
    first.slot = 'pool';
    const gone = backend.update([data('10.0.0.1', 'draining'), data('10.0.0.3')]);
    assert.deepEqual(
      gone.map(({ id }) => id),
      ['10.0.0.2:80', '10.0.0.1:81'],
    );
    assert.equal(second.removed, true);
    assert.equal(backend.endpoints[0], first);
    assert.deepEqual([first.inFlight, first.slot, first.terminating, first.removed], [3, 'pool', true, false]);
  });

  it('takes the first of equal addresses and writes IPv6 in brackets', () => {
    const backend = new Registry().backend('b');
    backend.update([data('fd00::1'), data('fd00::1', 'down')]);
    assert.deepEqual(
      backend.endpoints.map(({ id, ready }) => [id, ready]),
      [['[fd00::1]:80', true]],
    );
  });

  const rows: readonly (readonly [name: string, states: State[], eligible: number[]])[] = [
    ['ready ones', ['ready', 'draining', 'ready', 'starting'], [0, 2]],
    ['serving ones while none is ready', ['draining', 'down', 'starting'], [0]],
    ['nothing when none serves', ['down', 'starting'], []],
    ['nothing of nothing', [], []],
  ];
  for (const [name, states, expected] of rows) {
    it(`chooses among ${name}`, () => {
      const backend = new Registry().backend('b');
      backend.update(states.map((state, at) => data(`10.0.0.${at}`, state)));
      assert.deepEqual(
        backend.eligible,
        expected.map((at) => backend.endpoints[at]),
      );
      const picked = backend.pick(() => 0, null);
      assert.equal(picked, backend.endpoints[expected[0] ?? -1] ?? null);
    });
  }

  it('retries elsewhere', () => {
    const backend = new Registry().backend('b');
    backend.update([data('10.0.0.1'), data('10.0.0.2')]);
    const [first, second] = backend.endpoints;
    for (const random of [0, 0.4, 0.999])
      assert.equal(
        backend.pick(() => random, first ?? null),
        second,
      );
  });
});
