// Names outside as backends: where DNS leads them, what they are told, and where they may not lead.

import assert from 'node:assert/strict';
import type { Answer } from '../../waypoint/name-resolver.ts';
import { asked, bundle, named, root } from '../harness/backend-tls-world.ts';
import { call } from '../harness/call.ts';
import { sentField } from '../harness/echoed.ts';
import { gateway, gatewayClass, type Manifest, prefix, route, service } from '../harness/manifests.ts';
import { freePort } from '../harness/ports.ts';
import { ScriptedBackend } from '../harness/scripted-backend.ts';
import { eventually } from '../harness/signal.ts';
import { TlsBackend } from '../harness/tls-backend.ts';
import { type Settings, Waypoint } from '../harness/waypoint.ts';

const GROUP = 'gateway.networking.x-k8s.io';
const ALLOWED: Settings = { egressAllow: ['127.0.0.0/8'] };

interface OutsideSetup {
  readonly hostname?: string;
  readonly port: number;
  readonly tls?: unknown;
}

function xBackend(name: string, { hostname = `${name}.example`, port, tls }: OutsideSetup): Manifest {
  return {
    apiVersion: `${GROUP}/v1alpha1`,
    kind: 'XBackend',
    metadata: { name, namespace: 'default' },
    spec: {
      type: 'ExternalHostname',
      externalHostname: { hostname },
      port: { port },
      ...(tls === undefined ? {} : { tls }),
    },
  };
}

/** Leads `/name` to the XBackend of that name. */
function leading(name: string, filters: readonly unknown[] = []): Manifest {
  const backendRefs = [{ group: GROUP, kind: 'XBackend', name }];
  return route({ name, parents: ['edge'], rules: [{ matches: [prefix(`/${name}`)], filters, backendRefs }] });
}

function world(port: number, ...objects: readonly Manifest[]): Manifest[] {
  return [gatewayClass(), gateway('edge', [{ port }]), ...objects];
}

/** DNS as the test says; every name that it does not know is unknown. */
class Names {
  readonly known = new Map<string, readonly string[]>();
  readonly asked: string[] = [];

  readonly lookUp = async (name: string): Promise<Answer> => {
    this.asked.push(name);
    const addresses = this.known.get(name);
    if (addresses === undefined) throw new Error(`queryA ENOTFOUND ${name}`);
    return { addresses, ttlMs: 60_000 };
  };
}

