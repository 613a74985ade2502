import assert from 'node:assert/strict';
import { bearer, ISSUER, judge, main, NOW_SECONDS, outcome, rule, token, world } from '../../test/harness/jwt-world.ts';
import { TestIssuer, type TokenParts } from '../../test/harness/tokens.ts';

describe('J3: claims', () => {
  const good: readonly (readonly [name: string, parts: TokenParts])[] = [
    ['expired 59 s ago', { claims: { exp: NOW_SECONDS - 59 } }],
    ['to be believed in 59 s', { claims: { nbf: NOW_SECONDS + 59 } }],
    ['to be believed in 60 s', { claims: { nbf: NOW_SECONDS + 60 } }],
    ['without end', { claims: { exp: undefined } }],
    ['for a list', { claims: { aud: ['x', 'shop'] } }],
    ['issued in the future', { claims: { iat: NOW_SECONDS + 1e6 } }],
  ];
  for (const [name, parts] of good) {
    it(`believes: ${name}`, async () => {
      const sent = bearer(token({ ...parts, claims: { aud: 'shop', ...parts.claims } }));
      assert.equal(await outcome(world(rule({ audiences: ['shop', 'bank'] })), sent), `${ISSUER}/alice`);
    });
  }

  const bad: readonly (readonly [name: string, claims: Record<string, unknown>, reason: string])[] = [
    ['another issuer', { iss: 'https://issuer.example.evil' }, 'jwt_issuer'],
    ['the issuer with a slash', { iss: `${ISSUER}/` }, 'jwt_issuer'],
    ['the issuer in capitals', { iss: ISSUER.toUpperCase() }, 'jwt_issuer'],
    ['no issuer', { iss: undefined }, 'jwt_claims'],
    ['a list of issuers', { iss: [ISSUER] }, 'jwt_claims'],
    ['an empty issuer', { iss: '' }, 'jwt_issuer'],
    ['another audience', { aud: 'shopping' }, 'jwt_audience'],
    ['no audience', { aud: undefined }, 'jwt_audience'],
    ['an empty list of audiences', { aud: [] }, 'jwt_audience'],
    ['audiences that are no texts', { aud: ['shop', 7] }, 'jwt_claims'],
    ['an audience that is no text', { aud: 7 }, 'jwt_claims'],
    ['an audience that is null', { aud: null }, 'jwt_claims'],
    ['expired 60 s ago', { exp: NOW_SECONDS - 60 }, 'jwt_expired'],
    ['expired 61 s ago', { exp: NOW_SECONDS - 61 }, 'jwt_expired'],
    ['to be believed in 61 s', { nbf: NOW_SECONDS + 61 }, 'jwt_not_yet_valid'],
    ['expired at 0', { exp: 0 }, 'jwt_expired'],
    ['a fraction', { exp: NOW_SECONDS + 1.5 }, 'jwt_claims'],
    ['a text', { exp: String(NOW_SECONDS + 600) }, 'jwt_claims'],
    ['a negative end', { exp: -1 }, 'jwt_claims'],
    ['an end that is null', { exp: null }, 'jwt_claims'],
    ['an end that is true', { exp: true }, 'jwt_claims'],
    ['a negative begin', { nbf: -1 }, 'jwt_claims'],
    ['a begin that is a text', { nbf: 'now' }, 'jwt_claims'],
    ['an issue date that is a text', { iat: 'now' }, 'jwt_claims'],
    ['a subject that is a number', { sub: 7 }, 'jwt_claims'],
    ['a subject that is a list', { sub: ['alice'] }, 'jwt_claims'],
    ['a subject that is an object', { sub: { toString: 'alice' } }, 'jwt_claims'],
    ['a subject that is null', { sub: null }, 'jwt_claims'],
    ['a presenter that is an object', { azp: {} }, 'jwt_claims'],
  ];
  for (const [name, claims, reason] of bad) {
    it(`${reason}: ${name}`, async () => {
      const sent = bearer(token({ claims: { aud: 'shop', ...claims } }));
      assert.equal(await outcome(world(rule({ audiences: ['shop', 'bank'] })), sent), reason);
    });
  }

  it('a number beyond all numbers is no end', async () => {
    const payload = `{"iss":"${ISSUER}","sub":"alice","exp":1e400}`;
    assert.equal(await outcome(world(rule()), bearer(main.token({ payload }))), 'jwt_claims');
  });

  it('nobody is who has no name', async () => {
    for (const sub of [undefined, '']) {
      const { token: verified, reply } = await judge(world(rule()), bearer(token({ claims: { sub } })));
      assert.equal(reply, null);
      assert.equal(verified?.principal, '');
    }
  });

  it('a rule without an issuer believes every issuer under its keys', async () => {
    const authenticator = world(rule({ issuer: '' }));
    assert.equal(await outcome(authenticator, bearer(token({ claims: { iss: 'anyone' } }))), 'anyone/alice');
    const other = new TestIssuer('anyone', 'ES256', 'other');
    assert.equal(await outcome(authenticator, bearer(token({}, other))), 'jwt_key_unknown');
  });

  it('tells what authorization asks for', async () => {
    const claims = { aud: ['a', 'b'], azp: 'app', scope: 'read  write', permission: ['x'], roles: 'r s' };
    const sent = bearer(token({ claims: { ...claims, groups: [{ id: 1 }] } }));
    const { token: verified } = await judge(world(rule({ spacedClaims: ['scope', 'permission', 'roles'] })), sent);
    assert.deepEqual(verified?.audiences, ['a', 'b']);
    assert.equal(verified?.presenter, 'app');
    const { scope, permission, roles, groups } = verified?.claims ?? {};
    assert.deepEqual(
      { scope, permission, roles, groups },
      {
        ...{ scope: ['read', 'write'], permission: ['x'], roles: ['r', 's'], groups: [{ id: 1 }] },
      },
    );
  });
});

