// Services behind a waypoint, by VIP and by the shared port: the mesh conformance tables and the rules of GAMMA.

import assert from 'node:assert/strict';
import { type Answered, call } from '../harness/call.ts';
import { echoed } from '../harness/echoed.ts';
import {
  backendRef,
  exact,
  gateway,
  gatewayClass,
  type Manifest,
  namespace,
  prefix,
  type RouteSetup,
  route,
  service,
} from '../harness/manifests.ts';
import { freePort } from '../harness/ports.ts';
import { ScriptedBackend } from '../harness/scripted-backend.ts';
import { eventually } from '../harness/signal.ts';
import { Waypoint } from '../harness/waypoint.ts';

const USE = { 'waypoint.dev/use-waypoint': 'shop' };
/** A /24 of loopback for this process. */
const NET = `127.${64 + (process.pid % 60)}.${process.pid % 250}`;
const VIP: Readonly<Record<string, string>> = {
  echo: `${NET}.1`,
  v1: `${NET}.2`,
  v2: `${NET}.3`,
  plain: `${NET}.4`,
  split: `${NET}.5`,
};
const RESPONSE_HEADER = {
  type: 'ResponseHeaderModifier',
  responseHeaderModifier: { set: [{ name: 'X-Header-Set', value: 'yes' }] },
};

class Mesh {
  waypoint!: Waypoint;
  shared = 0;
  port = 0;
  readonly backends: Map<string, ScriptedBackend> = new Map();

