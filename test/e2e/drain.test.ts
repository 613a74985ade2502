// The end of a waypoint: SIGTERM drains without a failed request, a second signal ends it at once.

import assert from 'node:assert/strict';
import { call } from '../harness/call.ts';
import { WaypointProcess } from '../harness/child.ts';
import { Load } from '../harness/load.ts';
import { backendRef, gateway, gatewayClass, type Manifest, route, service } from '../harness/manifests.ts';
import { freePort } from '../harness/ports.ts';
import { RawClient } from '../harness/raw-client.ts';
import { ScriptedBackend } from '../harness/scripted-backend.ts';
import { eventually } from '../harness/signal.ts';

const GET = 'GET /drain HTTP/1.1\r\nHost: test.example\r\n\r\n';

describe('drain', () => {
  let backend: ScriptedBackend;
  let port: number;
  let child: WaypointProcess;
  beforeEach(async () => {
    backend = await ScriptedBackend.start();
    port = await freePort();
  });
  afterEach(async () => {
    await (child as WaypointProcess | undefined)?.close();
    await RawClient.destroyAll();
    await backend.close();
  });

  function objects(): Manifest[] {
    return [
      gatewayClass(),
      gateway('edge', [{ port }]),
      route({ name: 'all', parents: ['edge'], rules: [{ backendRefs: [backendRef('app')] }] }),
      ...service({ name: 'app', endpoints: [backend.port] }),
    ];
  }

  /** A request that the backend holds until told. */
  async function hold(): Promise<{ client: RawClient; release: () => void }> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { script } = backend;
    backend.script = (request) =>
      request.message.target === '/drain' ? promise.then(() => request.respond({ body: 'done' })) : script(request);
    const client = await RawClient.connect(port);
    await client.send(GET);
    await eventually(() => backend.requests.length > 0, 'the held request');
    return { client, release: resolve };
  }

  it('SIGTERM under load: no failed request while clients leave, then exit 0', async () => {
    child = await WaypointProcess.start(objects(), ['--drain-delay', '400ms', '--drain-timeout', '3s']);
    const load = new Load(port);
    load.start(4, 2);
    await eventually(() => load.requests > 50, 'some load');
    child.signal('SIGTERM');
    await eventually(async () => (await child.ready()) !== 200, 'readiness to fail at once', 300);
    await load.stop();
    assert.deepEqual(load.failures, []);
    assert.equal((await child.exited(4000)).code, 0);
    assert.equal(child.stderr, '');
  });

  it('SIGTERM: it goes on accepting during the delay, a request in flight finishes with connection: close', async () => {
    child = await WaypointProcess.start(objects(), ['--drain-delay', '300ms', '--drain-timeout', '5s']);
    const { client, release } = await hold();
    child.signal('SIGTERM');
    await eventually(async () => (await child.ready()) !== 200, 'readiness to fail', 300);
    assert.equal((await call(port, { path: '/new' })).status, 200);
    await eventually(() => refused(port), 'the listener to close', 2000);
    release();
    const answer = await client.response();
    assert.deepEqual([answer.body, answer.get('connection')], ['done', 'close']);
    await client.closed();
    assert.equal((await child.exited(4000)).code, 0);
  });

  it('SIGTERM: idle connections are closed, it does not wait for the timeout', async () => {
    child = await WaypointProcess.start(objects(), ['--drain-delay', '0s', '--drain-timeout', '20s']);
    const idle = await RawClient.connect(port);
    await idle.send('GET /idle HTTP/1.1\r\nHost: a\r\n\r\n');
    await idle.response();
    child.signal('SIGTERM');
    await idle.closed(5000);
    assert.equal((await child.exited(5000)).code, 0);
  });

  it('SIGTERM: a request that never ends is cut at the timeout', async () => {
    child = await WaypointProcess.start(objects(), ['--drain-delay', '0s', '--drain-timeout', '500ms']);
    const { client } = await hold();
    child.signal('SIGTERM');
    await client.closed(3000);
    assert.equal((await child.exited(3000)).code, 0);
  });

  for (const [first, second] of [
    ['SIGTERM', 'SIGTERM'],
    ['SIGINT', 'SIGINT'],
  ] as const) {
    it(`${first}, then ${second}: exits at once`, async () => {
      child = await WaypointProcess.start(objects(), ['--drain-delay', '5s', '--drain-timeout', '20s']);
      const { client } = await hold();
      child.signal(first);
      await eventually(async () => (await child.ready()) !== 200, 'readiness to fail', 1000);
      child.signal(second);
      await client.closed(2000);
      await child.exited(2000);
    });
  }

  it('every request of the load is in the log before the end', async () => {
    child = await WaypointProcess.start(objects(), ['--drain-delay', '0s', '--drain-timeout', '3s']);
    for (let i = 0; i < 20; i++) assert.equal((await call(port, { path: `/logged-${i}` })).status, 200);
    child.signal('SIGTERM');
    await child.exited(4000);
    await eventually(() => child.log.entries.length === 20, `20 lines, got ${child.log.entries.length}`, 500);
    assert.deepEqual(child.log.other, []);
  });
});

async function refused(port: number): Promise<boolean> {
  try {
    const client = await RawClient.connect(port);
    client.destroy();
    return false;
  } catch {
    return true;
  }
}
