import assert from 'node:assert/strict';
import { namespaceByAddress } from './client-namespaces.ts';

describe('namespaces of clients by address', () => {
  const look = namespaceByAddress([
    { cidr: '10.0.0.0/8', namespace: 'wide' },
    { cidr: '10.0.1.0/24', namespace: 'shop' },
    { cidr: '10.0.1.7', namespace: 'one' },
    { cidr: 'fd00::/16', namespace: 'six' },
    { cidr: 'fd00:1::/32', namespace: 'longer' },
    { cidr: '10.0.1.7/32', namespace: 'late' },
  ]);
  const rows: [address: string, namespace: string | null][] = [
    ['10.9.9.9', 'wide'],
    ['10.0.1.8', 'shop'],
    ['10.0.1.7', 'one'],
    ['11.0.0.1', null],
    ['::ffff:10.0.1.8', 'shop'],
    ['fd00::1', 'six'],
    ['fd00:1::1', 'longer'],
    ['fe80::1', null],
    ['', null],
  ];
  for (const [address, namespace] of rows) {
    it(`${address || 'nothing'}: ${namespace}`, () => assert.equal(look(address), namespace));
  }

  it('are not known where nobody says so', () => assert.equal(namespaceByAddress([])('10.0.0.1'), null));
});