  async start(): Promise<void> {
    for (const name of ['v1', 'v2', 'plain', 'outside'])
      this.backends.set(name, await ScriptedBackend.start(undefined, name));
    this.shared = await freePort();
    this.port = await freePort(`${NET}.1`);
    this.waypoint = await Waypoint.start({ 'mesh.yaml': [...this.#services(), ...routes()] });
  }

  async close(): Promise<void> {
    await this.waypoint.close();
    for (const backend of this.backends.values()) await backend.close();
  }

  /** Calls a Service by its VIP; the authority says what it likes. */
  async vip(name: string, path: string, host: string = name, port: number = this.port): Promise<Answered> {
    return call(port, { path, host }, VIP[name]);
  }

  async byName(host: string, path: string = '/'): Promise<Answered> {
    return call(this.shared, { path, host });
  }

  who(answer: Answered): string | number {
    if (answer.status !== 200) return answer.status;
    const port = echoed(answer).backend;
    return [...this.backends].find(([, backend]) => backend.port === port)?.[0] ?? 'nobody';
  }

  #services(): Manifest[] {
    const at = (name: string): number => (this.backends.get(name) as ScriptedBackend).port;
    const one = (name: string, ...endpoints: number[]): Manifest[] =>
      service({
        name,
        namespace: 'shop',
        port: this.port,
        morePorts: name === 'v1' ? [this.port + 1] : [],
        endpoints,
        clusterIP: VIP[name] as string,
        labels: USE,
      });
    return [
      gatewayClass(),
      namespace('shop'),
      namespace('buyer'),
      gateway('shop', [{ name: 'services', port: this.shared }], 'shop'),
      ...one('echo', at('v1'), at('v2')),
      ...one('v1', at('v1')),
      ...one('v2', at('v2')),
      ...one('plain', at('plain')),
      ...one('split', at('v1'), at('v2')),
      ...service({ name: 'outside', namespace: 'shop', port: this.port, endpoints: [at('outside')] }),
    ];
  }
}

const mesh = new Mesh();

/** The routes' ports are the Services' own, known only when the test runs: parents and backends name none or all. */
function routes(): Manifest[] {
  const parent = (name: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
    group: '',
    kind: 'Service',
    name,
    ...more,
  });
  const to = (name: string): unknown => backendRef(name, { port: mesh.port });
  const attach = (setup: Omit<RouteSetup, 'namespace'> & { namespace?: string }): Manifest =>
    route({ namespace: 'shop', ...setup });
  return [
    attach({
      name: 'echo',
      parents: [parent('echo')],
      hostnames: ['ignored.example'],
      rules: [
        { matches: [exact('/v1')], backendRefs: [to('v1')] },
        { matches: [exact('/v2')], backendRefs: [to('v2')] },
        { matches: [{ headers: [{ name: 'version', value: 'two' }] }], backendRefs: [to('v2')] },
        {
          matches: [prefix('/redirect')],
          filters: [{ type: 'RequestRedirect', requestRedirect: { hostname: 'example.org', statusCode: 301 } }],
        },
        {
          matches: [prefix('/rewrite')],
          filters: [
            { type: 'URLRewrite', urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/one' } } },
          ],
          backendRefs: [to('v1')],
        },
        {
          matches: [{ ...prefix('/query'), queryParams: [{ name: 'animal', value: 'whale' }] }],
          backendRefs: [to('v1')],
        },
      ],
    }),
    attach({
      name: 'v2-frontend',
      parents: [parent('v2')],
      rules: [{ filters: [RESPONSE_HEADER], backendRefs: [to('v2')] }],
    }),
    attach({
      name: 'v1-port',
      parents: [parent('v1', { port: mesh.port })],
      rules: [{ filters: [RESPONSE_HEADER], backendRefs: [to('v1')] }],
    }),
    attach({
      name: 'consumer',
      namespace: 'buyer',
      parents: [parent('plain', { namespace: 'shop' })],
      rules: [
        { filters: [RESPONSE_HEADER], backendRefs: [backendRef('plain', { namespace: 'shop', port: mesh.port })] },
      ],
    }),
    attach({
      name: 'split',
      parents: [parent('split')],
      rules: [
        {
          backendRefs: [
            backendRef('v1', { port: mesh.port, weight: 1 }),
            backendRef('gone', { port: mesh.port, weight: 0 }),
          ],
        },
      ],
    }),
  ];
}

describe('services by VIP', () => {
  before(() => mesh.start());
  after(() => mesh.close());

  for (const [name, path, expected] of [
    ['plain', '/', 'plain'],
    ['plain', '/any/path', 'plain'],
    ['echo', '/v1', 'v1'],
    ['echo', '/v2', 'v2'],
    ['echo', '/v2example', 404],
    ['echo', '/', 404],
    ['echo', '/redirect/x', 301],
    ['echo', '/rewrite/x', 'v1'],
    ['echo', '/query?animal=whale', 'v1'],
    ['echo', '/query?animal=shark', 404],
    ['split', '/', 'v1'],
  ] as const) {
    it(`${name}${path} → ${expected}`, async () => {
      assert.equal(mesh.who(await mesh.vip(name, path)), expected);
    });
  }

  it('MeshFrontendHostname: the address decides, not the authority', async () => {
    const toV2 = await mesh.vip('v2', '/', 'v1');
    assert.deepEqual([mesh.who(toV2), toV2.message.get('x-header-set')], ['v2', 'yes']);
    const toPlain = await mesh.vip('plain', '/', 'v2');
    assert.deepEqual([mesh.who(toPlain), toPlain.message.get('x-header-set')], ['plain', undefined]);
  });

  it('MeshPorts: parentRef.port applies to that port only', async () => {
    assert.equal((await mesh.vip('v1', '/')).message.get('x-header-set'), 'yes');
    const other = await mesh.vip('v1', '/', 'v1', mesh.port + 1);
    assert.deepEqual([mesh.who(other), other.message.get('x-header-set')], ['v1', undefined]);
  });

  it('MeshConsumerRoute: it does not touch clients that are not known to live in its namespace', async () => {
    const answer = await mesh.vip('plain', '/');
    assert.deepEqual([mesh.who(answer), answer.message.get('x-header-set')], ['plain', undefined]);
  });

  it('hostnames of a route on a Service are ignored', async () => {
    assert.equal(mesh.who(await mesh.vip('echo', '/v1', 'whatever.example')), 'v1');
  });

  for (const [host, path, expected] of [
    ['plain.shop', '/', 'plain'],
    ['plain.shop.svc', '/', 'plain'],
    ['plain.shop.svc.cluster.local', '/', 'plain'],
    ['PLAIN.shop.SVC.cluster.local.', '/', 'plain'],
    ['plain.shop:PORT', '/', 'plain'],
    ['plain.shop:1', '/', 404],
    ['echo.shop', '/v2', 'v2'],
    ['echo.shop', '/none', 404],
    ['v2.shop', '/', 'v2'],
    ['outside.shop', '/', 404],
    ['outside.shop.svc.cluster.local:PORT', '/', 404],
    ['plain.other', '/', 404],
    ['unknown.example', '/', 404],
    ['127.0.0.1', '/', 404],
  ] as const) {
    it(`shared port, ${host}${path} → ${expected}`, async () => {
      assert.equal(mesh.who(await mesh.byName(host.replace('PORT', String(mesh.port)), path)), expected);
    });
  }

  it('a Service that is enrolled later is served, one that leaves is not', async () => {
    const outside = mesh.backends.get('outside') as ScriptedBackend;
    await mesh.waypoint.apply(
      'late.yaml',
      service({ name: 'late', namespace: 'shop', port: mesh.port, endpoints: [outside.port], labels: USE }),
    );
    await eventually(async () => mesh.who(await mesh.byName('late.shop')) === 'outside', 'the new Service');
    await mesh.waypoint.remove('late.yaml');
    await eventually(async () => mesh.who(await mesh.byName('late.shop')) === 404, 'the Service to go');
  });
});
