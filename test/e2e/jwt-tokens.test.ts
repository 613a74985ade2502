// Tokens through a whole waypoint: where they are found, what backends see of them, who is let in, who is turned away.

import assert from 'node:assert/strict';
import { sentField } from '../harness/echoed.ts';
import type { Manifest } from '../harness/manifests.ts';
import { PolicyWorld, SERVICE } from '../harness/policy-world.ts';
import { RawClient } from '../harness/raw-client.ts';
import { TestIssuer } from '../harness/tokens.ts';

const ISSUER = 'https://issuer.example';
const issuer = new TestIssuer(ISSUER, 'ES256', 'main');
const stranger = new TestIssuer(ISSUER, 'ES256', 'main');

type Spec = Readonly<Record<string, unknown>>;

function authentication(...rules: readonly Spec[]): Manifest {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'RequestAuthentication',
    metadata: { name: 'tokens', namespace: 'default' },
    spec: { targetRefs: [SERVICE], jwtRules: rules.map((rule) => ({ issuer: ISSUER, jwks: issuer.jwks(), ...rule })) },
  };
}

function allow(...rules: readonly Spec[]): Manifest {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: 'who', namespace: 'default' },
    spec: { targetRefs: [SERVICE], action: 'ALLOW', rules },
  };
}

const bearer = (token: string): readonly [string, string] => ['authorization', `Bearer ${token}`];

describe('tokens', () => {
  let world: PolicyWorld;
  before(async () => {
    world = await PolicyWorld.start({ objects: [authentication({})] });
  });
  after(() => world.close());
  const objects = (...list: readonly Manifest[]): Promise<void> => world.waypoint.apply('access.yaml', list);

  it('without one a request passes', async () => {
    const answer = await world.call({ fields: [['authorization', 'Basic YTpi']] });
    assert.equal(answer.status, 200);
    assert.equal(sentField(answer, 'authorization'), 'Basic YTpi');
  });

  it('a good one passes and is not forwarded', async () => {
    const answer = await world.call({ fields: [bearer(issuer.token())] });
    assert.equal(answer.status, 200);
    assert.equal(sentField(answer, 'authorization'), undefined);
  });

  it('nor from the query, of which the rest stays as it is', async () => {
    const answer = await world.call({ path: `/a%20b?x=%41&access_token=${issuer.token()}&y` });
    assert.equal(answer.status, 200);
    assert.equal((JSON.parse(answer.body) as { target: string }).target, '/a%20b?x=%41&y');
    const alone = await world.call({ path: `/a?access_token=${issuer.token()}` });
    assert.equal((JSON.parse(alone.body) as { target: string }).target, '/a');
  });

  it('a bad one is answered 401, and the log knows why', async () => {
    const arrived = world.arrived[0];
    const cases: readonly (readonly [token: string, reason: string])[] = [
      [stranger.token(), 'jwt_signature'],
      [issuer.token({ claims: { exp: 1 } }), 'jwt_expired'],
      [issuer.token({ claims: { iss: 'x' } }), 'jwt_issuer'],
      [issuer.token({ header: { alg: 'none' } }), 'jwt_algorithm'],
      [issuer.token({ header: { kid: 'other' } }), 'jwt_key_unknown'],
      ['nonsense', 'jwt_malformed'],
    ];
    for (const [token, reason] of cases) {
      const { answer, entry } = await world.logged({ path: '/a?secret=1', fields: [bearer(token)] });
      assert.equal(answer.status, 401);
      assert.equal(answer.body, 'Jwt verification fails\n');
      assert.equal(
        answer.message.get('www-authenticate'),
        'Bearer realm="http://test.example/a", error="invalid_token"',
      );
      assert.equal(entry['reason'], reason);
    }
    assert.equal(world.arrived[0], arrived, 'no backend saw them');
  });

  it('requests of one connection are answered in their order, those that wait and those that do not', async () => {
    const client = await RawClient.connect(world.port);
    const head = (path: string, token: string): string =>
      `GET ${path} HTTP/1.1\r\nhost: a\r\n${token === '' ? '' : `authorization: Bearer ${token}\r\n`}\r\n`;
    await client.send(
      head('/1', issuer.token({ claims: { sub: 'fresh' } })) +
        head('/2', 'bad') +
        head('/3', '') +
        head('/4', stranger.token()),
    );
    const statuses: number[] = [];
    for (let n = 0; n < 4; n++) statuses.push((await client.response()).status);
    assert.deepEqual(statuses, [200, 401, 200, 401]);
    client.destroy();
  });

  it('a body waits until its token is verified', async () => {
    const token = issuer.token({ claims: { sub: 'writer' } });
    const body = 'x'.repeat(300_000);
    const answer = await world.call({ method: 'POST', fields: [bearer(token)], body });
    assert.equal((JSON.parse(answer.body) as { bodyBytes: number }).bodyBytes, 300_000);
    const refused = await world.call({ method: 'POST', fields: [bearer(stranger.token())], body: 'x'.repeat(1000) });
    assert.equal(refused.status, 401);
  });

  it('a client that leaves while its token is verified leaves nothing behind', async () => {
    for (let n = 0; n < 20; n++) {
      const client = await RawClient.connect(world.port);
      await client.send(
        `GET / HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${issuer.token({ claims: { n } })}\r\n\r\n`,
      );
      client.destroy();
    }
    assert.equal((await world.call({ fields: [bearer(issuer.token())] })).status, 200);
  });

  describe('J6: with authorization', () => {
    before(() => objects(allow({ from: [{ source: { requestPrincipals: [`${ISSUER}/alice`] } }] })));
    after(() => objects());

    it('who is allowed gets in, all others are told no more than that', async () => {
      assert.equal((await world.call({ fields: [bearer(issuer.token())] })).status, 200);
      const others = [
        [],
        [bearer(issuer.token({ claims: { sub: 'bob' } }))],
        [bearer(issuer.token({ claims: { sub: '' } }))],
      ];
      for (const fields of others) {
        const answer = await world.call({ fields: fields as (readonly [string, string])[] });
        assert.equal(answer.status, 403);
        assert.match(answer.body, /^RBAC: access denied/);
      }
      assert.equal((await world.call({ fields: [bearer(stranger.token())] })).status, 401);
    });

    it('a bad token is bad though everybody may', async () => {
      await objects(allow({}));
      assert.equal((await world.call()).status, 200);
      assert.equal((await world.call({ fields: [bearer(stranger.token())] })).status, 401);
    });

    it('claims decide', async () => {
      await objects(allow({ when: [{ key: 'request.auth.claims[scope]', values: ['write'] }] }));
      const scoped = (scope: unknown): Promise<{ status: number }> =>
        world.call({ fields: [bearer(issuer.token({ claims: { scope } }))] });
      assert.equal((await scoped('read write')).status, 200);
      assert.equal((await scoped(['write'])).status, 200);
      assert.equal((await scoped('read')).status, 403);
      assert.equal((await scoped('rewrite')).status, 403);
    });
  });
});

