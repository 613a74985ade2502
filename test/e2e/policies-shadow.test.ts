// Policies in mode Shadow: nothing changes, log and metric tell what would have; one field puts them in force.

import assert from 'node:assert/strict';
import { echoed } from '../harness/echoed.ts';
import { PolicyWorld, SERVICE, trafficPolicy } from '../harness/policy-world.ts';
import { echo, type Script } from '../harness/scripted-backend.ts';
import { eventually } from '../harness/signal.ts';

const unavailable: Script = (request) => request.respond({ status: 503 });

interface Row {
  readonly name: string;
  readonly spec: Record<string, unknown>;
  readonly script?: Script;
  /** Statuses of the requests in order, in mode Shadow and in force. */
  readonly shadow: readonly number[];
  readonly enforced: readonly number[];
  /** The log field of the last request in mode Shadow. */
  readonly told: RegExp;
  readonly kind: string;
}

const ROWS: readonly Row[] = [
  {
    name: 'fault abort',
    spec: { fault: { abort: { httpStatus: 418, percent: 100 } } },
    shadow: [200, 200],
    enforced: [418, 418],
    told: /^fault:abort_418$/,
    kind: 'fault',
  },
  {
    name: 'fault delay',
    spec: { fault: { delay: { duration: '40ms', percent: 100 } } },
    shadow: [200],
    enforced: [200],
    told: /^fault:delay_40ms$/,
    kind: 'fault',
  },
  {
    name: 'rate limit',
    spec: { rateLimit: { local: [{ requests: 1, per: '1h' }] } },
    shadow: [200, 200, 200],
    enforced: [200, 429, 429],
    told: /^rate_limit:rate_limited$/,
    kind: 'rate_limit',
  },
  {
    name: 'retry of what would not be repeated',
    spec: { retry: { on: ['5xx'] } },
    script: (request) =>
      request.message.get('x-waypoint-attempt-count') === '1' ? unavailable(request) : echo(request),
    shadow: [503],
    enforced: [200],
    told: /^retry:server_error$/,
    kind: 'retry',
  },
  {
    name: 'no retry of what would be',
    spec: { retry: { attempts: 0 } },
    script: (request) =>
      request.connection.requests.length === 1 || request.message.get('x-waypoint-attempt-count') !== '1'
        ? echo(request)
        : (request.connection.socket.resetAndDestroy() as unknown as undefined),
    shadow: [200, 200],
    enforced: [200, 503],
    told: /^no_retry:retries_disabled$/,
    kind: 'no_retry',
  },
];

