// Endpoints that die or fail without any word from discovery: requests do not notice, and they are left out soon.

import assert from 'node:assert/strict';
import { BlackHole } from '../harness/black-hole.ts';
import { PolicyWorld } from '../harness/policy-world.ts';
import { RawClient } from '../harness/raw-client.ts';
import { echo, type ScriptedBackend } from '../harness/scripted-backend.ts';
import { eventually } from '../harness/signal.ts';

const GET = 'GET / HTTP/1.1\r\nHost: test.example\r\n\r\n';

/** Steady GETs on kept connections. */
class Gets {
  served = 0;
  failed = 0;
  #running = true;
  readonly #lanes: Promise<unknown>;

  constructor(port: number, lanes: number = 6) {
    this.#lanes = Promise.all(Array.from({ length: lanes }, () => this.#lane(port)));
  }

  async more(count: number): Promise<void> {
    const until = this.served + this.failed + count;
    await eventually(() => this.served + this.failed >= until, `${count} more requests`, 10_000);
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#lanes;
  }

  async #lane(port: number): Promise<void> {
    const client = await RawClient.connect(port);
    while (this.#running) {
      await client.send(GET);
      const { status } = await client.response();
      if (status === 200) this.served++;
      else this.failed++;
    }
    client.destroy();
  }
}

async function untilEjected(world: PolicyWorld, port: number, timeoutMs: number): Promise<Record<string, unknown>> {
  return eventually(
    async () => (await world.reports(port)).find((report) => Number(report['ejectedForMs']) > 0) ?? null,
    `${port} to be ejected`,
    timeoutMs,
  );
}

const unavailable = (request: Parameters<typeof echo>[0]): Promise<void> => request.respond({ status: 503 });

describe('policies: an endpoint that dies without any update', () => {
  it('its connections are reset and new ones refused: no GET fails, ejected within 2 s', async () => {
    const world = await PolicyWorld.start({ backends: 3 });
    const dying = world.backend;
    const { port } = dying;
    try {
      const gets = new Gets(world.port);
      await gets.more(300);
      for (const connection of dying.open) connection.socket.resetAndDestroy();
      await dying.close();
      const report = await untilEjected(world, port, 2000);
      assert.equal(report['ejectionCause'], 'consecutive_local_origin');
      await gets.more(2000);
      await gets.stop();
      assert.equal(gets.failed, 0);
    } finally {
      await world.waypoint.close();
      await Promise.all(world.backends.slice(1).map((backend) => backend.close()));
    }
  });

  it('it takes requests and is silent: no GET fails where tries are limited, ejected within 2 s', async () => {
    const world = await PolicyWorld.start({
      backends: 3,
      policy: { retry: { attempts: 2, perTryTimeout: '100ms' }, circuitBreaker: { maxRetries: 50 } },
    });
    try {
      const gets = new Gets(world.port);
      await gets.more(300);
      world.backend.script = () => {};
      await untilEjected(world, world.backend.port, 2000);
      await gets.more(2000);
      await gets.stop();
      assert.equal(gets.failed, 0);
    } finally {
      await world.close();
    }
  });

  it('connecting to it never ends: no GET fails, ejected within 2 s', async () => {
    const hole = await BlackHole.start();
    const world = await PolicyWorld.start({
      backends: 3,
      dead: [hole.port],
      policy: { connections: { connectTimeout: '100ms' } },
    });
    try {
      const gets = new Gets(world.port);
      await untilEjected(world, hole.port, 2000);
      await gets.more(2000);
      await gets.stop();
      assert.equal(gets.failed, 0);
      assert.ok((await world.metric('waypoint_ejections_total', /consecutive_local_origin/)) >= 1);
    } finally {
      await world.close();
      await hole.close();
    }
  });
});

