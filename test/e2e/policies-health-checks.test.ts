// Active checks: whoever fails them gets no requests until it passes again; made once for all workers.

import assert from 'node:assert/strict';
import { PolicyWorld } from '../harness/policy-world.ts';
import { echo, ScriptedBackend } from '../harness/scripted-backend.ts';
import { eventually } from '../harness/signal.ts';

const EVERY = { interval: '60ms', timeout: '50ms', unhealthyThreshold: 2, healthyThreshold: 2 };

/** Waits until twelve calls in a row reach this backend, or do not. */
async function untilUsed(world: PolicyWorld, backend: () => number, used: boolean): Promise<void> {
  await eventually(
    async () => {
      const before = backend();
      for (let i = 0; i < 12; i++) await world.call({ path: '/work' });
      return backend() > before === used;
    },
    `requests ${used ? '' : 'not '}to reach it`,
  );
}

describe('policies: active health checks', () => {
  for (const workers of [1, 2]) {
    it(`http, ${workers} workers: unhealthy by status or silence, healthy again, asked once for all`, async () => {
      let health: 'ok' | 'sick' | 'silent' = 'ok';
      const world = await PolicyWorld.start({
        backends: 2,
        policy: { healthCheck: { http: { path: '/healthz', expectedStatuses: [204] }, ...EVERY } },
        settings: { workers },
        script: (request) => request.respond({ status: request.message.target === '/healthz' ? 204 : 200 }),
      });
      try {
        let checks = 0;
        const { backend } = world;
        const work = (): number => backend.requests.filter(({ message }) => message.target === '/work').length;
        backend.script = (request) => {
          if (request.message.target !== '/healthz') return request.respond();
          checks++;
          if (health !== 'silent') return request.respond({ status: health === 'ok' ? 204 : 500 });
        };
        await untilUsed(world, work, true);
        for (const fault of ['sick', 'silent'] as const) {
          health = fault;
          await eventually(
            async () => (await world.reports(backend.port)).every(({ healthy }) => healthy === false),
            `every worker to know that it is ${fault}`,
          );
          await untilUsed(world, work, false);
          health = 'ok';
          await untilUsed(world, work, true);
        }
        const [from, began] = [checks, performance.now()];
        await eventually(() => checks >= from + 5, 'five checks');
        assert.ok(performance.now() - began >= 5 * 54 - 60, 'workers do not check for themselves');
        const check = backend.requests.find(({ message }) => message.target === '/healthz');
        assert.equal(check?.message.get('user-agent'), 'waypoint-health-check');
      } finally {
        await world.close();
      }
    });
  }

  it('tcp: a port that is closed and opened again', async () => {
    const world = await PolicyWorld.start({ backends: 1, policy: { healthCheck: { tcp: {}, ...EVERY } } });
    const flapping = await ScriptedBackend.start(echo, 'flapping');
    const { port } = flapping;
    try {
      await world.endpoints([{ port: world.backend.port }, { port }]);
      await untilUsed(world, () => flapping.requests.length, true);
      await flapping.close();
      await eventually(async () => (await world.reports(port)).some(({ healthy }) => healthy === false), 'unhealthy');
      const retries = await world.metric('waypoint_retries_total');
      for (let i = 0; i < 20; i++) assert.equal((await world.call()).status, 200);
      assert.equal(await world.metric('waypoint_retries_total'), retries, 'nobody tried it');
      const again = await ScriptedBackend.start(echo, 'again', port);
      await untilUsed(world, () => again.requests.length, true);
      await again.close();
    } finally {
      await world.close();
    }
  });

  it('without checks again every endpoint is healthy', async () => {
    const policy = { healthCheck: { http: { path: '/healthz' }, ...EVERY } };
    const world = await PolicyWorld.start({ backends: 2, policy });
    try {
      world.backend.script = (request) =>
        request.respond({ status: request.message.target === '/healthz' ? 500 : 200 });
      const work = (): number => world.backend.requests.filter(({ message }) => message.target === '/work').length;
      await untilUsed(world, work, false);
      await world.policy(null);
      await untilUsed(world, work, true);
    } finally {
      await world.close();
    }
  });
});
