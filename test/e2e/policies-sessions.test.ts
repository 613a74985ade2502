// Session persistence: who brings its token comes back to its endpoint, whatever weights and reloads say; forgeries count for nothing.

import assert from 'node:assert/strict';
import type { Answered } from '../harness/call.ts';
import { echoed } from '../harness/echoed.ts';
import { backendRef, service } from '../harness/manifests.ts';
import { PolicyWorld } from '../harness/policy-world.ts';
import { echo, ScriptedBackend } from '../harness/scripted-backend.ts';

type Field = readonly [name: string, value: string];

const COOKIE = { sessionPersistence: { sessionName: 'pin' } };
const HEADER = { sessionPersistence: { sessionName: 'x-pin', type: 'Header' } };

/** What the client sends from now on; null: it was told nothing. */
function tokenOf(answer: Answered, type: 'Cookie' | 'Header'): Field | null {
  if (type === 'Header') {
    const value = answer.message.get('x-pin');
    return value === undefined ? null : ['x-pin', value];
  }
  const cookie = answer.message.get('set-cookie');
  return cookie === undefined ? null : ['cookie', `other=1; ${cookie.split(';', 1)[0]}`];
}

async function asked(world: PolicyWorld, count: number, fields: readonly Field[]): Promise<number[]> {
  const ports = new Set<number>();
  for (let i = 0; i < count; i++) ports.add(echoed(await world.call({ fields })).backend);
  return [...ports];
}

for (const [type, rule] of [
  ['Cookie', COOKIE],
  ['Header', HEADER],
] as const) {
  describe(`policies: sessions by ${type.toLowerCase()}`, () => {
    let world: PolicyWorld;
    let canary: ScriptedBackend;
    const shares = (app: number, other: number): { backendRefs: unknown[] } => ({
      backendRefs: [backendRef('app', { weight: app }), backendRef('canary', { weight: other })],
    });

    before(async () => {
      canary = await ScriptedBackend.start(echo, 'canary');
      world = await PolicyWorld.start({
        backends: 4,
        rule: { ...rule, ...shares(1, 0) },
        objects: service({ name: 'canary', endpoints: [canary.port] }),
      });
    });
    after(async () => {
      await world.close();
      await canary.close();
    });

    /** A session at the endpoint that answers first. */
    async function begun(): Promise<{ readonly token: Field; readonly port: number }> {
      const answer = await world.call();
      const token = tokenOf(answer, type);
      assert.ok(token !== null, 'a first answer carries a token');
      return { token, port: echoed(answer).backend };
    }

    it('the token leads back to its endpoint, which is not told it anew', async () => {
      const { token, port } = await begun();
      assert.deepEqual(await asked(world, 20, [token]), [port]);
      assert.equal(tokenOf(await world.call({ fields: [token] }), type), null);
      assert.ok(!token[1].includes(String(port)), 'it says nothing of the endpoint');
      if (type === 'Cookie') {
        const made = (await world.call()).message.get('set-cookie') ?? '';
        assert.match(made, /^pin=[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/);
      }
    });

    it('clients without one are spread', async () => {
      assert.ok((await asked(world, 40, [])).length > 1);
    });

    it('survives a reload, a weight of 0, and a terminating endpoint', async () => {
      const { token, port } = await begun();
      await world.endpoints([...world.backends].reverse().map((one) => ({ port: one.port })));
      assert.deepEqual(await asked(world, 8, [token]), [port], 'a reload');
      await world.rule({ ...rule, ...shares(0, 1) });
      assert.deepEqual(await asked(world, 8, [token]), [port], 'weight 0');
      assert.deepEqual(await asked(world, 8, []), [canary.port], 'new clients follow the weight');
      await world.rule({ ...rule, ...shares(1, 0) });
      const conditions = { ready: false, serving: true, terminating: true };
      const all = world.backends.map((one) => (one.port === port ? { port, conditions } : { port: one.port }));
      await world.endpoints(all);
      assert.deepEqual(await asked(world, 8, [token]), [port], 'while it serves');
      await world.endpoints(all.filter((one) => one.port !== port));
      const moved = await world.call({ fields: [token] });
      assert.notEqual(echoed(moved).backend, port);
      const next = tokenOf(moved, type);
      assert.ok(next !== null, 'it is given a new one');
      assert.deepEqual(await asked(world, 8, [next]), [echoed(moved).backend]);
      await world.endpoints(world.backends.map((one) => ({ port: one.port })));
    });

    it('what was not made here is ignored, and answered with a new one', async () => {
      const { token } = await begun();
      const [name, value] = token;
      const start = type === 'Cookie' ? value.indexOf('pin=') + 4 : 0;
      const text = value.slice(start);
      const flipped = text[text.length - 2] === 'A' ? 'B' : 'A';
      for (const forged of [
        '',
        'x',
        '127.0.0.1:1',
        text.slice(0, -1),
        `${text}A`,
        `${text.slice(0, -2)}${flipped}${text.slice(-1)}`,
        `${text[0] === 'A' ? 'B' : 'A'}${text.slice(1)}`,
        Buffer.from('shop/app:80 127.0.0.1:1').toString('base64url'),
        'A'.repeat(4000),
      ]) {
        const answer = await world.call({ fields: [[name, value.slice(0, start) + forged]] });
        assert.equal(answer.status, 200);
        assert.notEqual(tokenOf(answer, type), null, `${forged} is no session`);
      }
    });

    it('of two tokens the genuine one counts', async () => {
      const { token, port } = await begun();
      if (type === 'Cookie') assert.deepEqual(await asked(world, 8, [['cookie', `pin=forged; ${token[1]}`]]), [port]);
      else assert.deepEqual(await asked(world, 8, [['x-pin', 'forged'], token]), [port]);
    });
  });
}

describe('policies: how long sessions last', () => {
  it('an absolute timeout ends them, a permanent cookie says when', async () => {
    const sessionPersistence = {
      sessionName: 'pin',
      absoluteTimeout: '1s',
      cookieConfig: { lifetimeType: 'Permanent' },
    };
    const world = await PolicyWorld.start({ backends: 2, rule: { sessionPersistence } });
    try {
      const answer = await world.call();
      assert.match(answer.message.get('set-cookie') ?? '', /; Max-Age=1;/);
      const token = tokenOf(answer, 'Cookie') as Field;
      const began = performance.now();
      while (tokenOf(await world.call({ fields: [token] }), 'Cookie') === null)
        assert.ok(performance.now() - began < 1500, 'it is still valid');
      assert.ok(performance.now() - began > 900);
    } finally {
      await world.close();
    }
  });

  it('a token of another waypoint is ignored unless they share a key', async () => {
    const key = (letter: string): { sessionKey: string } => ({ sessionKey: letter.repeat(32) });
    const first = await PolicyWorld.start({ rule: COOKIE, backends: 3, settings: key('a') });
    const all = first.backends.map(({ port }) => port);
    const answer = await first.call();
    const token = tokenOf(answer, 'Cookie') as Field;
    await first.waypoint.close();
    try {
      for (const [settings, known] of [
        [key('a'), true],
        [key('b'), false],
      ] as const) {
        const other = await PolicyWorld.start({ rule: COOKIE, backends: 0, dead: all, settings });
        try {
          assert.equal(tokenOf(await other.call({ fields: [token] }), 'Cookie') === null, known);
          if (known) assert.deepEqual(await asked(other, 8, [token]), [echoed(answer).backend]);
        } finally {
          await other.close();
        }
      }
    } finally {
      await Promise.all(first.backends.map((backend) => backend.close()));
    }
  });
});