describe('policies: an endpoint that answers with failures', () => {
  const outlierDetection = { consecutive5xx: 3, interval: '60s', baseEjectionTime: '150ms' };

  it('is left out after so many in a row, for longer each time, and used again in between', async () => {
    const world = await PolicyWorld.start({
      backends: 2,
      policy: { outlierDetection, loadBalancing: { algorithm: 'RoundRobin' } },
    });
    try {
      world.backend.script = unavailable;
      const rounds: number[] = [];
      for (const [round, lasts] of [150, 300].entries()) {
        const before = world.backend.requests.length;
        while (world.backend.requests.length < before + 3) await world.call();
        const began = performance.now();
        const report = await untilEjected(world, world.backend.port, 1000);
        assert.deepEqual([report['ejections'], report['ejectionCause']], [round + 1, 'consecutive_5xx']);
        while (world.backend.requests.length === before + 3) await world.call();
        rounds.push(performance.now() - began);
        const took = rounds[round] as number;
        assert.ok(took >= lasts - 20 && took < lasts + 120, `left out for ${took} ms instead of ${lasts}`);
        await echoOnce(world);
      }
    } finally {
      await world.close();
    }
  });

  for (const [panicThresholdPercent, expected] of [
    [0, [false, false, false, true]],
    [50, [true, true, true, true]],
  ] as const) {
    it(`three of four fail; below a panic threshold of ${panicThresholdPercent} % health is ignored`, async () => {
      const outliers = { ...outlierDetection, baseEjectionTime: '60s', maxEjectionPercent: 100, panicThresholdPercent };
      const policy = { outlierDetection: outliers, loadBalancing: { algorithm: 'RoundRobin' } };
      const world = await PolicyWorld.start({ backends: 4, policy });
      try {
        for (const backend of world.backends.slice(0, 3)) backend.script = unavailable;
        for (const { port } of world.backends.slice(0, 3)) {
          while (!(await world.reports(port)).some((report) => Number(report['ejectedForMs']) > 0))
            for (let i = 0; i < 4; i++) await world.call();
        }
        const before = world.arrived;
        for (let i = 0; i < 16; i++) await world.call();
        assert.deepEqual(
          world.arrived.map((count, i) => count > (before[i] as number)),
          expected,
        );
      } finally {
        await world.close();
      }
    });
  }

  it('one flapping pod of four: fewer failures than by a plain round robin', async () => {
    const share = async (policy: Record<string, unknown>): Promise<number> => {
      const world = await PolicyWorld.start({ backends: 4, policy });
      try {
        world.backend.script = (request) =>
          Math.floor(performance.now() / 400) % 2 === 0 ? unavailable(request) : echo(request);
        const gets = new Gets(world.port, 4);
        const until = performance.now() + 1200;
        await eventually(() => performance.now() > until, 'two flaps');
        await gets.stop();
        return gets.failed / (gets.served + gets.failed);
      } finally {
        await world.close();
      }
    };
    const plain = await share({ loadBalancing: { algorithm: 'RoundRobin' }, outlierDetection: { consecutive5xx: 0 } });
    const aware = await share({ outlierDetection: { consecutive5xx: 5 } });
    console.log(
      `      failures: ${(100 * plain).toFixed(2)} % by round robin, ${(100 * aware).toFixed(2)} % health-aware`,
    );
    assert.ok(aware < plain / 4, `${aware} against ${plain}`);
  });
});

/** The failing endpoint's count in a row starts anew. */
async function echoOnce(world: PolicyWorld): Promise<void> {
  const { backend } = world;
  const before = backend.requests.length;
  backend.script = echo;
  while (backend.requests.length === before) await world.call();
  backend.script = unavailable;
}

describe('policies: what one worker finds out', () => {
  it('an ejection reaches the other worker', async () => {
    const world = await PolicyWorld.start({
      backends: 3,
      policy: { outlierDetection: { consecutive5xx: 5 }, loadBalancing: { algorithm: 'RoundRobin' } },
      settings: { workers: 2, logLevel: 'warn' },
    });
    try {
      world.backend.script = unavailable;
      const client = await RawClient.connect(world.port);
      while (!world.waypoint.messages.some((message) => message.includes('left out'))) {
        await client.send(GET);
        await client.response();
      }
      client.destroy();
      const failing: ScriptedBackend = world.backend;
      const seen = failing.requests.length;
      await eventually(async () => {
        const before = failing.requests.length;
        for (let i = 0; i < 24; i++) await world.call();
        return failing.requests.length === before;
      }, 'both workers to leave it out');
      assert.ok(failing.requests.length < seen + 5, 'the other worker did not have to find out itself');
    } finally {
      await world.close();
    }
  });
});
