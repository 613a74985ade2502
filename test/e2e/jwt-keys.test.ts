// Remote keys through a whole waypoint: rotation, outage, storms, oversized sets, and policies that change under live connections.

import assert from 'node:assert/strict';
import { type Answer, JwksServer, says } from '../harness/jwks-server.ts';
import type { Manifest } from '../harness/manifests.ts';
import { PolicyWorld, SERVICE } from '../harness/policy-world.ts';
import { RawClient } from '../harness/raw-client.ts';
import { eventually } from '../harness/signal.ts';
import { keySet, TestIssuer } from '../harness/tokens.ts';
import type { Settings } from '../harness/waypoint.ts';

const ISSUER = 'https://issuer.example';
const first = new TestIssuer(ISSUER, 'ES256', 'first');
const second = new TestIssuer(ISSUER, 'RS256', 'second');

function authentication(rule: Readonly<Record<string, unknown>>): Manifest {
  return {
    apiVersion: 'waypoint.dev/v1alpha1',
    kind: 'RequestAuthentication',
    metadata: { name: 'tokens', namespace: 'default' },
    spec: { targetRefs: [SERVICE], jwtRules: [{ issuer: ISSUER, ...rule }] },
  };
}

describe('remote keys', () => {
  let server: JwksServer;
  let world: PolicyWorld;

  const start = async (answer: Answer, settings: Settings = {}, rule: object = {}): Promise<void> => {
    server = await JwksServer.start(answer);
    world = await PolicyWorld.start({ settings });
    await world.waypoint.apply('access.yaml', [authentication({ jwksUri: server.uri, ...rule })]);
  };
  afterEach(async () => {
    await world.close();
    await server.close();
  });

  const ask = async (token: string): Promise<number> =>
    (await world.call({ fields: [['authorization', `Bearer ${token}`]] })).status;
  const conditions = async (): Promise<string> => {
    const { body } = await world.waypoint.admin('/statuses');
    return body;
  };

  it('are fetched once for all workers, and a rotation is seen when its first token comes', async () => {
    await start(says(first.jwks()), { workers: 2 });
    for (let n = 0; n < 6; n++) assert.equal(await ask(first.token({ claims: { n } })), 200);
    assert.equal(server.asked.length, 1);
    server.answer = says(keySet(first.jwk(), second.jwk()));
    assert.equal(await ask(second.token()), 200);
    assert.equal(server.asked.length, 2);
    assert.equal(await ask(first.token()), 200);
  });

  it('that are withdrawn prove nothing any more, not even for tokens that were verified', async () => {
    await start(says(keySet(first.jwk(), second.jwk())), { jwksRefreshMs: 100 });
    const token = first.token();
    const client = await RawClient.connect(world.port);
    const request = `GET / HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${token}\r\n\r\n`;
    await client.send(request);
    assert.equal((await client.response()).status, 200);
    server.answer = says(keySet(second.jwk()));
    const asked = server.asked.length;
    await server.askedTimes(asked + 2);
    await client.send(request);
    assert.equal((await client.response()).status, 401);
    assert.equal(await ask(second.token()), 200);
    client.destroy();
  });

  it('that can not be fetched refuse tokens within the time of the rule, and are tried again', async () => {
    await start(() => {}, {}, { timeout: '200ms' });
    const began = performance.now();
    assert.equal(await ask(first.token()), 401);
    assert.ok(performance.now() - began < 1500);
    assert.equal((await world.call()).status, 200, 'who brings none is not concerned');
    server.answer = says(first.jwks());
    await eventually(async () => (await ask(first.token())) === 200, 'the keys to be fetched', 10_000);
  });

  it('survive an outage for a while, then tokens are refused', async () => {
    await start(says(first.jwks()), { jwksRefreshMs: 200, jwksStaleMs: 1500 });
    const token = first.token();
    assert.equal(await ask(token), 200);
    const fresh = performance.now();
    server.answer = says('', 503);
    await eventually(async () => /KeysUnavailable.*: correct jwksUri/s.test(await conditions()), 'a condition');
    assert.match(await conditions(), /answered 503 \(older keys are used\)/);
    assert.equal(await ask(token), 200);
    assert.equal(await ask(first.token({ claims: { sub: 'new' } })), 200, 'a token that comes during the outage');
    await eventually(async () => (await ask(token)) === 401, 'the stale window to end');
    assert.ok(performance.now() - fresh > 1400);
    assert.equal(await ask(first.token({ claims: { sub: 'newer' } })), 401);
    assert.ok(world.waypoint.messages.some((message) => /error.*GET .*answered 503/.test(message)));
    assert.ok((await world.metric('waypoint_jwks_fetches_total', /failed/)) > 0);
    server.answer = says(first.jwks());
    await eventually(async () => (await ask(token)) === 200, 'recovery', 10_000);
    await eventually(async () => !(await conditions()).includes('KeysUnavailable'), 'the condition to go');
  });

  it('are asked for once per second at most, whatever tokens name', async () => {
    await start(says(first.jwks()), { workers: 2 });
    assert.equal(await ask(first.token()), 200);
    const began = performance.now();
    let stop = false;
    const storm = async (): Promise<void> => {
      for (let n = 0; !stop; n++) assert.equal(await ask(first.token({ header: { kid: `k${n}` } })), 401);
    };
    const storms = Array.from({ length: 20 }, storm);
    await server.askedTimes(3);
    for (let n = 0; n < 50; n++) assert.equal(await ask(first.token()), 200);
    stop = true;
    await Promise.all(storms);
    const seconds = (performance.now() - began) / 1000;
    assert.ok(server.asked.length <= 2 + seconds, `${server.asked.length} in ${seconds} s`);
  });

  it('of 2 MB are none: a condition says why, and tokens are refused', async () => {
    const many = JSON.stringify({ keys: [first.jwk()], padding: 'x'.repeat(2_000_000) });
    await start(says(many));
    assert.equal(await ask(first.token()), 401);
    await eventually(async () => (await conditions()).includes('KeysUnavailable'), 'a condition');
    assert.match(await conditions(), /the answer is larger than 1 MiB/);
    assert.ok(world.waypoint.messages.some((message) => message.includes('larger than 1 MiB')));
    assert.equal((await world.call()).status, 200);
  });

  it('are found through the issuer, whose keys may not lead back into this host', async () => {
    server = await JwksServer.start((request, response) => {
      const discovery = JSON.stringify({ jwks_uri: `http://127.0.0.1:${server.port}/keys` });
      response.end(request.url === '/.well-known/openid-configuration' ? discovery : local.jwks());
    });
    const local = new TestIssuer(`http://127.0.0.1:${server.port}`, 'EdDSA', 'local');
    for (const [egressAllow, expected] of [[[], 401] as const, [['127.0.0.1'], 200] as const]) {
      world = await PolicyWorld.start({ settings: { egressAllow } });
      await world.waypoint.apply('access.yaml', [authentication({ issuer: local.issuer })]);
      assert.equal(await ask(local.token()), expected);
      if (expected === 401) await world.close();
    }
  });

  it('reach a worker that takes the place of one that died', async () => {
    await start(says(first.jwks()));
    assert.equal(await ask(first.token()), 200);
    server.answer = says('', 503);
    world.waypoint.deaths = 1;
    await world.waypoint.running.workers[0]?.terminate();
    await eventually(async () => (await ask(first.token()).catch(() => 0)) === 200, 'the new worker');
  });

  it('a policy that goes, comes or changes is in force on live connections', async () => {
    await start(says(first.jwks()));
    const bad = 'x.y.z';
    const client = await RawClient.connect(world.port);
    const status = async (token: string): Promise<number> => {
      await client.send(`GET / HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${token}\r\n\r\n`);
      return (await client.response()).status;
    };
    assert.equal(await status(first.token()), 200);
    assert.equal(await status(bad), 401);
    await world.waypoint.apply('access.yaml', []);
    assert.equal(await status(bad), 200);
    const began = performance.now();
    await world.waypoint.write('access.yaml', [authentication({ jwksUri: server.uri, audiences: ['shop'] })]);
    await eventually(async () => (await status(bad)) === 401, 'the policy to be back', 1000);
    assert.ok(performance.now() - began < 1000);
    assert.equal(await status(first.token()), 401, 'verified before, for another audience');
    assert.equal(await status(first.token({ claims: { aud: 'shop' } })), 200);
    client.destroy();
  });
});
