// Reverse names of addresses in every spelling.

import assert from 'node:assert/strict';
import { reverseName } from './reverse-name.ts';

const V6 = (digits: string): string => `${[...digits].toReversed().join('.')}.ip6.arpa`;

describe('reverseName', () => {
  const cases: readonly (readonly [address: string, expected: string])[] = [
    ['127.0.10.2', '2.10.0.127.in-addr.arpa'],
    ['10.96.0.255', '255.0.96.10.in-addr.arpa'],
    ['::1', V6(`${'0'.repeat(31)}1`)],
    ['::', V6('0'.repeat(32))],
    ['fd00::a', V6(`fd00${'0'.repeat(27)}a`)],
    ['FD00:0:0:0:0:0:0:A', V6(`fd00${'0'.repeat(27)}a`)],
    ['2001:db8:1:2:3:4:5:6', V6('20010db8000100020003000400050006')],
    ['::ffff:192.0.2.1', V6(`${'0'.repeat(20)}ffffc0000201`)],
  ];
  for (const [address, expected] of cases) it(address, () => assert.equal(reverseName(address), expected));
});
