// What stands behind a rule: references that are broken, granted, empty; timeouts; endpoints that refuse.

import assert from 'node:assert/strict';
import { call } from '../harness/call.ts';
import {
  backendRef,
  endpointSlice,
  type Manifest,
  namespace,
  prefix,
  type RuleSetup,
  referenceGrant,
  service,
} from '../harness/manifests.ts';
import { freePort } from '../harness/ports.ts';
import { RawClient } from '../harness/raw-client.ts';
import { RoutingWorld } from '../harness/routing-world.ts';
import { ScriptedBackend } from '../harness/scripted-backend.ts';
import { eventually } from '../harness/signal.ts';

function rule(path: string, ...backendRefs: unknown[]): RuleSetup {
  return { matches: [prefix(path)], backendRefs };
}

describe('references', () => {
  let world: RoutingWorld;
  let other: ScriptedBackend;
  before(async () => {
    other = await ScriptedBackend.start();
    const dead = await freePort();
    const rules = [
      rule('/ok', backendRef('v1')),
      { matches: [prefix('/no-refs')] },
      rule('/empty'),
      rule('/missing', backendRef('missing')),
      rule('/no-port', backendRef('v1', { port: 81 })),
      rule('/kind', { ...backendRef('v1'), group: 'unknown.example.com', kind: 'NonExistent' }),
      rule('/granted', backendRef('app', { namespace: 'granted' })),
      rule('/ungranted', backendRef('app', { namespace: 'ungranted' })),
      rule('/wrong-name', backendRef('app', { namespace: 'by-name' })),
      rule('/right-name', backendRef('named', { namespace: 'by-name' })),
      rule('/wrong-from', backendRef('app', { namespace: 'wrong-from' })),
      rule('/no-endpoints', backendRef('none')),
      rule('/unready', backendRef('unready')),
      rule('/dead', backendRef('dead')),
    ];
    const spaces = ['granted', 'ungranted', 'by-name', 'wrong-from'];
    const from = { kind: 'HTTPRoute', namespace: 'default' };
    const objects: Manifest[] = [
      ...spaces.map((name) => namespace(name)),
      ...spaces.flatMap((ns) => service({ name: 'app', namespace: ns, endpoints: [other.port] })),
      ...service({ name: 'named', namespace: 'by-name', endpoints: [other.port] }),
      ...service({ name: 'none', endpoints: [] }),
      ...service({ name: 'dead', endpoints: [dead] }),
      ...service({ name: 'unready', endpoints: [] }),
      endpointSlice('unready', 'unready', 'default', {
        ports: [{ name: 'p0', port: other.port }],
        endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: false, serving: false } }],
      }),
      referenceGrant('all', 'granted', from, { kind: 'Service' }),
      referenceGrant('one', 'by-name', from, { kind: 'Service', name: 'named' }),
      referenceGrant('other', 'wrong-from', { ...from, namespace: 'elsewhere' }, { kind: 'Service' }),
    ];
    world = await RoutingWorld.start([{ name: 'references', rules }], { objects });
  });
  after(async () => {
    await world.close();
    await other.close();
  });

  for (const [path, status] of [
    ['/ok', 200],
    ['/no-refs', 500],
    ['/empty', 500],
    ['/missing', 500],
    ['/no-port', 500],
    ['/kind', 500],
    ['/granted', 200],
    ['/ungranted', 500],
    ['/wrong-name', 500],
    ['/right-name', 200],
    ['/wrong-from', 500],
    ['/no-endpoints', 503],
    ['/unready', 503],
    ['/dead', 503],
  ] as const) {
    it(`${path} → ${status}`, async () => {
      assert.equal((await call(world.port, { path })).status, status);
    });
  }

  it('HTTPRouteReferenceGrant: taking the grant away takes the traffic away, giving it brings it back', async () => {
    const grant = (name: string): Manifest =>
      referenceGrant('extra', 'ungranted', { kind: 'HTTPRoute', namespace: 'default' }, { kind: 'Service', name });
    const becomes = (status: number): Promise<unknown> =>
      eventually(async () => (await call(world.port, { path: '/ungranted' })).status === status, `${status}`, 2000);
    await world.waypoint.write('grant.yaml', [grant('app')]);
    await becomes(200);
    await world.waypoint.write('grant.yaml', [grant('another')]);
    await becomes(500);
  });
});

describe('endpoints', () => {
  it('all of them share the load, a dead one is gone when its slice is', async () => {
    const world = await RoutingWorld.start([{ name: 'many', rules: [rule('/', backendRef('many'))] }], { objects: [] });
    try {
      const ports = ['v1', 'v2', 'v3'].map((name) => world.backend(name).port);
      await world.waypoint.apply('many.yaml', service({ name: 'many', endpoints: ports }));
      await eventually(async () => (await call(world.port)).status === 200, 'the endpoints');
      // The slowest of the three is chosen only when it is drawn twice: one time in nine.
      for (let i = 0; i < 150; i++) assert.equal((await call(world.port)).status, 200);
      for (const name of ['v1', 'v2', 'v3']) assert.ok(world.backend(name).requests.length > 0, `${name} gets a share`);
      await world.waypoint.write('many.yaml', service({ name: 'many', endpoints: ports.slice(0, 1) }));
      await eventually(async () => {
        const before = world.backend('v1').requests.length;
        for (let i = 0; i < 10; i++) await call(world.port);
        return world.backend('v1').requests.length === before + 10;
      }, 'v1 alone');
    } finally {
      await world.close();
    }
  });
});

describe('timeouts', () => {
  let world: RoutingWorld;
  before(async () => {
    const timed = (path: string, timeouts: unknown): RuleSetup => ({ ...rule(path, backendRef('v1')), timeouts });
    const rules = [
      timed('/request', { request: '100ms' }),
      timed('/backend', { backendRequest: '100ms' }),
      timed('/both', { request: '5s', backendRequest: '100ms' }),
      timed('/off', { request: '0s' }),
      timed('/body', { request: '200ms' }),
    ];
    world = await RoutingWorld.start([{ name: 'timeouts', rules }]);
    const { script } = world.backend('v1');
    world.backend('v1').script = async (request) => {
      const { target } = request.message;
      if (target.endsWith('/never')) return;
      if (target.endsWith('/half')) return request.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
      if (target.endsWith('/late')) await new Promise((resolve) => setTimeout(resolve, 250));
      return script(request);
    };
  });
  after(() => world.close());

  for (const [path, status] of [
    ['/request/never', 504],
    ['/backend/never', 504],
    ['/both/never', 504],
    ['/request/quick', 200],
    ['/backend/quick', 200],
    ['/off/late', 200],
    ['/request/late', 504],
    ['/backend/late', 504],
  ] as const) {
    it(`${path} → ${status}`, async () => {
      const before = world.backend('v1').requests.length;
      const begun = performance.now();
      assert.equal((await call(world.port, { path })).status, status);
      if (status !== 504) return;
      assert.ok(performance.now() - begun < 1000, 'at once');
      const request = world.backend('v1').requests[before];
      await request?.connection.closed();
    });
  }

  for (const path of ['/request/half', '/backend/half']) {
    it(`${path}: a body that stops is cut off visibly`, async () => {
      await assert.rejects(call(world.port, { path }), /no response|invalid response/);
    });
  }

  it('a stalled upload is cut off by the request timeout', async () => {
    const client = await RawClient.connect(world.port);
    await client.send('POST /body/x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello');
    assert.ok([504, 408].includes((await client.response('POST')).status));
    client.destroy();
  });
});