describe('tokens in places of their own', () => {
  let world: PolicyWorld;
  const rule: Spec = {
    fromHeaders: [{ name: 'X-Token' }],
    fromParams: ['t'],
    fromCookies: ['session'],
    outputPayloadToHeader: 'x-jwt-payload',
    outputClaimToHeaders: [
      { header: 'X-Sub', claim: 'sub' },
      { header: 'x-role', claim: 'realm.role' },
    ],
  };
  before(async () => {
    world = await PolicyWorld.start({ objects: [authentication(rule)] });
  });
  after(() => world.close());

  const token = issuer.token({ claims: { realm: { role: 'admin' } } });
  const places: readonly (readonly [name: string, request: object])[] = [
    ['a header', { fields: [['x-token', token]] }],
    ['the query', { path: `/?t=${token}` }],
    ['a cookie', { fields: [['cookie', `a=b; session=${token}; c=d`]] }],
    [
      'all of them',
      {
        path: `/?t=${token}`,
        fields: [
          ['x-token', token],
          ['cookie', `session=${token}; a=b; c=d`],
        ],
      },
    ],
  ];
  for (const [name, request] of places) {
    it(`is found in ${name}, and backends see what it says`, async () => {
      const answer = await world.call(request);
      assert.equal(answer.status, 200);
      assert.equal(sentField(answer, 'x-jwt-payload'), token.split('.')[1]);
      assert.equal(sentField(answer, 'x-sub'), 'alice');
      assert.equal(sentField(answer, 'x-role'), 'admin');
      assert.equal(sentField(answer, 'x-token'), undefined);
      assert.ok(!answer.body.includes('session='));
      assert.equal((JSON.parse(answer.body) as { target: string }).target, '/');
    });
  }

  it('is not looked for in Authorization, which goes on', async () => {
    const answer = await world.call({ fields: [bearer('opaque')] });
    assert.equal(answer.status, 200);
    assert.equal(sentField(answer, 'authorization'), 'Bearer opaque');
  });

  it('what clients write in its name is gone, again and again on one connection', async () => {
    const client = await RawClient.connect(world.port);
    const forged = 'X_Sub: root\r\nx.sub: root\r\nX-SUB: root\r\nx-role: root\r\nX-Jwt_Payload: root\r\n';
    const head = `GET / HTTP/1.1\r\nhost: a\r\n${forged}`;
    for (let round = 0; round < 3; round++) {
      await client.send(`${head}\r\n`);
      assert.ok(!(await client.response()).body.includes('root'));
      await client.send(`${head}x-token: ${token}\r\n\r\n`);
      const answer = await client.response();
      assert.ok(!answer.body.includes('root'));
      assert.equal(sentField(answer, 'x-sub'), 'alice');
    }
    client.destroy();
  });

  it('different tokens in two places are refused', async () => {
    const other = issuer.token({ claims: { sub: 'bob' } });
    const { answer, entry } = await world.logged({ path: `/?t=${other}`, fields: [['x-token', token]] });
    assert.equal(answer.status, 401);
    assert.equal(entry['reason'], 'jwt_several');
  });
});
