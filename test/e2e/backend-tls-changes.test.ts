// Encrypted backends while certificates, CAs and policies change: what was right before is not used any longer.

import assert from 'node:assert/strict';
import { asked, bundle, named, other, policy, root, world } from '../harness/backend-tls-world.ts';
import { call } from '../harness/call.ts';
import { backendRef, type Manifest, prefix, route, service, tlsSecret } from '../harness/manifests.ts';
import { freePort } from '../harness/ports.ts';
import { eventually } from '../harness/signal.ts';
import { TlsBackend, type TlsServing } from '../harness/tls-backend.ts';
import { Waypoint } from '../harness/waypoint.ts';

describe('certificates of our own', () => {
  const client = root.issue({ subject: 'Waypoint' });
  const wrong = other.issue({ subject: 'Wrong' });
  const serving: TlsServing = { ...named('DNS:orders.example'), clientAuthorities: root.certificate };
  let backend: TlsBackend;
  let waypoint: Waypoint;
  let port: number;
  beforeEach(async () => {
    backend = await TlsBackend.start(serving);
    port = await freePort();
  });
  afterEach(async () => {
    await waypoint.close();
    await backend.close();
  });
  const tls = { backend: { clientCertificateRef: { name: 'own' } } };

  it('are shown to backends that ask for one', async () => {
    const objects = world(port, [{ name: 'b', port: backend.port, policy: {} }], tls);
    waypoint = await Waypoint.start({ 'world.yaml': [...objects, tlsSecret('own', client)] });
    assert.equal((await call(port, { path: '/b' })).status, 200);
    assert.equal(backend.arrivals[0]?.client, 'Waypoint');
  });

  it('are shown anew when they change, also where a session could be resumed', async () => {
    const objects = world(port, [{ name: 'b', port: backend.port, policy: {} }], tls);
    waypoint = await Waypoint.start({ 'world.yaml': objects, 'own.yaml': [tlsSecret('own', client)] });
    assert.equal((await call(port, { path: '/b' })).status, 200);
    await waypoint.apply('own.yaml', [tlsSecret('own', root.issue({ subject: 'Renewed' }))]);
    assert.equal((await call(port, { path: '/b' })).status, 200);
    assert.equal(backend.arrivals[1]?.client, 'Renewed');
    await waypoint.apply('own.yaml', [tlsSecret('own', wrong)]);
    assert.equal((await call(port, { path: '/b' })).status, 503);
    assert.equal(backend.arrivals.length, 2);
  });

  it('that are missing stop every connection', async () => {
    waypoint = await Waypoint.start({
      'world.yaml': world(port, [{ name: 'b', port: backend.port, policy: {} }], tls),
    });
    const { status, told } = await asked(waypoint, port, '/b');
    assert.equal(status, 503);
    assert.match(told, /^upstream_tls: .*clientCertificateRef.*There is no Secret default\/own/);
    assert.equal(backend.connections, 0);
  });
});

