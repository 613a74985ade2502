// A port of its own for each port of an enrolled Service: what arrives there is for that Service, over restarts too; and no loops.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Answered, call } from '../harness/call.ts';
import { endpointSlice, gateway, gatewayClass, type Manifest, service } from '../harness/manifests.ts';
import { freePort } from '../harness/ports.ts';
import { ScriptedBackend } from '../harness/scripted-backend.ts';
import { eventually } from '../harness/signal.ts';
import { type Settings, Waypoint } from '../harness/waypoint.ts';

const LABELS = { 'waypoint.dev/use-waypoint': 'shop' };
/** Where the waypoint listens: ports of Services are free there, whatever else runs. */
const HOME = `127.${64 + (process.pid % 60)}.${process.pid % 250}.200`;
const RANGE = { from: 20_000, to: 29_999 };

class Ported {
  readonly backends: ReadonlyMap<string, ScriptedBackend>;
  readonly shared: number;
  waypoint!: Waypoint;

  private constructor(backends: ReadonlyMap<string, ScriptedBackend>, shared: number) {
    this.backends = backends;
    this.shared = shared;
  }

  static async start(names: readonly string[], settings: Settings = {}): Promise<Ported> {
    const backends = new Map<string, ScriptedBackend>();
    for (const name of ['orders', 'catalog', 'stock']) backends.set(name, await ScriptedBackend.start(undefined, name));
    const world = new Ported(backends, await freePort(HOME));
    await world.restart(names, settings);
    return world;
  }

  async restart(names: readonly string[], settings: Settings = {}): Promise<void> {
    this.waypoint = await Waypoint.start(
      { 'gateway.yaml': [gatewayClass(), gateway('shop', [{ port: this.shared }])], 'shop.yaml': this.services(names) },
      { bind: HOME, servicePorts: RANGE, ...settings },
    );
  }

  services(names: readonly string[], clusterIP: string = ''): Manifest[] {
    return names.flatMap((name) =>
      service({
        name,
        labels: LABELS,
        endpoints: [(this.backends.get(name) as ScriptedBackend).port],
        ...(clusterIP === '' ? {} : { clusterIP }),
      }),
    );
  }

  /** As its status says. */
  async portOf(name: string): Promise<number> {
    const { body } = await this.waypoint.admin('/statuses');
    const line = new RegExp(`for port 80 at ${HOME.replaceAll('.', '\\.')}:(\\d+)`);
    const statuses = JSON.stringify(JSON.parse(body)[`Service/default/${name}`]);
    const found = line.exec(statuses);
    assert.ok(found !== null, statuses);
    return Number(found[1]);
  }

  async who(answer: Answered): Promise<string | number> {
    if (answer.status !== 200) return answer.status;
    const { backend } = JSON.parse(answer.body) as { backend: number };
    return [...this.backends.values()].find(({ port }) => port === backend)?.name ?? 'nobody';
  }

  async ask(name: string, host: string = 'lies.example'): Promise<string | number> {
    return this.who(await call(await this.portOf(name), { host }, HOME));
  }

  async close(): Promise<void> {
    await this.waypoint.close();
    for (const backend of this.backends.values()) await backend.close();
  }
}

