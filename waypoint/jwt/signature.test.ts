import assert from 'node:assert/strict';
import { bearer, ISSUER, main, NOW_SECONDS, outcome, rsa, rule, token, world } from '../../test/harness/jwt-world.ts';
import { type Algorithm, keySet, signingInput, TestIssuer } from '../../test/harness/tokens.ts';

describe('J1: algorithms', () => {
  const all: readonly Algorithm[] = [
    ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
    ...(['ES256', 'ES384', 'ES512', 'EdDSA'] as const),
  ];
  for (const algorithm of all) {
    it(`${algorithm} is believed, and not when a bit of it changes`, async () => {
      const issuer = new TestIssuer(ISSUER, algorithm);
      const authenticator = world(rule({ keys: { inline: issuer.jwks() } }));
      const good = token({}, issuer);
      assert.equal(await outcome(authenticator, bearer(good)), `${ISSUER}/alice`);
      const [header, payload, signature] = good.split('.') as [string, string, string];
      const at = signature.length >> 1;
      const bad = `${signature.slice(0, at)}${signature[at] === 'A' ? 'B' : 'A'}${signature.slice(at + 1)}`;
      assert.equal(await outcome(authenticator, bearer(`${header}.${payload}.${bad}`)), 'jwt_signature');
    });
  }

  const signature = 'c2ln';
  const claims = { iss: ISSUER, sub: 'alice', exp: NOW_SECONDS + 600 };
  const unsigned = (alg: unknown): string => `${signingInput({ alg, kid: 'main' }, claims)}.${signature}`;
  const cases: readonly (readonly [name: string, token: string, reason: string])[] = [
    ['none', unsigned('none'), 'jwt_algorithm'],
    ['None', unsigned('None'), 'jwt_algorithm'],
    ['NONE', unsigned('NONE'), 'jwt_algorithm'],
    ['none and no signature', `${signingInput({ alg: 'none' }, claims)}.`, 'jwt_malformed'],
    ['absent', unsigned(undefined), 'jwt_algorithm'],
    ['a list', unsigned(['ES256']), 'jwt_algorithm'],
    ['es256', unsigned('es256'), 'jwt_algorithm'],
    ['ES256K', unsigned('ES256K'), 'jwt_algorithm'],
    ['dir', unsigned('dir'), 'jwt_algorithm'],
    ['HS256 with the public key as secret', main.confused(), 'jwt_algorithm'],
    ['HS256 with the RSA public key as secret', rsa.confused(), 'jwt_algorithm'],
    ['RS384 with a key for RS256', token({}, new TestIssuer(ISSUER, 'RS384', 'rsa')), 'jwt_key_unknown'],
    ['PS256 with a key for RS256', token({ header: { alg: 'PS256', kid: 'rsa' } }, rsa), 'jwt_key_unknown'],
    ['ES384 with a key of P-256', token({ header: { alg: 'ES384' } }), 'jwt_key_unknown'],
    ['RS256 with the name of an EC key', token({ header: { kid: 'main' } }, rsa), 'jwt_key_unknown'],
    ['a critical extension', token({ header: { crit: ['exp'], exp: 1 } }), 'jwt_critical'],
    ['an empty list of them', token({ header: { crit: [] } }), 'jwt_critical'],
    ['b64: false', token({ header: { crit: ['b64'], b64: false } }), 'jwt_critical'],
    ['five parts', `${token()}.a.b`, 'jwt_malformed'],
  ];
  for (const [name, text, reason] of cases) {
    it(`${name}: ${reason}`, async () => assert.equal(await outcome(world(rule()), bearer(text)), reason));
  }

  for (const member of ['jku', 'x5u', 'jwk', 'x5c'] as const) {
    it(`a key that comes with the token (${member}) is not looked at`, async () => {
      const own = new TestIssuer(ISSUER, 'ES256', 'own');
      const value = member === 'jwk' ? own.jwk() : member === 'x5c' ? ['MIIB'] : 'https://evil.example/jwks';
      const header = { [member]: value };
      assert.equal(await outcome(world(rule()), bearer(token({ header }, own))), 'jwt_key_unknown');
      const stolen = token({ header: { ...header, kid: 'main' } }, own);
      assert.equal(await outcome(world(rule()), bearer(stolen)), 'jwt_signature');
      assert.equal(await outcome(world(rule()), bearer(token({ header }))), `${ISSUER}/alice`);
    });
  }
});

describe('J2: names of keys', () => {
  it('a token without one is tried with every key of its issuer that fits', async () => {
    const keys = Array.from({ length: 9 }, (_, n) => new TestIssuer(ISSUER, 'ES256', `k${n}`));
    const authenticator = world(rule({ keys: { inline: keySet(...keys.map((key) => key.jwk())) } }));
    for (const key of keys) {
      assert.equal(await outcome(authenticator, bearer(token({ header: { kid: undefined } }, key))), `${ISSUER}/alice`);
    }
    const stranger = new TestIssuer(ISSUER, 'ES256');
    assert.equal(
      await outcome(authenticator, bearer(token({ header: { kid: undefined } }, stranger))),
      'jwt_signature',
    );
  });

  it('and with so many at most', async () => {
    const keys = Array.from({ length: 40 }, () => new TestIssuer(ISSUER, 'ES256'));
    const authenticator = world(rule({ keys: { inline: keySet(...keys.map((key) => key.jwk({ kid: undefined }))) } }));
    assert.equal(await outcome(authenticator, bearer(token({}, keys[31]))), `${ISSUER}/alice`);
    assert.equal(await outcome(authenticator, bearer(token({}, keys[32]))), 'jwt_signature');
  });

  it('a key without a name is tried for every token', async () => {
    const authenticator = world(rule({ keys: { inline: main.jwks({ kid: undefined }) } }));
    assert.equal(await outcome(authenticator, bearer(token())), `${ISSUER}/alice`);
  });

  for (const kid of ['other', '', 'MAIN', '../../main', "main' OR '1'='1", 'main\0', '__proto__', 'constructor']) {
    it(`${JSON.stringify(kid)} is no key`, async () => {
      assert.equal(await outcome(world(rule()), bearer(token({ header: { kid } }))), 'jwt_key_unknown');
    });
  }

  it('one that is no text is refused', async () => {
    for (const kid of [7, null, ['main'], { main: 1 }])
      assert.equal(await outcome(world(rule()), bearer(token({ header: { kid } }))), 'jwt_malformed');
  });

  it('the key of one issuer proves nothing for another', async () => {
    const other = new TestIssuer('https://other.example', 'ES256', 'other');
    const authenticator = world(rule(), rule({ issuer: other.issuer, keys: { inline: other.jwks() } }));
    assert.equal(await outcome(authenticator, bearer(token({}, other))), 'https://other.example/alice');
    assert.equal(await outcome(authenticator, bearer(token({ claims: { iss: ISSUER } }, other))), 'jwt_key_unknown');
    const named = { header: { kid: 'main' }, claims: { iss: ISSUER } };
    assert.equal(await outcome(authenticator, bearer(token(named, other))), 'jwt_signature');
  });
});
