import assert from 'node:assert/strict';
import fc from 'fast-check';
import { egressRules, refusedAddress } from './forbidden-address.ts';

const NOTHING = egressRules([], [], []);

/** [address, what it is; null: it may be dialled]. */
const CASES: readonly (readonly [string, string | null])[] = [
  ['93.184.216.34', null],
  ['10.0.0.1', null],
  ['192.168.1.1', null],
  ['172.16.0.1', null],
  ['100.64.0.1', null],
  ['126.255.255.255', null],
  ['128.0.0.0', null],
  ['169.253.255.255', null],
  ['169.255.0.0', null],
  ['223.255.255.255', null],
  ['2606:2800:220:1:248:1893:25c8:1946', null],
  ['fd12:3456::1', null],
  ['fe00::1', null],
  ['::2', 'unspecified, written as IPv6'],
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['127.0.0.0', 'loopback'],
  ['0.0.0.0', 'unspecified'],
  ['0.1.2.3', 'unspecified'],
  ['169.254.169.254', 'link-local'],
  ['169.254.0.0', 'link-local'],
  ['169.254.255.255', 'link-local'],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.255', 'multicast'],
  ['240.0.0.1', 'reserved'],
  ['255.255.255.255', 'broadcast'],
  ['100.100.100.200', 'an instance metadata service'],
  ['168.63.129.16', 'an instance metadata service'],
  ['fd00:ec2::254', 'an instance metadata service'],
  ['FD00:0EC2:0:0:0:0:0:0254', 'an instance metadata service'],
  ['::1', 'loopback'],
  ['0:0:0:0:0:0:0:1', 'loopback'],
  ['0000:0000:0000:0000:0000:0000:0000:0001', 'loopback'],
  ['::0:1', 'loopback'],
  ['::', 'unspecified'],
  ['0::0', 'unspecified'],
  ['fe80::1', 'link-local'],
  ['fe80::1%eth0', 'link-local'],
  ['FEBF:FFFF::1', 'link-local'],
  ['fec0::1', 'site-local'],
  ['ff02::1', 'multicast'],
  ['::ffff:127.0.0.1', 'loopback, written as IPv6'],
  ['::FFFF:7F00:1', 'loopback, written as IPv6'],
  ['0:0:0:0:0:ffff:7f00:0001', 'loopback, written as IPv6'],
  ['::ffff:169.254.169.254', 'link-local, written as IPv6'],
  ['::ffff:a9fe:a9fe', 'link-local, written as IPv6'],
  ['::ffff:0.0.0.0', 'unspecified, written as IPv6'],
  ['::ffff:255.255.255.255', 'broadcast, written as IPv6'],
  ['::ffff:93.184.216.34', null],
  ['::ffff:0:127.0.0.1', 'loopback, written as IPv6'],
  ['::127.0.0.1', 'loopback, written as IPv6'],
  ['::7f00:1', 'loopback, written as IPv6'],
  ['64:ff9b::127.0.0.1', 'loopback, written as IPv6'],
  ['64:ff9b::7f00:1', 'loopback, written as IPv6'],
  ['64:ff9b::a9fe:a9fe', 'link-local, written as IPv6'],
  ['64:ff9b::5db8:d822', null],
  ['64:ff9b:1::7f00:1', 'loopback, written as IPv6'],
  ['2002:7f00:1::', 'loopback, written as IPv6'],
  ['2002:a9fe:a9fe::1', 'link-local, written as IPv6'],
  ['2002:5db8:d822::1', null],
  ['2001:0:1:2:3:4:80ff:fffe', 'loopback, written as IPv6'],
  ['127.1', 'no IP address'],
  ['0177.0.0.1', 'no IP address'],
  ['0x7f.0.0.1', 'no IP address'],
  ['2130706433', 'no IP address'],
  ['127.0.0.1.', 'no IP address'],
  ['127.0.0.1:80', 'no IP address'],
  [' 127.0.0.1', 'no IP address'],
  ['127.0.0.256', 'no IP address'],
  ['localhost', 'no IP address'],
  ['::1::', 'no IP address'],
  [':::1', 'no IP address'],
  ['1:2:3:4:5:6:7:8:9', 'no IP address'],
  ['1:2:3', 'no IP address'],
  ['::127.0.0.1:1', 'no IP address'],
  ['::g', 'no IP address'],
  ['', 'no IP address'],
];

