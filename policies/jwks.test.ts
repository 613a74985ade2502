import assert from 'node:assert/strict';
import { keySet, TestIssuer } from '../test/harness/tokens.ts';
import { parseJwks } from './jwks.ts';

const rsa = new TestIssuer('i', 'RS256', 'r');
const ec = new TestIssuer('i', 'ES256', 'e');
const RSA_ALL = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];

function algorithms(...keys: readonly unknown[]): readonly (readonly string[])[] | string {
  const parsed = parseJwks(JSON.stringify({ keys }));
  return typeof parsed === 'string' ? parsed : parsed.map((key) => key.algorithms);
}

describe('a key set', () => {
  const cases: readonly (readonly [name: string, keys: readonly unknown[], expected: unknown])[] = [
    ['RSA with its algorithm', [rsa.jwk()], [['RS256']]],
    ['RSA without', [rsa.jwk({ alg: undefined })], [RSA_ALL]],
    ['EC P-256', [ec.jwk({ alg: undefined })], [['ES256']]],
    ['EC P-384', [new TestIssuer('i', 'ES384').jwk()], [['ES384']]],
    ['EC P-521', [new TestIssuer('i', 'ES512').jwk()], [['ES512']]],
    ['Ed25519', [new TestIssuer('i', 'EdDSA').jwk()], [['EdDSA']]],
    ['Ed25519 by its name in RFC 9864', [new TestIssuer('i', 'EdDSA').jwk({ alg: 'Ed25519' })], [['EdDSA']]],
    ['without use', [ec.jwk({ use: undefined })], [['ES256']]],
    ['verify among its operations', [ec.jwk({ key_ops: ['verify'] })], [['ES256']]],
    ['one that is useless beside one that is not', [ec.jwk({ use: 'enc' }), ec.jwk()], [['ES256']]],
    ['what is no object beside one that is', [null, 7, [], 'x', ec.jwk()], [['ES256']]],
  ];
  for (const [name, keys, expected] of cases) {
    it(`has: ${name}`, () => assert.deepEqual(algorithms(...keys), expected));
  }

  const useless: readonly (readonly [name: string, key: unknown])[] = [
    ['a symmetric key', { kty: 'oct', k: 'c2VjcmV0', kid: 'e', alg: 'HS256' }],
    ['for encryption', ec.jwk({ use: 'enc' })],
    ['for signing alone', ec.jwk({ key_ops: ['sign'] })],
    ['operations that are no list', ec.jwk({ key_ops: 'verify' })],
    ['an algorithm of another type', ec.jwk({ alg: 'RS256' })],
    ['an algorithm of another curve', ec.jwk({ alg: 'ES384' })],
    ['alg none', ec.jwk({ alg: 'none' })],
    ['alg HS256 on a public key', rsa.jwk({ alg: 'HS256' })],
    ['RSA for encryption by its algorithm', rsa.jwk({ alg: 'RSA-OAEP' })],
    ['RSA of 1024 bits', rsa.jwk({ n: 'x'.repeat(171) })],
    ['RSA of 16384 bits', rsa.jwk({ n: 'x'.repeat(2731) })],
    ['an exponent without end', rsa.jwk({ e: 'x'.repeat(400) })],
    ['an unknown curve', ec.jwk({ crv: 'secp256k1' })],
    ['a curve named as what every object has', ec.jwk({ crv: 'constructor' })],
    ['a coordinate that is too short', ec.jwk({ x: 'AAAA' })],
    ['a coordinate in base64', ec.jwk({ x: `${'+'.repeat(43)}` })],
    ['Ed448', { kty: 'OKP', crv: 'Ed448', x: 'x'.repeat(76) }],
    ['X25519', { kty: 'OKP', crv: 'X25519', x: 'x'.repeat(43) }],
    ['a name that is no text', ec.jwk({ kid: 7 })],
    ['no type', ec.jwk({ kty: undefined })],
  ];
  for (const [name, key] of useless) {
    it(`leaves out: ${name}`, () => assert.match(algorithms(key) as string, /^none of its 1 keys can verify/));
  }

  it('keeps no private part of a key', () => {
    const parsed = parseJwks(keySet(rsa.privateJwk(), ec.privateJwk()));
    assert.ok(typeof parsed !== 'string');
    assert.deepEqual(
      parsed.map(({ members }) => Object.keys(members).sort().join()),
      ['e,kty,n', 'crv,kty,x,y'],
    );
  });

  const broken: readonly (readonly [name: string, text: string, expected: RegExp])[] = [
    ['empty', '', /no JSON/],
    ['HTML', '<html>', /no JSON/],
    ['a list', '[]', /no list "keys"/],
    ['null', 'null', /no list "keys"/],
    ['keys that are no list', '{"keys":{}}', /no list "keys"/],
    ['no keys', '{"keys":[]}', /^none of its 0 keys/],
    ['101 keys', JSON.stringify({ keys: new Array(101).fill(ec.jwk()) }), /has 101 keys, 100 are the most/],
    ['more than a megabyte', ' '.repeat(1_048_577), /larger than 1 MiB/],
  ];
  for (const [name, text, expected] of broken) {
    it(`is refused: ${name}`, () => assert.match(parseJwks(text) as string, expected));
  }

  it('may have 100 keys', () => {
    assert.equal(parseJwks(JSON.stringify({ keys: new Array(100).fill(ec.jwk()) })).length, 100);
  });
});
