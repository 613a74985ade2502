import assert from 'node:assert/strict';
import { backendOf, backendOfSize, countPicks, pickContext } from '../test/harness/endpoints.ts';
import { balancerFor } from './balancer.ts';
import { hashKey } from './hash-key.ts';
import type { Backend } from './registry.ts';

const balancer = balancerFor({ algorithm: 'ConsistentHash', consistentHash: null, slowStart: null, locality: 'Any' });
const KEYS = Array.from({ length: 10_000 }, (_, at) => hashKey(`user-${at}`));

function owners(backend: Backend): string[] {
  return KEYS.map((hash) => backend.pick(pickContext({ hash }), balancer)!.id);
}

describe('hashKey', () => {
  // These values are a contract between replicas of different versions.
  const rows: readonly (readonly [text: string, hash: number])[] = [
    ['', 2872998923],
    ['a', 444641715],
    ['b', 2193908274],
    ['user-1', 2005895916],
    ['10.0.0.1:8080', 3150401971],
    ['né', 432381851],
  ];
  for (const [text, hash] of rows) it(`of "${text}"`, () => assert.equal(hashKey(text), hash));

  it('is never 0, and flips every bit about half of the time', () => {
    const flips = new Array<number>(32).fill(0);
    for (let at = 0; at < 2_000; at += 1) {
      const difference = hashKey(`key-${at}`) ^ hashKey(`key-${at + 1}`);
      for (let bit = 0; bit < 32; bit += 1) flips[bit]! += (difference >>> bit) & 1;
      assert.notEqual(hashKey(`key-${at}`), 0);
    }
    for (const count of flips) assert.ok(Math.abs(count - 1_000) < 150, flips.join(' '));
  });
});

describe('ConsistentHash', () => {
  it('gives a key the same endpoint in every replica, whatever the order of the list', () => {
    const backend = backendOfSize(7);
    const other = backendOf([...backend.endpoints].reverse().map(({ address }) => ({ address })));
    assert.deepEqual(owners(backend), owners(other));
    const sample = ['user-1', 'user-2', 'user-3'].map((key) => {
      return backend.pick(pickContext({ hash: hashKey(key) }), balancer)!.id;
    });
    assert.deepEqual(sample, ['10.0.0.7:8080', '10.0.0.4:8080', '10.0.0.4:8080']);
  });

  it('spreads keys evenly', () => {
    const backend = backendOfSize(10);
    const counts = countPicks(backend, KEYS.length, (at) => backend.pick(pickContext({ hash: KEYS[at]! }), balancer));
    for (const count of counts) assert.ok(Math.abs(count - 1_000) < 150, counts.join(' '));
  });

  it('moves only the keys of who leaves, and to who joins', () => {
    const before = owners(backendOfSize(10));
    const without = owners(backendOfSize(9));
    const moved = before.filter((id, at) => without[at] !== id);
    assert.ok(moved.every((id) => id === '10.0.0.10:8080'));
    assert.ok(Math.abs(moved.length - 1_000) < 150, String(moved.length));
    const homes = new Set(without.filter((id, at) => before[at] !== id));
    assert.equal(homes.size, 9, 'the keys of who left are spread over all others');
  });

  it('moves only the keys of who is ejected, and takes them back', () => {
    const backend = backendOfSize(10);
    const before = owners(backend);
    backend.endpoints[3]!.ejectedUntil = 10;
    backend.changed();
    const during = owners(backend);
    assert.ok(before.every((id, at) => id === during[at] || id === '10.0.0.4:8080'));
    const after = KEYS.map((hash) => backend.pick(pickContext({ hash, now: 10 }), balancer)!.id);
    assert.deepEqual(after, before);
  });

  it('bounds the load of one key at 1.25 times the average', () => {
    const backend = backendOfSize(10);
    const hash = hashKey('everyone');
    for (let at = 0; at < 1_000; at += 1) {
      const endpoint = backend.pick(pickContext({ hash }), balancer)!;
      endpoint.begin();
      assert.ok(endpoint.inFlight <= Math.max(8, Math.ceil((1.25 * (at + 1)) / 10)));
    }
    const load = backend.endpoints.map(({ inFlight }) => inFlight).sort((a, b) => b - a);
    assert.equal(load[0], 125);
    assert.ok(load[7]! > 0 && load[9] === 0, load.join(' '));
  });

  it('overflows to the next of the order of the key', () => {
    const backend = backendOfSize(5);
    const hash = hashKey('one');
    const first = backend.pick(pickContext({ hash }), balancer)!;
    const second = backend.pick(pickContext({ hash, avoid: first }), balancer)!;
    first.inFlight = 8;
    assert.equal(backend.pick(pickContext({ hash }), balancer), second);
    first.inFlight = 7;
    assert.equal(backend.pick(pickContext({ hash }), balancer), first);
  });

  it('goes by chance where there is no key', () => {
    const backend = backendOfSize(4);
    const seen = new Set<string>();
    for (let at = 0; at < 100; at += 1) seen.add(backend.pick(pickContext({ random: () => at / 100 }), balancer)!.id);
    assert.equal(seen.size, 4);
  });
});
