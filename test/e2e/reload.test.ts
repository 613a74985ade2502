// Configuration that changes under load: atomic, without a failed request; what is broken keeps its last good version.

import assert from 'node:assert/strict';
import { mkdir, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { call } from '../harness/call.ts';
import { sentField } from '../harness/echoed.ts';
import { Load } from '../harness/load.ts';
import {
  backendRef,
  documents,
  gateway,
  gatewayClass,
  type Manifest,
  prefix,
  route,
  service,
} from '../harness/manifests.ts';
import { freePort } from '../harness/ports.ts';
import { RawClient } from '../harness/raw-client.ts';
import { ScriptedBackend } from '../harness/scripted-backend.ts';
import { eventually } from '../harness/signal.ts';
import { Waypoint } from '../harness/waypoint.ts';

/** A route for everything that stamps the version twice: before the choice of a backend and after it. */
function stamped(version: string): Manifest {
  const stamp = (name: string): unknown => ({
    type: 'RequestHeaderModifier',
    requestHeaderModifier: { set: [{ name, value: version }] },
  });
  const filters = [stamp('x-rule')];
  return route({
    name: 'stamped',
    parents: ['edge'],
    rules: [{ filters, backendRefs: [backendRef('app', { filters: [stamp('x-ref')] })] }],
  });
}

function at(path: string, name: string): Manifest {
  return route({ name, parents: ['edge'], rules: [{ matches: [prefix(path)], backendRefs: [backendRef('app')] }] });
}

describe('hot reload', () => {
  let backend: ScriptedBackend;
  let waypoint: Waypoint;
  let port: number;
  before(async () => {
    backend = await ScriptedBackend.start();
    port = await freePort();
    waypoint = await Waypoint.start(
      {
        'base.yaml': [
          gatewayClass(),
          gateway('edge', [{ port }]),
          ...service({ name: 'app', endpoints: [backend.port] }),
        ],
        'route.yaml': [stamped('v0')],
      },
      { workers: 2 },
    );
  });
  after(async () => {
    await waypoint.close();
    await backend.close();
  });

  async function version(): Promise<string | undefined> {
    return sentField(await call(port), 'x-rule');
  }

  async function becomes(expected: string): Promise<void> {
    await eventually(async () => (await version()) === expected, `version ${expected}`, 2000);
  }

  /** Paths come to be answered with these statuses, all at once. */
  async function answered(expected: Readonly<Record<string, number>>): Promise<void> {
    let seen = '';
    const wanted = JSON.stringify(expected);
    await eventually(async () => {
      const statuses = Object.keys(expected).map(async (path) => [path, (await call(port, { path })).status] as const);
      seen = JSON.stringify(Object.fromEntries(await Promise.all(statuses)));
      return seen === wanted;
    }, wanted).catch((error: unknown) => assert.fail(`${(error as Error).message}, got ${seen}`));
  }

  it('an edit is served by the next requests', async () => {
    await waypoint.apply('route.yaml', [stamped('v1')]);
    for (let i = 0; i < 10; i++) assert.equal(await version(), 'v1');
  });

  it('C5 thirty edits under load: no failed request, each sees a whole configuration', async () => {
    const load = new Load(port);
    load.start(4, 2);
    for (let i = 0; i < 30; i++) await waypoint.apply('route.yaml', [stamped(`load-${i}`)]);
    await load.stop();
    assert.deepEqual(load.failures, []);
    assert.ok(load.requests > 100, `${load.requests} requests`);
    for (const body of load.bodies) assert.equal(sentField({ body }, 'x-rule'), sentField({ body }, 'x-ref'));
    await becomes('load-29');
  });

  it('a file with a syntax error keeps its last good version and says so, mending it goes on', async () => {
    await waypoint.apply('route.yaml', [stamped('good')]);
    await waypoint.write('route.yaml', 'kind: HTTPRoute\n  bad: [indent\n');
    await waypoint.apply('other.yaml', [at('/other', 'other')]);
    assert.equal(await version(), 'good');
    const said = /error .*route\.yaml:\d+:\d+: /;
    await eventually(() => waypoint.messages.some((message) => said.test(message)), 'the error to be told');
    await waypoint.write('route.yaml', [stamped('mended')]);
    await becomes('mended');
    await waypoint.remove('other.yaml');
  });

  it('C1 an invalid object is refused alone', async () => {
    const bad = {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'bad' },
      spec: { rules: 'many' },
    };
    await waypoint.apply('mixed.yaml', [bad, at('/mixed', 'mixed')]);
    await answered({ '/mixed': 200 });
    assert.ok(
      waypoint.messages.some((message) => /mixed\.yaml:\d+:\d+: HTTPRoute default\/bad spec\.rules: /.test(message)),
    );
    await waypoint.remove('mixed.yaml');
    await becomes('mended');
  });

  it('a deleted file takes its objects away, the others stay', async () => {
    await waypoint.remove('route.yaml');
    await answered({ '/x': 404 });
    await waypoint.apply('new.yaml', [at('/x', 'x')]);
    await answered({ '/x': 200, '/y': 404 });
    await waypoint.remove('new.yaml');
    await waypoint.apply('route.yaml', [stamped('back')]);
    await becomes('back');
  });

  it('a file written in place, truncated first, is read when it is whole', async () => {
    const path = join(waypoint.dir, 'route.yaml');
    await writeFile(path, '');
    await writeFile(path, documents([stamped('in-place')]));
    await becomes('in-place');
  });

  it('a ConfigMap swap of symbolic links is one change', async () => {
    const { dir } = waypoint;
    for (const generation of ['1', '2']) {
      const data = join(dir, `..${generation}`);
      await mkdir(data);
      await writeFile(join(data, 'mounted.yaml'), documents([at(`/mounted-${generation}`, 'mounted')]));
      await symlink(`..${generation}`, join(dir, '..data_tmp'));
      await rename(join(dir, '..data_tmp'), join(dir, '..data'));
      if (generation === '1') await symlink('..data/mounted.yaml', join(dir, 'mounted.yaml'));
      await eventually(
        async () => sentField(await call(port, { path: `/mounted-${generation}` }), 'x-rule') === undefined,
        `mount ${generation}`,
        2000,
      );
    }
    assert.equal(sentField(await call(port, { path: '/mounted-1' }), 'x-rule'), 'in-place', 'the first mount is gone');
    await unlink(join(dir, 'mounted.yaml'));
    await rm(join(dir, '..data'));
  });

  it('endpoints replaced under load: no failed request', async () => {
    const second = await ScriptedBackend.start(undefined, 'second');
    const base = (target: number): Manifest[] => [
      gatewayClass(),
      gateway('edge', [{ port }]),
      ...service({ name: 'app', endpoints: [target] }),
    ];
    const load = new Load(port);
    load.start(4, 2);
    for (let i = 0; i < 10; i++) {
      const target = i % 2 === 0 ? second : backend;
      const before = target.requests.length;
      await waypoint.write('base.yaml', base(target.port));
      await eventually(() => target.requests.length > before, 'traffic at the other endpoint', 2000);
    }
    await load.stop();
    assert.deepEqual(load.failures, []);
    await waypoint.write('base.yaml', base(backend.port));
    const done = (): Promise<boolean> =>
      call(port).then((answer) => answer.body.includes(`"backend":${backend.port},`));
    await eventually(done, 'the first endpoint again');
    await second.close();
  });

  for (const [name, change] of [
    ['its route is taken away', { 'route.yaml': [] }],
    ['its endpoint is taken away', { 'base.yaml': null }],
  ] as const) {
    it(`a request in flight keeps its plan when ${name}`, async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const { script } = backend;
      backend.script = (request) =>
        request.message.target === '/held' ? promise.then(() => script(request)) : script(request);
      const from = backend.requests.length;
      const client = await RawClient.connect(port);
      await client.send('GET /held HTTP/1.1\r\nHost: a\r\n\r\n');
      await backend.request(from);
      const without = [gatewayClass(), gateway('edge', [{ port }]), ...service({ name: 'app', endpoints: [] })];
      for (const [file, content] of Object.entries(change)) await waypoint.write(file, content ?? without);
      const status = name.includes('route') ? 404 : 503;
      await eventually(async () => (await call(port)).status === status, `${status} for new requests`);
      resolve();
      assert.equal((await client.response()).status, 200);
      backend.script = script;
      client.destroy();
      await waypoint.write('route.yaml', [stamped('later')]);
      await eventually(async () => (await call(port)).status !== 404, 'the route again');
    });
  }
});