describe('CAs of backends that change', () => {
  let backend: TlsBackend;
  let waypoint: Waypoint;
  let port: number;
  beforeEach(async () => {
    backend = await TlsBackend.start(named('DNS:orders.example'));
    port = await freePort();
    const objects = world(port, [{ name: 'b', port: backend.port, policy: { authorities: ['ca'] } }]);
    waypoint = await Waypoint.start({ 'world.yaml': objects, 'ca.yaml': [bundle('ca', root)] });
  });
  afterEach(async () => {
    await waypoint.close();
    await backend.close();
  });
  const status = async (): Promise<number> => (await call(port, { path: '/b' })).status;

  it('are read again: connections and sessions made under the old ones are not used any more', async () => {
    assert.equal(await status(), 200);
    await waypoint.apply('ca.yaml', [bundle('ca', other)]);
    assert.equal(await status(), 503);
    await waypoint.apply('ca.yaml', [bundle('ca', root)]);
    assert.equal(await status(), 200);
    assert.equal(backend.arrivals.length, 2);
  });

  it('are rotated without a failed request where both are believed meanwhile', async () => {
    assert.equal(await status(), 200);
    await waypoint.apply('ca.yaml', [bundle('ca', root, other)]);
    assert.equal(await status(), 200);
    backend.serve(other.issue({ names: ['DNS:orders.example'] }));
    backend.disconnect();
    assert.equal(await status(), 200);
    await waypoint.apply('ca.yaml', [bundle('ca', other)]);
    assert.equal(await status(), 200);
  });

  it('that go stop every connection, and say so', async () => {
    assert.equal(await status(), 200);
    await waypoint.apply('ca.yaml', []);
    assert.equal(await status(), 503);
    const page = JSON.parse((await waypoint.admin('/statuses')).body) as Record<string, unknown>;
    assert.match(JSON.stringify(page), /NoValidCACertificate/);
    await waypoint.apply('ca.yaml', [bundle('ca', root)]);
    assert.equal(await status(), 200);
    assert.equal(backend.cleartext, 0);
  });

  it('keep connections while nothing about them changes', async () => {
    assert.equal(await status(), 200);
    await waypoint.apply(
      'more.yaml',
      service({ name: 'more', endpoints: [1] }).concat(
        route({
          name: 'more',
          parents: ['edge'],
          rules: [{ matches: [prefix('/more')], backendRefs: [backendRef('more')] }],
        }),
      ),
    );
    assert.equal(await status(), 200);
    assert.equal(backend.connections, 1);
  });
});

describe('policies for backends that come and go', () => {
  it('never mix: a request goes out as the policy of its time says', async () => {
    const secure = await TlsBackend.start(named('DNS:orders.example'));
    const port = await freePort();
    const [, ...rest] = world(port, [{ name: 'b', port: secure.port, policy: {} }]);
    const without = rest.filter(({ kind }) => kind !== 'BackendTLSPolicy');
    const waypoint = await Waypoint.start({ 'world.yaml': without, 'policy.yaml': [policy('b', {})] });
    try {
      assert.equal((await call(port, { path: '/b' })).status, 200);
      await waypoint.apply('policy.yaml', [policy('b', { hostname: 'another.example' })]);
      assert.equal((await call(port, { path: '/b' })).status, 503);
      assert.equal(secure.cleartext, 0);
      await waypoint.apply('policy.yaml', [policy('b', {})]);
      assert.equal((await call(port, { path: '/b' })).status, 200);
      assert.deepEqual(new Set(secure.arrivals.map(({ serverName }) => serverName)), new Set(['orders.example']));
    } finally {
      await waypoint.close();
      await secure.close();
    }
  });
});

describe('health checks of encrypted backends', () => {
  const checked: Manifest = {
    apiVersion: 'waypoint.dev/v1alpha1',
    kind: 'TrafficPolicy',
    metadata: { name: 'checked', namespace: 'default' },
    spec: {
      targetRefs: [{ group: '', kind: 'Service', name: 'b' }],
      healthCheck: { http: { path: '/healthz' }, interval: '200ms', timeout: '200ms', unhealthyThreshold: 1 },
    },
  };

  it('are made in TLS, and believe whom requests believe', async () => {
    const backend = await TlsBackend.start(named('DNS:orders.example'));
    const port = await freePort();
    const objects = world(port, [{ name: 'b', port: backend.port, policy: {} }]);
    const waypoint = await Waypoint.start({ 'world.yaml': objects, 'checked.yaml': [checked] });
    try {
      await eventually(async () => backend.arrivals.some(({ path }) => path === '/healthz'), 'a check');
      assert.equal((await call(port, { path: '/b' })).status, 200);
      backend.serve(other.issue({ names: ['DNS:orders.example'] }));
      await eventually(async () => (await waypoint.admin('/endpoints')).body.includes('"healthy": false'), 'a verdict');
      assert.equal(backend.cleartext, 0);
    } finally {
      await waypoint.close();
      await backend.close();
    }
  });
});
