import assert from 'node:assert/strict';
import { backendOfSize, endpointData, pickContext } from '../test/harness/endpoints.ts';
import type { EndpointData } from './endpoint.ts';
import { Registry } from './registry.ts';

type State = 'ready' | 'draining' | 'down' | 'starting';

function data(address: string, state: State = 'ready', port = 80): EndpointData {
  const ready = state === 'ready';
  const terminating = state === 'draining' || state === 'down';
  return endpointData({ address, port, ready, serving: ready || state === 'draining', terminating });
}

describe('Registry', () => {
  it('makes a backend once and forgets it when it is dropped', () => {
    const registry = new Registry();
    const backend = registry.backend('shop/orders:80');
    assert.equal(registry.backend('shop/orders:80'), backend);
    assert.equal(registry.peek('shop/orders:80'), backend);
    assert.equal(registry.peek('shop/carts:80'), undefined);
    registry.update('shop/carts:80', [data('10.0.0.1')], 0);
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
    backend.update([data('10.0.0.1'), data('10.0.0.2'), data('10.0.0.1', 'ready', 81)], 0);
    const [first, second] = backend.endpoints;
    assert.ok(first && second);
    first.inFlight = 3;
    first.slot = 'pool';
    first.ejectedUntil = 500;
    const gone = backend.update([data('10.0.0.1', 'draining'), data('10.0.0.3')], 100);
    assert.deepEqual(
      gone.map(({ id }) => id),
      ['10.0.0.2:80', '10.0.0.1:81'],
    );
    assert.equal(second.removed, true);
    assert.equal(backend.endpoints[0], first);
    assert.deepEqual([first.inFlight, first.slot, first.terminating, first.removed], [3, 'pool', true, false]);
    assert.equal(first.ejectedUntil, 500);
  });

  it('takes the first of equal addresses and writes IPv6 in brackets', () => {
    const backend = new Registry().backend('b');
    backend.update([data('fd00::1'), data('fd00::1', 'down')], 0);
    assert.deepEqual(
      backend.endpoints.map(({ id, ready }) => [id, ready]),
      [['[fd00::1]:80', true]],
    );
  });

  it('knows since when an endpoint is ready', () => {
    const backend = new Registry().backend('b');
    backend.update([data('10.0.0.1'), data('10.0.0.2', 'starting')], 1_000);
    backend.update([data('10.0.0.1'), data('10.0.0.2'), data('10.0.0.3')], 2_000);
    assert.deepEqual(
      backend.endpoints.map(({ addedAt }) => addedAt),
      [Number.NEGATIVE_INFINITY, 2_000, 2_000],
    );
    assert.equal(backend.candidates(2_000).length, 3);
    assert.equal(backend.newestAt, 2_000);
    backend.update([data('10.0.0.1', 'starting')], 3_000);
    backend.update([data('10.0.0.1')], 4_000);
    assert.equal(backend.endpoints[0]?.addedAt, 4_000);
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
      backend.update(
        states.map((state, at) => data(`10.0.0.${at}`, state)),
        0,
      );
      assert.deepEqual(
        backend.candidates(0),
        expected.map((at) => backend.endpoints[at]),
      );
      assert.equal(backend.pick(pickContext()), backend.endpoints[expected[0] ?? -1] ?? null);
    });
  }
});

describe('candidates', () => {
  const rows: readonly (readonly [name: string, size: number, out: number[], panic: number, left: number[]])[] = [
    ['everyone is well', 4, [], 50, [0, 1, 2, 3]],
    ['one is out', 4, [1], 50, [0, 2, 3]],
    ['just enough are left', 4, [0, 1], 50, [2, 3]],
    ['too few are left', 4, [0, 1, 2], 50, [0, 1, 2, 3]],
    ['the only one is out', 1, [0], 50, [0]],
    ['few are enough', 4, [0, 1, 2], 25, [3]],
    ['there is no panic', 4, [0, 1, 2, 3], 0, []],
    ['any loss is too much', 4, [3], 100, [0, 1, 2, 3]],
  ];
  for (const [name, size, out, panic, left] of rows) {
    for (const cause of ['ejected', 'unhealthy']) {
      it(`when ${name} (${cause})`, () => {
        const backend = backendOfSize(size);
        backend.panicPercent = panic;
        for (const at of out) {
          if (cause === 'ejected') backend.endpoints[at]!.ejectedUntil = 1_000;
          else backend.endpoints[at]!.healthy = false;
        }
        backend.changed();
        assert.deepEqual(
          backend.candidates(999).map((endpoint) => backend.endpoints.indexOf(endpoint)),
          left,
        );
        assert.equal(backend.panicking, out.length > 0 && left.length === size);
      });
    }
  }

  it('are the same list until something changes or an ejection ends', () => {
    const backend = backendOfSize(4);
    const [first, second] = backend.endpoints;
    const before = backend.candidates(0);
    assert.equal(backend.candidates(1_000_000), before);
    first!.ejectedUntil = 2_000;
    second!.ejectedUntil = 3_000;
    assert.equal(backend.candidates(1_000), before, 'nobody said that something changed');
    backend.changed();
    const two = backend.candidates(1_000);
    assert.deepEqual([two.length, backend.nextChangeAt], [2, 2_000]);
    assert.equal(backend.candidates(1_999.9), two);
    const three = backend.candidates(2_000);
    assert.deepEqual([three.length, backend.nextChangeAt], [3, 3_000]);
    assert.equal(backend.candidates(3_000).length, 4);
    assert.equal(backend.nextChangeAt, Number.POSITIVE_INFINITY);
  });
});

describe('persistent', () => {
  const rows: readonly (readonly [name: string, given: Partial<EndpointData>, ejected: boolean, kept: boolean])[] = [
    ['a ready one', {}, false, true],
    ['one that serves though it is not ready', { ready: false }, false, true],
    ['one that drains', { ready: false, terminating: true }, false, true],
    ['not one that stopped serving', { ready: false, serving: false, terminating: true }, false, false],
    ['not an ejected one', {}, true, false],
  ];
  for (const [name, given, ejected, kept] of rows) {
    it(`gives ${name}`, () => {
      const backend = backendOfSize(3);
      const all = backend.endpoints.map(({ address }, at) => endpointData({ address, ...(at === 0 ? given : {}) }));
      backend.update(all, 1);
      const [first] = backend.endpoints;
      if (ejected) first!.ejectedUntil = 100;
      backend.changed();
      assert.equal(backend.persistent('10.0.0.1:8080', 50), kept ? first : null);
    });
  }

  it('gives an ejected one while health is ignored, and none that is unknown', () => {
    const backend = backendOfSize(1);
    backend.endpoints[0]!.ejectedUntil = 100;
    backend.changed();
    assert.equal(backend.persistent('10.0.0.1:8080', 50), backend.endpoints[0]);
    assert.equal(backend.persistent('10.0.0.9:8080', 50), null);
  });
});
