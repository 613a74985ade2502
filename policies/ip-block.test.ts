import assert from 'node:assert/strict';
import fc from 'fast-check';
import { IpBlocks, isAddress, isIpBlock } from './ip-block.ts';

const COVERS: readonly (readonly [block: string, address: string, covers: boolean])[] = [
  ['10.0.0.0/8', '10.255.0.1', true],
  ['10.0.0.0/8', '11.0.0.1', false],
  ['10.1.2.3', '10.1.2.3', true],
  ['10.1.2.3', '10.1.2.4', false],
  ['10.1.2.3/8', '10.9.9.9', true],
  ['0.0.0.0/0', '255.255.255.255', true],
  ['0.0.0.0/0', '::1', false],
  ['::/0', '::1', true],
  ['::/0', '10.0.0.1', false],
  ['::/0', '::ffff:10.0.0.1', false],
  ['10.0.0.0/8', '::ffff:10.0.0.1', true],
  ['10.0.0.0/8', '::FFFF:0A00:0001', true],
  ['::ffff:10.0.0.0/104', '10.7.7.7', true],
  ['128.0.0.0/1', '255.0.0.1', true],
  ['128.0.0.0/1', '127.255.255.255', false],
  ['2001:db8::/32', '2001:db8:ffff::1', true],
  ['2001:db8::/32', '2001:db9::1', false],
  ['2001:db8::/33', '2001:db8:8000::1', false],
  ['fe80::/10', 'fe80::1%eth0', true],
  ['2001:db8::1', '2001:0db8:0:0:0:0:0:1', true],
  ['64:ff9b::10.0.0.1', '64:ff9b::a00:1', true],
  ['10.0.0.0/8', 'unknown', false],
];

const NONE: readonly string[] = [
  ...[
    '',
    '10',
    '10.0.0',
    '10.0.0.0.0',
    '256.0.0.1',
    '010.0.0.1',
    '10.0.0.1/33',
    '10.0.0.1/',
    '10.0.0.1/08',
    '1.2.3.4/-1',
  ],
  ...[
    ':',
    ':::',
    '::1::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '::12345',
    '::g',
    '::1/129',
    'fe80::1%eth0',
    '1.2.3.4::',
  ],
  ...[
    '::1.2.3',
    '1:2:3:4:5:6:7::8:9',
    'localhost',
    ' 10.0.0.1',
    '10.0.0.1 ',
    '10.0.0.0/8/8',
    '0x7f.0.0.1',
    '2130706433',
  ],
];

describe('IP blocks', () => {
  for (const [block, address, expected] of COVERS) {
    it(`${block} ${expected ? 'covers' : 'does not cover'} ${address}`, () => {
      assert.ok(isIpBlock(block));
      assert.equal(new IpBlocks(['192.0.2.1', block]).covers(address), expected);
    });
  }

  for (const text of NONE) {
    it(`${JSON.stringify(text)} is none`, () => assert.equal(isIpBlock(text), false));
  }

  it('take nothing but addresses for addresses', () => {
    assert.ok(isAddress('10.0.0.1') && isAddress('::1') && isAddress('fe80::1%eth0'));
    assert.ok(!isAddress('10.0.0.1:80') && !isAddress('[::1]') && !isAddress('_hidden') && !isAddress(''));
  });

  it('cover an address by each of its own prefixes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(128), (address, bits) => {
        const length = Math.min(bits, address.includes(':') ? 128 : 32);
        assert.ok(isIpBlock(`${address}/${length}`), address);
        // Less than the prefix of mapped addresses covers addresses of IPv6 only.
        const isMapped = isIpBlock(address) && new IpBlocks(['0.0.0.0/0']).covers(address) && address.includes(':');
        assert.equal(new IpBlocks([`${address}/${length}`]).covers(address), !isMapped || length >= 96);
      }),
    );
  });

  it('never throw', () => {
    fc.assert(fc.property(fc.string(), (text) => typeof isIpBlock(text) === 'boolean'));
    const chars = fc.constantFrom(...'0123456789abcdef:./%');
    fc.assert(fc.property(fc.string({ unit: chars, maxLength: 50 }), (text) => typeof isIpBlock(text) === 'boolean'));
  });
});
