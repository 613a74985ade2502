// AuthorizationPolicies on the data path: who is let through, what the others learn, and how soon a change holds.

import assert from 'node:assert/strict';
import { type Call, requestBytes } from '../harness/call.ts';
import type { Manifest } from '../harness/manifests.ts';
import { PolicyWorld, ROUTE, SERVICE } from '../harness/policy-world.ts';
import { RawClient } from '../harness/raw-client.ts';
import { eventually } from '../harness/signal.ts';

type Spec = Readonly<Record<string, unknown>>;

const GATEWAY: Spec = { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'edge' };

function policy(name: string, spec: Spec, target: Spec = SERVICE): Manifest {
  return {
    apiVersion: 'waypoint.dev/v1alpha1',
    kind: 'AuthorizationPolicy',
    metadata: { name, namespace: 'default' },
    spec: { targetRefs: [target], ...spec },
  };
}

const to = (operation: Spec): Spec => ({ rules: [{ to: [{ operation }] }] });
const when = (key: string, more: Spec): Spec => ({ rules: [{ when: [{ key, ...more }] }] });
const denying = (spec: Spec): Spec => ({ action: 'DENY', ...spec });

describe('authorization', () => {
  let world: PolicyWorld;
  let inForce = '[]';

  before(async () => {
    world = await PolicyWorld.start({ objects: [] });
  });
  after(() => world.close());
  afterEach(() => put());

  async function put(...policies: readonly Manifest[]): Promise<void> {
    const text = JSON.stringify(policies);
    if (text !== inForce) await world.waypoint.apply('access.yaml', policies);
    inForce = text;
  }

  const decisions: readonly (readonly [name: string, policies: readonly Manifest[], request: Call, status: number])[] =
    [
      ['no policy', [], {}, 200],
      ['an ALLOW that matches', [policy('a', to({ methods: ['GET'] }))], {}, 200],
      ['an ALLOW that does not', [policy('a', to({ methods: ['PUT'] }))], {}, 403],
      ['an ALLOW without rules', [policy('a', {})], {}, 403],
      ['a DENY before an ALLOW', [policy('a', { rules: [{}] }), policy('d', denying({ rules: [{}] }))], {}, 403],
      ['a DENY of another path', [policy('d', denying(to({ paths: ['/admin*'] })))], {}, 200],
      [
        'a DENY with a query behind its path',
        [policy('d', denying(to({ paths: ['/admin'] })))],
        { path: '/admin?a=b' },
        403,
      ],
      [
        'a DENY of the path as it is read',
        [policy('d', denying(to({ paths: ['/admin'] })))],
        { path: '/x/..//%61dmin' },
        403,
      ],
      [
        'a DENY of the path without parameters',
        [policy('d', denying(to({ paths: ['/admin'] })))],
        { path: '/x/..;/admin;y' },
        403,
      ],
      ['a host', [policy('a', to({ hosts: ['Shop.Test'] }))], { host: 'sHOP.test:81' }, 200],
      [
        'a header',
        [policy('a', when('request.headers[x-role]', { values: ['admin'] }))],
        { fields: [['X-Role', 'admin']] },
        200,
      ],
      [
        'an excluded header among others',
        [policy('a', when('request.headers[x-role]', { notValues: ['guest'] }))],
        {
          fields: [
            ['x-role', 'admin'],
            ['x-role', 'guest'],
          ],
        },
        403,
      ],
      [
        'the address of the client',
        [policy('a', { rules: [{ from: [{ source: { ipBlocks: ['127.0.0.0/8'] } }] }] })],
        {},
        200,
      ],
      [
        'an address that the client makes up',
        [policy('a', { rules: [{ from: [{ source: { remoteIpBlocks: ['10.0.0.0/8'] } }] }] })],
        { fields: [['x-forwarded-for', '10.1.1.1']] },
        403,
      ],
      [
        'a principal, without certificate',
        [policy('a', { rules: [{ from: [{ source: { principals: ['*'] } }] }] })],
        {},
        403,
      ],
      [
        'a request principal, without token',
        [policy('a', { rules: [{ from: [{ source: { requestPrincipals: ['*'] } }] }] })],
        {},
        403,
      ],
      [
        'an ALLOW at the Gateway and one at the Service',
        [policy('a', {}, GATEWAY), policy('b', { rules: [{}] })],
        {},
        200,
      ],
      ['a DENY at the route', [policy('a', { rules: [{}] }), policy('d', denying({ rules: [{}] }), ROUTE)], {}, 403],
      ['an ALLOW at the Gateway alone', [policy('a', {}, GATEWAY)], {}, 403],
      ['a policy in shadow', [policy('d', { mode: 'Shadow', ...denying({ rules: [{}] }) })], {}, 200],
    ];
  for (const [name, policies, request, status] of decisions) {
    it(`${name}: ${status}`, async () => {
      await put(...policies);
      const arrived = world.arrived[0]!;
      const answer = await world.call(request);
      assert.equal(answer.status, status);
      assert.equal(world.arrived[0], status === 200 ? arrived + 1 : arrived);
    });
  }

  it('tells those it turns away nothing, and the operator which rule it was', async () => {
    await put(policy('secret-name', denying({ rules: [{ to: [{ operation: { methods: ['PUT'] } }] }, {}] })));
    const { answer, entry } = await world.logged();
    assert.equal(answer.body, 'RBAC: access denied');
    assert.doesNotMatch(JSON.stringify(answer.message.fields), /secret|AuthorizationPolicy|rule/i);
    const title = 'AuthorizationPolicy default/secret-name';
    assert.deepEqual([entry['denied_by'], entry['denied_rule']], [title, '1']);
    const labels = /secret-name/;
    assert.ok((await world.metric('waypoint_authorization_denials_total', labels)) >= 1);
  });

  it('tells what AUDIT marks, and what the shadow would have done', async () => {
    const shadow = { mode: 'Shadow', ...denying({ rules: [{}] }) };
    await put(policy('mark', { action: 'AUDIT', rules: [{}] }), policy('dark', shadow));
    const { answer, entry } = await world.logged();
    assert.equal(answer.status, 200);
    assert.equal(entry['audited'], 'AuthorizationPolicy default/mark');
    assert.equal(entry['shadow'], 'authorization:deny AuthorizationPolicy default/dark rule 0');
  });

  it('Z3 decides anew for every request of a connection, as soon as a policy changes', async () => {
    const client = await RawClient.connect(world.port);
    const ask = async (): Promise<number> => {
      await client.send(requestBytes({ path: '/same' }));
      return (await client.response()).status;
    };
    assert.deepEqual([await ask(), await ask()], [200, 200]);
    await put(policy('d', denying({ rules: [{}] })));
    assert.deepEqual([await ask(), await ask()], [403, 403]);
    await put();
    assert.equal(await ask(), 200);
    client.destroy();
  });

  it('F21 decides about each of several requests that come at once', async () => {
    await put(policy('d', denying(to({ paths: ['/admin'] }))));
    const client = await RawClient.connect(world.port);
    await client.send(['/a', '/admin', '/b'].map((path) => requestBytes({ path })).join(''));
    const statuses = [await client.response(), await client.response(), await client.response()].map(
      ({ status }) => status,
    );
    assert.deepEqual(statuses, [200, 403, 200]);
    client.destroy();
  });

  it('is in force within a second, without one request passing afterwards', async () => {
    const clients = await Promise.all(Array.from({ length: 8 }, () => RawClient.connect(world.port)));
    const statuses: number[] = [];
    let isOver = false;
    const loops = clients.map(async (client) => {
      while (!isOver) {
        await client.send(requestBytes({ path: '/live' }));
        statuses.push((await client.response()).status);
      }
    });
    await eventually(() => statuses.length > 100, 'traffic');
    const started = performance.now();
    await put(policy('d', denying({ rules: [{}] })));
    await eventually(() => statuses.slice(-32).every((status) => status === 403), 'denials');
    const took = performance.now() - started;
    const first = statuses.indexOf(403);
    await eventually(() => statuses.length > first + 200, 'more traffic');
    isOver = true;
    await Promise.all(loops);
    for (const client of clients) client.destroy();
    assert.ok(took < 1000, `${took} ms`);
    // Requests in flight while the workers take the policy over may still pass; each connection has at most one.
    const late = statuses.slice(first).filter((status) => status === 200).length;
    assert.ok(late <= clients.length, `${late} passed`);
    assert.ok(statuses.every((status) => status === 200 || status === 403));
  });
});
