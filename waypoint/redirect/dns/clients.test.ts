// Who may ask for other names, and how often anybody may ask.

import assert from 'node:assert/strict';
import { FloodLimits, mayForward, plainAddress } from './clients.ts';

describe('who may ask for other names', () => {
  const may = mayForward(['10.0.0.0/8', '192.0.2.7', 'fd00::/16']);
  const cases: readonly (readonly [address: string, expected: boolean])[] = [
    ['127.0.0.1', true],
    ['127.9.8.7', true],
    ['::1', true],
    ['10.255.0.1', true],
    ['11.0.0.1', false],
    ['192.0.2.7', true],
    ['192.0.2.8', false],
    ['fd00:1::1', true],
    ['fd01::1', false],
    ['::2', false],
    ['', false],
  ];
  for (const [address, expected] of cases) it(address || 'nobody', () => assert.equal(may(address), expected));

  it('is told by the plain address of a socket for both families', () => {
    assert.equal(plainAddress('::ffff:10.0.0.1'), '10.0.0.1');
    assert.equal(plainAddress('::ffff:0:1'), '::ffff:0:1');
    assert.equal(plainAddress('fd00::1'), 'fd00::1');
  });
});

describe('floods', () => {
  it('get what the rate allows, and every second of the rest a hint', () => {
    const limits = new FloodLimits(3);
    const seen = [1, 2, 3, 4, 5, 6, 7].map(() => limits.take('192.0.2.1', 0));
    assert.deepEqual(seen, ['allow', 'allow', 'allow', 'drop', 'slip', 'drop', 'slip']);
    assert.equal(limits.take('192.0.2.2', 0), 'allow', 'another client');
    assert.equal(limits.take('192.0.2.1', 333), 'drop');
    assert.equal(limits.take('192.0.2.1', 334), 'allow');
    const later = [1, 2, 3, 4].map(() => limits.take('192.0.2.1', 1_000_000));
    assert.deepEqual(later, ['allow', 'allow', 'allow', 'slip'], 'no more than a second is saved up');
  });

  const same: readonly (readonly [a: string, b: string, isSame: boolean])[] = [
    ['2001:db8::1', '2001:db8::2', true],
    ['2001:db8:0:0:1::', '2001:db8::ffff', true],
    ['2001:db8:1::1', '2001:db8:2::1', false],
    ['::1', '::2', true],
    ['fe80::1%eth0', 'fe80::2%eth1', true],
    ['1:2:3:4:5:6:7:8', '1:2:3:4::', true],
    ['192.0.2.1', '192.0.2.2', false],
  ];
  for (const [a, b, isSame] of same) {
    it(`${a} and ${b} are ${isSame ? 'one client' : 'two clients'}`, () => {
      const limits = new FloodLimits(1);
      limits.take(a, 0);
      assert.equal(limits.take(b, 0) !== 'allow', isSame);
    });
  }

  it('from ever new addresses take no more memory', () => {
    const limits = new FloodLimits(1);
    for (let i = 0; i < 25_000; i++) limits.take(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, 0);
    assert.equal(limits.size, 10_000);
  });
});
