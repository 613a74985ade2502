import assert from 'node:assert/strict';
import type { JwtRulePlan } from '../../policies/authentication.ts';
import { filterContext, requestHead } from '../../test/harness/heads.ts';
import {
  bearer,
  ISSUER,
  judge,
  NOW,
  outcome,
  plan,
  rule,
  type Sent,
  token,
  world,
} from '../../test/harness/jwt-world.ts';
import { TestIssuer } from '../../test/harness/tokens.ts';
import { Authenticator } from './authenticator.ts';
import { KeyStore } from './key-store.ts';
import type { TokenVerdict } from './verdict.ts';

describe('no token', () => {
  const sent: readonly (readonly [name: string, sent: Sent])[] = [
    ['nothing', {}],
    ['another scheme', { headers: [['authorization', 'Basic YTpi']] }],
    ['the scheme alone', { headers: [['authorization', 'Bearer']] }],
    ['an empty parameter', { query: 'access_token=' }],
    ['a token where nobody looks', { headers: [['x-token', token()]] }],
  ];
  for (const [name, what] of sent) {
    it(`passes unauthenticated: ${name}`, async () => {
      const verdict = await judge(world(rule()), what);
      assert.equal(verdict.token, null);
      assert.equal(verdict.reply, null);
    });
  }
});

describe('J4: tokens in several places', () => {
  const a = token();
  const b = token({ claims: { sub: 'bob' } });
  const one = `${ISSUER}/alice`;
  const cases: readonly (readonly [name: string, sent: Sent, expected: string])[] = [
    ['the same in header and query', { ...bearer(a), query: `access_token=${a}` }, one],
    ['different in header and query', { ...bearer(a), query: `access_token=${b}` }, 'jwt_several'],
    [
      'the same in two fields',
      {
        headers: [
          ['authorization', `Bearer ${a}`],
          ['authorization', `bearer ${a}`],
        ],
      },
      one,
    ],
    [
      'different in two fields',
      {
        headers: [
          ['authorization', `Bearer ${a}`],
          ['authorization', `Bearer ${b}`],
        ],
      },
      'jwt_several',
    ],
    ['two in one field', bearer(`${a},Bearer ${a}`), 'jwt_malformed'],
    ['the scheme twice', bearer(`Bearer ${a}`), 'jwt_malformed'],
    ['a lower-case scheme', { headers: [['authorization', `bearer ${a}`]] }, one],
    ['two parameters', { query: `access_token=${a}&access_token=${b}` }, 'jwt_several'],
    [
      'beside another scheme',
      {
        headers: [
          ['authorization', 'Basic x'],
          ['authorization', `Bearer ${a}`],
        ],
      },
      one,
    ],
    ['good in the header, bad in the query', { ...bearer(a), query: 'access_token=x' }, 'jwt_several'],
  ];
  for (const [name, sent, expected] of cases) {
    it(`${name}: ${expected}`, async () => assert.equal(await outcome(world(rule()), sent), expected));
  }

  it('a rule believes what stands where it looks, also from memory', async () => {
    const at = (name: string): JwtRulePlan['locations'] => [{ in: 'header', name, prefix: '' }];
    const other = new TestIssuer('https://other.example', 'ES256', 'other');
    const authenticator = world(
      rule({ locations: at('x-a') }),
      rule({ locations: at('x-b'), issuer: other.issuer, keys: { inline: other.jwks() } }),
    );
    const theirs = token({}, other);
    assert.equal(await outcome(authenticator, { headers: [['x-a', a]] }), one);
    assert.equal(await outcome(authenticator, { headers: [['x-b', theirs]] }), 'https://other.example/alice');
    assert.equal(await outcome(authenticator, { headers: [['x-b', a]] }), 'jwt_issuer');
    assert.equal(await outcome(authenticator, { headers: [['x-a', theirs]] }), 'jwt_issuer');
    assert.equal(
      await outcome(authenticator, {
        headers: [
          ['x-a', a],
          ['x-b', a],
        ],
      }),
      'jwt_issuer',
    );
    assert.equal(
      await outcome(authenticator, {
        headers: [
          ['x-a', a],
          ['x-b', theirs],
        ],
      }),
      'jwt_several',
    );
  });
});

describe('the answer to a bad token', () => {
  it('says that it is bad, and not why', async () => {
    for (const text of ['x', token({ claims: { exp: 1 } }), token({ header: { kid: 'x' } })]) {
      const { reply } = await judge(world(rule()), { ...bearer(text), query: 'secret=1' });
      assert.equal(reply?.status, 401);
      assert.equal(reply?.body, 'Jwt verification fails\n');
      assert.deepEqual(reply?.headers, [
        ['www-authenticate', 'Bearer realm="http://shop.test/a", error="invalid_token"'],
      ]);
    }
  });

  it('has a realm that stays in its quotes', () => {
    const head = requestHead({ ...bearer('x'), path: '/a"\\\r\n\u{e4}b', authority: 'a"b' });
    const { reply } = world(rule()).check(filterContext(head)) as TokenVerdict;
    assert.equal(reply?.headers[0]?.[1], 'Bearer realm="http://ab/ab", error="invalid_token"');
  });
});

describe('policies together', () => {
  it('one that believes a token is enough', async () => {
    const keys = new KeyStore(
      () => {},
      () => NOW,
    );
    const other = new TestIssuer(ISSUER, 'ES256', 'other');
    const plans = [
      plan([rule({ audiences: ['a'] })], 'a'),
      plan([rule({ audiences: ['b'], keys: { inline: other.jwks() } })], 'b'),
    ];
    const authenticator = new Authenticator(plans, keys);
    const a = await judge(authenticator, bearer(token({ claims: { aud: 'a' } })));
    assert.equal(a.policy, 'RequestAuthentication shop/a');
    const b = await judge(authenticator, bearer(token({ claims: { aud: 'b' } }, other)));
    assert.equal(b.policy, 'RequestAuthentication shop/b');
    assert.equal(await outcome(authenticator, bearer(token({ claims: { aud: 'b' } }))), 'jwt_key_unknown');
    const both = await judge(authenticator, bearer(token({ claims: { aud: ['a', 'b'] } }, other)));
    assert.equal(both.policy, 'RequestAuthentication shop/b');
  });

  it('one that could not be loaded refuses every token', async () => {
    const broken = {
      policy: 'RequestAuthentication shop/broken',
      rules: [],
      reserved: ['x-sub'],
      failure: 'unknown field',
    };
    const authenticator = new Authenticator(
      [plan([rule()]), broken],
      new KeyStore(
        () => {},
        () => NOW,
      ),
    );
    const verdict = await judge(authenticator, bearer(token()));
    assert.equal(verdict.reason, 'jwt_policy_invalid');
    assert.equal(verdict.policy, 'RequestAuthentication shop/broken');
    assert.equal((await judge(authenticator, {})).reply, null);
    const head = requestHead({ headers: [['X-Sub', 'root']] });
    authenticator.apply(authenticator.check(filterContext(head)) as TokenVerdict, head);
    assert.deepEqual(head.fields.entries(), [], 'what backends believe is not for clients to write');
    const alone = new Authenticator(
      [broken],
      new KeyStore(
        () => {},
        () => NOW,
      ),
    );
    assert.equal(await outcome(alone, bearer(token())), 'jwt_policy_invalid');
    assert.equal(await outcome(alone, { query: `access_token=${token()}` }), 'jwt_policy_invalid');
  });

  it('without rules nobody is looked at', async () => {
    assert.equal((await judge(world(), bearer(token()))).reply, null);
  });
});