describe('ports of Services', () => {
  it('lead to their Service, whatever a request says', async () => {
    const world = await Ported.start(['orders', 'catalog']);
    try {
      assert.equal(await world.ask('orders', 'catalog.default'), 'orders');
      assert.equal(await world.ask('catalog', 'orders.default'), 'catalog');
      const before = await world.portOf('orders');
      await world.waypoint.apply('shop.yaml', world.services(['stock', 'orders', 'catalog']));
      assert.equal(await world.portOf('orders'), before);
      assert.equal(await world.ask('stock'), 'stock');
      await world.waypoint.apply('shop.yaml', world.services(['catalog']));
      await assert.rejects(call(before, {}, HOME), /ECONNREFUSED/);
      await world.waypoint.apply('shop.yaml', world.services(['catalog', 'orders']));
      assert.equal(await world.portOf('orders'), before);
    } finally {
      await world.close();
    }
  });

  it('stay the same over a restart', async () => {
    const stateDir = mkdtempSync(join(tmpdir(), 'waypoint-ports-'));
    const world = await Ported.start(['orders', 'catalog'], { stateDir });
    try {
      // As if orders had got another one, long ago, by a collision.
      const file = join(stateDir, 'service-ports.json');
      const kept = JSON.parse(readFileSync(file, 'utf8')) as { assigned: Record<string, number>; released: unknown[] };
      const chosen = kept.assigned['default/orders:80'] === 23_456 ? 23_457 : 23_456;
      kept.assigned['default/orders:80'] = chosen;
      await world.waypoint.close();
      writeFileSync(file, JSON.stringify(kept));
      await world.restart(['stock', 'orders', 'catalog'], { stateDir });
      assert.equal(await world.portOf('orders'), chosen);
      assert.equal(await world.ask('orders'), 'orders');
      const { assigned } = JSON.parse(readFileSync(file, 'utf8')) as { assigned: Record<string, number> };
      assert.equal(assigned['default/stock:80'], await world.portOf('stock'));
    } finally {
      await world.close();
      rmSync(stateDir, { recursive: true });
    }
  });

  it('are told where one is taken, and served when it is free again', async () => {
    const world = await Ported.start(['orders']);
    const port = await world.portOf('orders');
    await world.waypoint.close();
    const squatter = createServer().listen(port, HOME);
    try {
      await world.restart(['orders', 'catalog']);
      const statuses = async (): Promise<string> => (await world.waypoint.admin('/statuses')).body;
      await eventually(async () => (await statuses()).includes(`listen ${HOME}:${port}: EADDRINUSE`), 'the condition');
      assert.equal(await world.ask('catalog'), 'catalog');
      squatter.close();
      await eventually(async () => !(await statuses()).includes('EADDRINUSE'), 'another try');
      // What is published now is listened on a moment later.
      await eventually(async () => (await world.ask('orders').catch(() => '')) === 'orders', 'the port to be served');
    } finally {
      squatter.close();
      await world.close();
    }
  });
});

describe('endpoints that lead back', () => {
  const loops: [name: string, address: string, port: (world: Ported) => Promise<number>, detail: RegExp][] = [
    ['our own shared port', HOME, async (world) => world.shared, /is an address of this waypoint/],
    ['the own port of a Service', HOME, async (world) => world.portOf('orders'), /is an address of this waypoint/],
    [
      'the address of an enrolled Service',
      '10.96.77.7',
      async () => 80,
      /is the address of Service default\/orders:80/,
    ],
  ];
  for (const [name, address, portOf, detail] of loops) {
    it(`are not dialled: ${name}`, async () => {
      const world = await Ported.start([]);
      try {
        await world.waypoint.apply('shop.yaml', world.services(['orders'], '10.96.77.7'));
        const [loop] = service({ name: 'loop', labels: LABELS, endpoints: [] });
        const slice = endpointSlice('loop-0', 'loop', 'default', {
          ports: [{ name: 'p0', port: await portOf(world) }],
          endpoints: [{ addresses: [address], conditions: { ready: true } }],
        });
        await world.waypoint.apply('loop.yaml', [loop!, slice]);
        assert.equal(await world.ask('orders'), 'orders');
        const arrived = (world.backends.get('orders') as ScriptedBackend).requests.length;
        assert.equal(await world.ask('loop'), 503);
        const entry = await world.waypoint.log.findOne(({ service: id }) => id === 'default/loop:80');
        assert.match(String(entry['detail']), detail);
        assert.equal((world.backends.get('orders') as ScriptedBackend).requests.length, arrived);
      } finally {
        await world.close();
      }
    });
  }
});
