// Listeners that come and go: none touches another, a taken port is a condition and is retried.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { call } from '../harness/call.ts';
import { Load } from '../harness/load.ts';
import { backendRef, gateway, gatewayClass, type Manifest, route, service } from '../harness/manifests.ts';
import { freePort } from '../harness/ports.ts';
import { RawClient } from '../harness/raw-client.ts';
import { ScriptedBackend } from '../harness/scripted-backend.ts';
import { eventually } from '../harness/signal.ts';
import { Waypoint } from '../harness/waypoint.ts';

describe('binds', () => {
  let backend: ScriptedBackend;
  let waypoint: Waypoint;
  let kept: number;
  let other: number;
  before(async () => {
    backend = await ScriptedBackend.start();
    kept = await freePort();
    other = await freePort();
    waypoint = await Waypoint.start({ 'a.yaml': objects([kept]) });
  });
  after(async () => {
    await waypoint.close();
    await backend.close();
  });

  function objects(ports: readonly number[]): Manifest[] {
    return [
      gatewayClass(),
      gateway(
        'edge',
        ports.map((port) => ({ name: `p${port}`, port })),
      ),
      route({ name: 'all', parents: ['edge'], rules: [{ backendRefs: [backendRef('app')] }] }),
      ...service({ name: 'app', endpoints: [backend.port] }),
    ];
  }

  async function answers(port: number): Promise<boolean> {
    try {
      return (await call(port)).status === 200;
    } catch {
      return false;
    }
  }

  it('a listener is added and removed under load, the other one does not notice', async () => {
    const load = new Load(kept);
    load.start(3, 1);
    for (let i = 0; i < 5; i++) {
      await waypoint.write('a.yaml', objects([kept, other]));
      await eventually(() => answers(other), 'the new listener', 3000);
      await waypoint.write('a.yaml', objects([kept]));
      await eventually(async () => !(await answers(other)), 'the listener to go', 3000);
    }
    await load.stop();
    assert.deepEqual(load.failures, []);
  });

  it('a connection of a removed listener finishes its request', async () => {
    await waypoint.write('a.yaml', objects([kept, other]));
    await eventually(() => answers(other), 'the new listener', 3000);
    const { script } = backend;
    const { promise, resolve } = Promise.withResolvers<void>();
    backend.script = (request) =>
      request.message.target === '/held' ? promise.then(() => request.respond({ body: 'done' })) : script(request);
    const client = await RawClient.connect(other);
    await client.send('GET /held HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually(() => backend.requests.some((request) => request.message.target === '/held'), 'the held request');
    await waypoint.write('a.yaml', objects([kept]));
    await eventually(async () => !(await answers(other)), 'the listener to go', 3000);
    resolve();
    assert.equal((await client.response()).body, 'done');
    backend.script = script;
    client.destroy();
  });

  it('a taken port is Programmed=False, the rest serves, and it is served when it is free', async () => {
    const taken = await freePort();
    const squatter = createServer().listen(taken, '127.0.0.1');
    await once(squatter, 'listening');
    await waypoint.write('a.yaml', objects([kept, taken]));
    const programmed = async (value: string): Promise<boolean> => {
      const page = JSON.parse((await waypoint.admin('/statuses')).body) as unknown;
      return conditionOf(page, `p${taken}`, 'Programmed') === value;
    };
    await eventually(() => programmed('False'), 'Programmed=False', 3000);
    assert.ok(await answers(kept));
    const closed = once(squatter, 'close');
    squatter.close();
    await closed;
    await eventually(() => answers(taken), 'the port to be served', 4000);
    await eventually(() => programmed('True'), 'Programmed=True', 3000);
  });
});

/** Finds the listener of this name anywhere in the page and reads one of its conditions. */
function conditionOf(page: unknown, listener: string, type: string): string | null {
  if (typeof page !== 'object' || page === null) return null;
  const object = page as { name?: unknown; conditions?: { type: string; status: string }[] };
  if (object.name === listener && Array.isArray(object.conditions)) {
    return object.conditions.find((condition) => condition.type === type)?.status ?? null;
  }
  for (const value of Object.values(page)) {
    const found = conditionOf(value, listener, type);
    if (found !== null) return found;
  }
  return null;
}