describe('a token that is none', () => {
  const deep = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  const nested = (depth: number): string =>
    main.token({ payload: `{"iss":"${ISSUER}","sub":"alice","x":${deep(depth)}}` });
  const long = (length: number): string => {
    const short = token({ claims: { x: '' } }).length;
    return token({ claims: { x: 'x'.repeat(Math.floor(((length - short) * 3) / 4)) } });
  };
  const [header, payload, signature] = token().split('.') as [string, string, string];
  const cases: readonly (readonly [name: string, token: string, expected: string])[] = [
    ['a word', 'x', 'jwt_malformed'],
    ['two dots', '..', 'jwt_malformed'],
    ['two parts', `${header}.${payload}`, 'jwt_malformed'],
    ['no signature', `${header}.${payload}.`, 'jwt_malformed'],
    ['padded', `${header}.${payload}.${signature}==`, 'jwt_malformed'],
    ['with a blank', `${header}.${payload} .${signature}`, 'jwt_malformed'],
    ['in base64', `${header}.${payload}.${signature.slice(0, -1)}+`, 'jwt_malformed'],
    ['a header that is no JSON', `${Buffer.from('{').toString('base64url')}.${payload}.${signature}`, 'jwt_malformed'],
    ['a header that is a list', `${Buffer.from('[]').toString('base64url')}.${payload}.${signature}`, 'jwt_malformed'],
    ['claims that are null', main.token({ payload: 'null' }), 'jwt_malformed'],
    ['claims that are a text', main.token({ payload: '"x"' }), 'jwt_malformed'],
    [
      'claims that are no UTF-8',
      `${header}.${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}.${signature}`,
      'jwt_malformed',
    ],
    ['claims inside of each other, 31 deep', nested(31), `${ISSUER}/alice`],
    ['claims inside of each other, 32 deep', nested(32), 'jwt_malformed'],
    ['claims inside of each other, 5000 deep', nested(5000), 'jwt_malformed'],
    ['almost 16 KiB', long(16_380), `${ISSUER}/alice`],
    ['more than 16 KiB', long(16_400), 'jwt_too_long'],
    ['encrypted', 'eyJhbGciOiJkaXIifQ..aXY.Y3Q.dGFn', 'jwt_malformed'],
  ];
  for (const [name, text, expected] of cases) {
    it(`${name}: ${expected}`, async () => assert.equal(await outcome(world(rule()), bearer(text)), expected));
  }
});