describe('addresses that names outside may not lead to', () => {
  for (const [address, expected] of CASES) {
    it(`${address || 'nothing'}: ${expected ?? 'may be dialled'}`, () => {
      assert.equal(refusedAddress(address, 443, NOTHING), expected);
    });
  }

  it('refuses every loopback address in every IPv6 form', () => {
    const byte = fc.integer({ min: 0, max: 255 });
    const form = fc.constantFrom('::ffff:', '::ffff:0:', '64:ff9b::', '64:ff9b:1::', '');
    fc.assert(
      fc.property(byte, byte, fc.integer({ min: 2, max: 255 }), form, (b, c, d, prefix) => {
        assert.match(refusedAddress(`${prefix}127.${b}.${c}.${d}`, 80, NOTHING) ?? '', /^loopback/);
      }),
    );
  });

  /** [name, allowed, address, expected]. */
  const allowed: readonly (readonly [string, string, string, string | null])[] = [
    ['an address', '127.0.0.1', '127.0.0.1', null],
    ['not its neighbour', '127.0.0.1', '127.0.0.2', 'loopback'],
    ['a block', '127.0.0.0/8', '127.9.9.9', null],
    ['an odd block', '169.254.128.0/17', '169.254.200.1', null],
    ['not beyond an odd block', '169.254.128.0/17', '169.254.127.1', 'link-local'],
    ['the address in any form', '127.0.0.1', '::ffff:127.0.0.1', null],
    ['IPv6', '::1', '0:0:0:0:0:0:0:1', null],
    ['an IPv6 block', 'fe80::/10', 'fe80::5', null],
    ['IPv6 says nothing of IPv4', '::1', '127.0.0.1', 'loopback'],
  ];
  for (const [name, cidr, address, expected] of allowed) {
    it(`--egress-allow ${cidr}: ${name}`, () => {
      assert.equal(refusedAddress(address, 443, egressRules([cidr], [], [])), expected);
    });
  }

  const what = 'the admin page of this waypoint';
  /** [name, own address, address, port, expected]. */
  const own: readonly (readonly [string, string, string, number, string | null])[] = [
    ['its address and port', '10.0.0.9', '10.0.0.9', 15000, what],
    ['another port', '10.0.0.9', '10.0.0.9', 15001, null],
    ['another address', '10.0.0.9', '10.0.0.8', 15000, null],
    ['written as IPv6', '10.0.0.9', '::ffff:10.0.0.9', 15000, what],
    ['every address: one of this host', '0.0.0.0', '10.0.0.7', 15000, what],
    ['every address: one elsewhere', '0.0.0.0', '10.0.0.6', 15000, null],
    ['every address of IPv6: an IPv4 one of this host', '::', '10.0.0.7', 15000, what],
    ['although loopback is allowed', '0.0.0.0', '127.0.0.1', 15000, what],
    ['although loopback is allowed, on its own address', '127.0.0.1', '127.0.0.1', 15000, what],
    ['loopback is allowed', '127.0.0.1', '127.0.0.1', 8080, null],
  ];
  for (const [name, address, dialled, port, expected] of own) {
    it(`own ${address}: ${name}`, () => {
      const rules = egressRules(['127.0.0.0/8'], [{ address, port: 15000, what }], ['127.0.0.1', '10.0.0.7']);
      assert.equal(refusedAddress(dialled, port, rules), expected);
    });
  }
});
