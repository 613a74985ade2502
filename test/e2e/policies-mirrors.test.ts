// Mirrors that hang, reset, flood or are not there: the primary's answers, their order and their time do not change.

import assert from 'node:assert/strict';
import { type Call, call } from '../harness/call.ts';
import { echoed } from '../harness/echoed.ts';
import { backendRef, service } from '../harness/manifests.ts';
import { PolicyWorld } from '../harness/policy-world.ts';
import { type BackendRequest, type Script, ScriptedBackend } from '../harness/scripted-backend.ts';

const MIRROR = (name: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  type: 'RequestMirror',
  requestMirror: { backendRef: backendRef(name), ...more },
});
const FLOOD = Buffer.alloc(1_048_576, 'x');

/** Writes until it is cut off; the most it would send is 1 GB. */
async function flood(request: BackendRequest): Promise<void> {
  await request.send(`HTTP/1.1 200 OK\r\ncontent-length: ${FLOOD.length * 1000}\r\n\r\n`);
  for (let i = 0; i < 1000 && !request.connection.socket.destroyed; i++) await request.send(FLOOD);
}

const BEHAVIOURS: readonly (readonly [name: string, script: Script])[] = [
  ['hangs', () => {}],
  ['resets', (request) => request.connection.socket.resetAndDestroy() as unknown as undefined],
  ['floods', flood],
  ['answers 500', (request) => request.respond({ status: 500 })],
  ['sends nonsense', (request) => request.send('nonsense\r\n\r\n')],
];

describe('policies: mirrors', () => {
  let world: PolicyWorld;
  let mirror: ScriptedBackend;
  before(async () => {
    mirror = await ScriptedBackend.start(undefined, 'mirror');
    mirror.recording = false;
    world = await PolicyWorld.start({
      backends: 1,
      rule: { filters: [MIRROR('mirror')] },
      objects: service({ name: 'mirror', endpoints: [mirror.port] }),
    });
  });
  after(async () => {
    await world.close();
    await mirror.close();
  });

  /** Calls one after another; the slowest but one in twenty, in ms. */
  async function p95(count: number, request: Call): Promise<number> {
    const times: number[] = [];
    for (let i = 0; i < count; i++) {
      const began = performance.now();
      const answer = await call(world.port, request);
      times.push(performance.now() - began);
      assert.equal(answer.status, 200);
      assert.equal(echoed(answer).bodyBytes, request.body?.length ?? 0);
    }
    return times.toSorted((a, b) => a - b)[Math.floor(count * 0.95)] as number;
  }

  for (const [name, script] of BEHAVIOURS) {
    it(`one that ${name} changes nothing for the primary`, async () => {
      mirror.script = script;
      const before = world.backend.requests.length;
      const from = mirror.requests.length;
      const got = mirror.connections.reduce((sum, { socket }) => sum + socket.bytesWritten, 0);
      const took = await p95(40, { method: 'POST', body: 'order' });
      // Both share two cores with a mirror that does its worst; a wait for it would be of seconds.
      assert.ok(took < 250, `${took} ms`);
      assert.equal(world.backend.requests.length, before + 40);
      await mirror.request(from + 39);
      if (name === 'floods') {
        const sent = mirror.connections.reduce((sum, { socket }) => sum + socket.bytesWritten, 0) - got;
        assert.ok(sent < 40 * 16 * FLOOD.length, `${sent} bytes were taken`);
      }
      assert.equal(await world.metric('waypoint_retries_total'), 0, 'copies are not repeated');
      for (const connection of mirror.open) connection.socket.destroy();
    });
  }

  it('beyond their own limit copies are dropped and counted', async () => {
    mirror.script = () => {};
    const dropped = await world.metric('waypoint_mirror_requests_dropped_total', /too_many/);
    const from = mirror.requests.length;
    await Promise.all(Array.from({ length: 160 }, () => world.call()));
    assert.ok((await world.metric('waypoint_mirror_requests_dropped_total', /too_many/)) - dropped >= 32);
    assert.ok(mirror.requests.length - from <= 128);
    for (const connection of mirror.open) connection.socket.destroy();
  });

  it('several mirrors, each with its share; none of a request that a limit refuses', async () => {
    mirror.script = (request) => request.respond();
    await world.rule({
      filters: [MIRROR('mirror', { percent: 50 }), MIRROR('mirror', { fraction: { numerator: 1, denominator: 4 } })],
    });
    const from = mirror.requests.length;
    for (let i = 0; i < 200; i++) await world.call();
    const copies = mirror.requests.length - from;
    // 200 × 0.75 and five standard deviations.
    assert.ok(Math.abs(copies - 150) <= 47, `${copies} copies of 200`);
    await world.policy({ rateLimit: { local: [{ requests: 1, per: '1h' }] } });
    await world.rule({ filters: [MIRROR('mirror')] });
    const allowed = mirror.requests.length;
    const statuses = [];
    for (let i = 0; i < 5; i++) statuses.push((await world.call()).status);
    assert.deepEqual(statuses, [200, 429, 429, 429, 429]);
    await mirror.request(allowed);
    assert.equal(mirror.requests.length, allowed + 1);
    await world.policy(null);
  });
});
