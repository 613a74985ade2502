import assert from 'node:assert/strict';
import { isTrusted, parseSpiffeId, parseTrustDomain } from './identity.ts';

const long = (length: number): string => `spiffe://a/${'b'.repeat(length - 'spiffe://a/'.length)}`;

describe('parseSpiffeId', () => {
  for (const [id, trustDomain, namespace, serviceAccount] of [
    ['spiffe://cluster.local/ns/shop/sa/orders', 'cluster.local', 'shop', 'orders'],
    ['spiffe://a/b', 'a', null, null],
    ['spiffe://td_1-x.example/Deep/path.1/_x-Y', 'td_1-x.example', null, null],
    ['spiffe://a/ns/shop/sa', 'a', null, null],
    ['spiffe://a/ns/shop/sa/orders/more', 'a', null, null],
    ['spiffe://a/NS/shop/sa/orders', 'a', null, null],
    ['spiffe://a/ns/sa/sa/ns', 'a', 'sa', 'ns'],
    ['spiffe://a/...', 'a', null, null],
    [long(2048), 'a', null, null],
    [`spiffe://${'a'.repeat(255)}/b`, 'a'.repeat(255), null, null],
  ] as const) {
    it(`M1 reads ${id.slice(0, 60)}`, () => {
      assert.deepEqual(parseSpiffeId(id), { uri: id, trustDomain, namespace, serviceAccount });
    });
  }

  for (const [name, id] of [
    ['no text', ''],
    ['another scheme', 'https://a/b'],
    ['a scheme in capitals', 'SPIFFE://a/b'],
    ['no authority', 'spiffe:/a/b'],
    ['an empty trust domain', 'spiffe:///b'],
    ['a trust domain alone', 'spiffe://a'],
    ['an empty path', 'spiffe://a/'],
    ['a port', 'spiffe://a:8080/b'],
    ['a user', 'spiffe://me@a/b'],
    ['a password', 'spiffe://me:it@a/b'],
    ['a query', 'spiffe://a/b?c'],
    ['an empty query', 'spiffe://a/b?'],
    ['a fragment', 'spiffe://a/b#c'],
    ['percent-encoding', 'spiffe://a/b%2Fc'],
    ['a percent-encoded trust domain', 'spiffe://%61/b'],
    ['a capital in the trust domain', 'spiffe://A/b'],
    ['a slash at the end', 'spiffe://a/b/'],
    ['an empty segment', 'spiffe://a//b'],
    ['a dot segment', 'spiffe://a/./b'],
    ['a segment that goes up', 'spiffe://a/b/../c'],
    ['a NUL', 'spiffe://a/b\0'],
    ['a line break', 'spiffe://a/b\n'],
    ['a line before', '\nspiffe://a/b'],
    ['a space', ' spiffe://a/b'],
    ['a letter beyond ASCII', 'spiffe://a/ä'],
    ['a trust domain beyond ASCII', 'spiffe://ä/b'],
    ['an address in brackets', 'spiffe://[::1]/b'],
    ['a backslash', 'spiffe://a\\b/c'],
    ['2049 bytes', long(2049)],
    ['a trust domain of 256 bytes', `spiffe://${'a'.repeat(256)}/b`],
    ['the prototype as an id', '__proto__'],
  ] as const) {
    it(`M1 refuses ${name}`, () => assert.equal(parseSpiffeId(id), null));
  }
});

describe('parseTrustDomain', () => {
  for (const [text, expected] of [
    ['cluster.local', 'cluster.local'],
    ['spiffe://cluster.local', 'cluster.local'],
    ['spiffe://cluster.local/', null],
    ['spiffe://cluster.local/a', null],
    ['Cluster.local', null],
    ['', null],
    ['a'.repeat(256), null],
  ] as const) {
    it(`${text.slice(0, 40)} → ${expected}`, () => assert.equal(parseTrustDomain(text), expected));
  }
});

describe('isTrusted', () => {
  const identity = parseSpiffeId('spiffe://b.example/ns/shop/sa/orders')!;
  for (const [domains, expected] of [
    [['b.example'], true],
    [['a.example', 'b.example'], true],
    [['a.example'], false],
    [['example'], false],
    [['x.b.example'], false],
    [[], false],
  ] as const) {
    it(`M1 of b.example, where ${domains.join(', ') || 'nothing'} is ours: ${expected}`, () => {
      assert.equal(isTrusted(identity, domains), expected);
    });
  }
});