describe('names outside', () => {
  let names: Names;
  let backend: ScriptedBackend;
  let waypoint: Waypoint;
  let port: number;
  beforeEach(async () => {
    names = new Names();
    names.known.set('api.example', ['127.0.0.1']);
    backend = await ScriptedBackend.start();
    port = await freePort();
  });
  afterEach(async () => {
    await waypoint.close();
    await backend.close();
  });

  async function start(settings: Settings, ...objects: readonly Manifest[]): Promise<void> {
    waypoint = await Waypoint.start({ 'world.yaml': world(port, ...objects) }, settings, names.lookUp);
  }

  it('are reached from the first request on, and are told their own name', async () => {
    await start(ALLOWED, xBackend('api', { port: backend.port }), leading('api'));
    const answer = await call(port, { path: '/api', host: 'inside.example' });
    assert.equal(answer.status, 200);
    assert.equal(sentField(answer, 'host'), `api.example:${backend.port}`);
    assert.equal(sentField(answer, 'x-forwarded-host'), 'inside.example');
  });

  it('are found in the hosts file of this host, too', async () => {
    const objects = [xBackend('api', { hostname: 'localhost', port: backend.port }), leading('api')];
    waypoint = await Waypoint.start({ 'world.yaml': world(port, ...objects) }, ALLOWED);
    assert.equal(sentField(await call(port, { path: '/api' }), 'host'), `localhost:${backend.port}`);
  });

  it('are told the name that a filter says instead', async () => {
    const rewrite = { type: 'URLRewrite', urlRewrite: { hostname: 'rewritten.example' } };
    await start(ALLOWED, xBackend('api', { port: backend.port }), leading('api', [rewrite]));
    assert.equal(sentField(await call(port, { path: '/api' }), 'host'), 'rewritten.example');
  });

  it('are told it in copies, too, and nobody else is', async () => {
    const inside = await ScriptedBackend.start(undefined, 'inside');
    try {
      const backendRef = { group: GROUP, kind: 'XBackend', name: 'api' };
      const filters = [{ type: 'RequestMirror', requestMirror: { backendRef } }];
      const rules = [{ filters, backendRefs: [{ name: 'inside', port: 80 }] }];
      await start(
        ALLOWED,
        xBackend('api', { port: backend.port }),
        route({ name: 'copied', parents: ['edge'], rules }),
        ...service({ name: 'inside', endpoints: [inside.port] }),
      );
      assert.equal(sentField(await call(port, { host: 'client.example' }), 'host'), 'client.example');
      const copy = await backend.request(0);
      assert.match(copy.message.get('host') ?? '', /^api\.example(-shadow)?:\d+$/);
    } finally {
      await inside.close();
    }
  });

  it('are spoken to in TLS, with their own name', async () => {
    const secure = await TlsBackend.start(named('DNS:api.example'));
    try {
      const ca = { caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'root' }] };
      const tls = { mode: 'ServerOnly', validation: { hostname: 'api.example', ...ca } };
      const wrong = { mode: 'ServerOnly', validation: { hostname: 'other.example', ...ca } };
      const objects = [
        ...[bundle('root', root), leading('api'), leading('wrong'), leading('system')],
        xBackend('api', { port: secure.port, tls }),
        xBackend('wrong', { hostname: 'api.example', port: secure.port, tls: wrong }),
        xBackend('system', { hostname: 'api.example', port: secure.port, tls: { mode: 'ServerOnly' } }),
      ];
      await start(ALLOWED, ...objects);
      assert.equal((await call(port, { path: '/api' })).status, 200);
      assert.equal(secure.arrivals[0]?.serverName, 'api.example');
      assert.equal(secure.arrivals[0]?.host, `api.example:${secure.port}`);
      for (const name of ['wrong', 'system']) {
        const { status, told } = await asked(waypoint, port, `/${name}`);
        assert.equal(status, 503, name);
        assert.match(told, /^upstream_tls: /);
      }
      assert.equal(secure.arrivals.length, 1);
      assert.equal(secure.cleartext, 0);
    } finally {
      await secure.close();
    }
  });

  it('are answered 503 while DNS does not know them, and served once it does', async () => {
    let answer: (answer: Answer) => void = () => {};
    const pending = new Promise<Answer>((resolve) => {
      answer = resolve;
    });
    const late = names.lookUp;
    const files = { 'world.yaml': world(port) };
    waypoint = await Waypoint.start(files, ALLOWED, (name) => (name === 'late.example' ? pending : late(name)));
    await waypoint.apply('late.yaml', [
      ...[xBackend('late', { port: backend.port }), leading('late')],
      ...[xBackend('never', { port: backend.port }), leading('never')],
    ]);
    const { status, told } = await asked(waypoint, port, '/late/early');
    assert.equal(status, 503);
    assert.match(told, /^no_endpoint: /);
    assert.equal((await call(port, { path: '/never' })).status, 503);
    const statuses = async (): Promise<string> => (await waypoint.admin('/statuses')).body;
    await eventually(async () => (await statuses()).includes('NameNotResolved'), 'a condition');
    answer({ addresses: ['127.0.0.1'], ttlMs: 60_000 });
    await eventually(async () => (await call(port, { path: '/late' })).status === 200, 'an address');
    assert.match(await statuses(), /DNS gives no address for never\.example/);
    assert.doesNotMatch(await statuses(), /late\.example/);
  });

  it('are looked up once however many routes lead there, and forgotten with the last', async () => {
    const file = [xBackend('api', { port: backend.port }), leading('api')];
    await start(ALLOWED);
    await waypoint.apply('api.yaml', [
      ...file,
      { ...leading('api'), metadata: { name: 'again', namespace: 'default' } },
    ]);
    assert.equal((await call(port, { path: '/api' })).status, 200);
    assert.deepEqual(names.asked, ['api.example']);
    await waypoint.apply('api.yaml', []);
    await waypoint.apply('api.yaml', file);
    await eventually(async () => (await call(port, { path: '/api' })).status === 200, 'an address');
    assert.deepEqual(names.asked, ['api.example', 'api.example']);
  });

  it('lead where their new name leads', async () => {
    const other = await ScriptedBackend.start(undefined, 'other', 0);
    try {
      await start(ALLOWED, leading('api'));
      await waypoint.apply('api.yaml', [xBackend('api', { port: backend.port })]);
      await eventually(async () => (await call(port, { path: '/api' })).status === 200, 'the first');
      await waypoint.apply('api.yaml', [xBackend('api', { port: other.port })]);
      await eventually(async () => (await call(port, { path: '/api' })).status === 200, 'the second');
      assert.equal(backend.requests.length, 1);
      assert.equal(other.requests.length, 1);
    } finally {
      await other.close();
    }
  });

  /** [name, what DNS says, what is allowed]. */
  const refused: readonly (readonly [string, string, readonly string[]])[] = [
    ['loopback', '127.0.0.1', []],
    ['loopback written as IPv6', '::ffff:127.0.0.1', []],
    ['loopback of IPv6', '::1', ['127.0.0.0/8']],
    ['unspecified', '0.0.0.0', []],
    ['the metadata service', '169.254.169.254', []],
    ['the metadata service through NAT64', '64:ff9b::a9fe:a9fe', []],
    ['another address than the one allowed', '127.0.0.1', ['127.0.0.2']],
  ];
  for (const [name, address, egressAllow] of refused) {
    it(`are not dialled at ${name}`, async () => {
      names.known.set('api.example', [address]);
      await start({ egressAllow }, xBackend('api', { port: backend.port }), leading('api'));
      const answer = await asked(waypoint, port, '/api');
      assert.equal(answer.status, 503);
      assert.match(answer.told, /^refused_address: connect .*: refused: it is (loopback|unspecified|link-local)/);
      assert.equal(answer.body, 'upstream connect failed\n');
      assert.equal(backend.connections.length, 0);
    });
  }

  it('are not dialled at our own listeners and admin page, whatever is allowed', async () => {
    const admin = await freePort();
    await start(
      { ...ALLOWED, admin: { host: '127.0.0.1', port: admin } },
      ...[xBackend('own', { hostname: 'api.example', port }), leading('own')],
      ...[xBackend('admin', { hostname: 'api.example', port: admin }), leading('admin')],
    );
    for (const name of ['own', 'admin']) {
      const { status, told } = await asked(waypoint, port, `/${name}`);
      assert.equal(status, 503);
      assert.match(told, /^refused_address: .*of this waypoint/);
    }
  });

  it('are used where one of their addresses may be', async () => {
    names.known.set('api.example', ['127.0.0.1', '169.254.169.254']);
    await start(ALLOWED, xBackend('api', { port: backend.port }), leading('api'));
    const statuses = await Promise.all([1, 2, 3, 4].map(async () => (await call(port, { path: '/api' })).status));
    assert.ok(statuses.includes(200), statuses.join(' '));
  });

  it('are not dialled inside by health checks either', async () => {
    const policy: Manifest = {
      apiVersion: 'waypoint.dev/v1alpha1',
      kind: 'TrafficPolicy',
      metadata: { name: 'checked', namespace: 'default' },
      spec: {
        targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'edge' }],
        healthCheck: { tcp: {}, interval: '100ms', timeout: '100ms', unhealthyThreshold: 1 },
      },
    };
    await start({}, xBackend('api', { port: backend.port }), leading('api'), policy);
    const endpoints = async (): Promise<string> => (await waypoint.admin('/endpoints')).body;
    await eventually(async () => (await endpoints()).includes('"healthy": false'), 'a verdict');
    assert.equal(backend.connections.length, 0);
  });

  const externalName: Manifest = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'api', namespace: 'default' },
    spec: { type: 'ExternalName', externalName: 'API.example.' },
  };
  const toService = (): Manifest =>
    route({ name: 'api', parents: ['edge'], rules: [{ backendRefs: [{ name: 'api', port: backend.port }] }] });

  it('of Services of type ExternalName are reached where the operator allows them', async () => {
    await start({ ...ALLOWED, allowExternalName: true }, externalName, toService());
    const answer = await call(port, { path: '/' });
    assert.equal(answer.status, 200);
    assert.equal(sentField(answer, 'host'), `api.example:${backend.port}`);
  });

  it('of Services of type ExternalName are not even looked up otherwise', async () => {
    await start(ALLOWED, externalName, toService());
    assert.equal((await call(port, { path: '/' })).status, 500);
    assert.deepEqual(names.asked, []);
  });
});