describe('policies: mode Shadow', () => {
  for (const { name, spec, script = echo, shadow, enforced, told, kind } of ROWS) {
    it(`${name}: told, and in force once it is promoted`, async () => {
      const world = await PolicyWorld.start({ policy: { ...spec, mode: 'Shadow' }, script });
      try {
        const ask = async (count: number): Promise<number[]> => {
          const statuses: number[] = [];
          for (let i = 1; i < count; i++) statuses.push((await world.call()).status);
          return statuses;
        };
        const seen = await ask(shadow.length);
        const { answer, entry } = await world.logged();
        assert.deepEqual([...seen, answer.status], shadow);
        assert.match(String(entry['shadow']), told);
        assert.ok((await world.metric('waypoint_shadow_decisions_total', new RegExp(`"${kind}"`))) >= 1);
        for (const { open } of world.backends) for (const { socket } of open) socket.destroy();
        await world.policy({ ...spec, mode: 'Enforce' });
        const after = await ask(enforced.length);
        const last = await world.logged();
        assert.deepEqual([...after, last.answer.status], enforced);
        assert.equal(last.entry['shadow'], undefined);
      } finally {
        await world.close();
      }
    });
  }

  it('circuit limits', async () => {
    const spec = { circuitBreaker: { maxRequests: 1 } };
    const world = await PolicyWorld.start({ policy: { ...spec, mode: 'Shadow' }, script: () => {} });
    try {
      const first = world.logged();
      const held = await world.backend.request(0);
      const second = world.logged();
      await echo(await world.backend.request(1));
      await echo(held);
      assert.equal((await second).entry['shadow'], 'circuit_breaker:max_requests');
      assert.deepEqual([(await first).answer.status, (await second).answer.status], [200, 200]);
      assert.equal((await first).entry['shadow'], undefined);
      assert.equal(await world.metric('waypoint_shadow_decisions_total', /"circuit_breaker"/), 1);
      await world.policy(spec);
      const third = world.call();
      const waiting = await world.backend.request(2);
      assert.equal((await world.call()).status, 503);
      await echo(waiting);
      await third;
    } finally {
      await world.close();
    }
  });

  it('connections', async () => {
    const spec = { connections: { maxRequestsPerConnection: 1 } };
    const world = await PolicyWorld.start({ policy: { ...spec, mode: 'Shadow' } });
    try {
      assert.equal((await world.logged()).entry['shadow'], 'connections:close_worn_out');
      await world.call();
      assert.equal(world.backend.open.size, 1, 'it is not closed');
      await world.policy(spec);
      await world.call();
      await eventually(() => world.backend.open.size === 0, 'the connection to be closed');
    } finally {
      await world.close();
    }
  });

  it('load balancing', async () => {
    const spec = { loadBalancing: { algorithm: 'ConsistentHash', consistentHash: { header: 'x-user' } } };
    const world = await PolicyWorld.start({ backends: 3 });
    try {
      const route = { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'all' };
      const put = async (mode: string): Promise<void> =>
        world.waypoint.apply('balancing.yaml', [trafficPolicy('balancing', route, { ...spec, mode })]);
      await put('Shadow');
      const call = { fields: [['x-user', 'one']] } as const;
      const ports = new Set<number>();
      for (let i = 0; i < 60; i++) ports.add(echoed(await world.call(call)).backend);
      assert.ok(ports.size > 1, 'requests are spread as before');
      const [entry] = await world.waypoint.log.find((one) => one['shadow'] !== undefined);
      assert.match(String(entry?.['shadow']), /^load_balancing:127\.0\.0\.1:\d+$/);
      assert.ok((await world.metric('waypoint_shadow_decisions_total', /"load_balancing"/)) > 0);
      await put('Enforce');
      ports.clear();
      for (let i = 0; i < 20; i++) ports.add(echoed(await world.call(call)).backend);
      assert.equal(ports.size, 1);
    } finally {
      await world.close();
    }
  });

  it('outlier detection', async () => {
    const off = { outlierDetection: { consecutive5xx: 0 } };
    const spec = { outlierDetection: { consecutive5xx: 2 }, loadBalancing: { algorithm: 'RoundRobin' } };
    const world = await PolicyWorld.start({ backends: 3, policy: { ...spec, mode: 'Shadow' } });
    try {
      await world.waypoint.apply('edge.yaml', [
        trafficPolicy('edge', { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'edge' }, off),
      ]);
      world.backend.script = unavailable;
      // PeakEWMA holds here: it avoids what fails, and comes back to it.
      await eventually(async () => {
        await world.call();
        return world.backend.requests.length >= 3;
      }, 'three failures');
      const [report] = await world.reports(world.backend.port);
      assert.deepEqual([report?.['ejectedForMs'], report?.['ejections']], [0, 0]);
      await eventually(
        async () => (await world.metric('waypoint_shadow_decisions_total', /"outlier_detection"/)) >= 1,
        'the ejection to be counted',
      );
      await world.policy(spec);
      await eventually(async () => {
        await world.call();
        return Number((await world.reports(world.backend.port))[0]?.['ejections']) > 0;
      }, 'it to be left out');
    } finally {
      await world.close();
    }
  });

  it('health checks', async () => {
    const spec = {
      healthCheck: { http: { path: '/healthz' }, interval: '40ms', timeout: '40ms', unhealthyThreshold: 2 },
    };
    const world = await PolicyWorld.start({
      policy: { ...spec, mode: 'Shadow' },
      backends: 2,
      settings: { logLevel: 'info' },
    });
    try {
      world.backend.script = (request) =>
        request.message.target === '/healthz' ? unavailable(request) : echo(request);
      const told = new RegExp(`shadow: .*${world.backend.port} would be unhealthy`);
      await eventually(() => world.waypoint.messages.some((message) => told.test(message)), 'the verdict to be told');
      assert.ok((await world.reports(world.backend.port)).every(({ healthy }) => healthy === true));
      await world.policy(spec);
      await eventually(
        async () => (await world.reports(world.backend.port)).some(({ healthy }) => healthy === false),
        'it to be unhealthy',
      );
    } finally {
      await world.close();
    }
  });

  it('the status says that it only watches', async () => {
    const world = await PolicyWorld.start();
    try {
      await world.waypoint.write('p.yaml', [trafficPolicy('p', SERVICE, { retry: { attempts: 1 }, mode: 'Shadow' })]);
      const page = async (): Promise<string> => (await world.waypoint.admin('/statuses')).body;
      await eventually(async () => (await page()).includes('waypoint.dev/Shadow'), 'a condition of its own');
    } finally {
      await world.close();
    }
  });
});
