// The endpoints page under load: what is under way, what it costs, who is left out and why, what is left of the budgets.

import assert from 'node:assert/strict';
import { call } from '../harness/call.ts';
import type { Manifest } from '../harness/manifests.ts';
import type { BackendRequest } from '../harness/scripted-backend.ts';
import { eventually } from '../harness/signal.ts';
import { World } from '../harness/world.ts';

interface Page {
  readonly circuit: Readonly<Record<string, { readonly now: number; readonly limit: number }>>;
  readonly waiting: number;
  readonly retryBudget: { readonly requests: number; readonly retries: number; readonly left: number };
  readonly panicking: boolean;
  readonly endpoints: readonly Readonly<Record<string, unknown>>[];
}

const POLICY: Manifest = {
  apiVersion: 'waypoint.dev/v1alpha1',
  kind: 'TrafficPolicy',
  metadata: { name: 'app', namespace: 'default' },
  spec: {
    targetRefs: [{ group: '', kind: 'Service', name: 'app' }],
    circuitBreaker: { maxConnections: 1, maxRequests: 7 },
    outlierDetection: { consecutive5xx: 2 },
  },
};

describe('the endpoints page', () => {
  let world: World;
  let held: BackendRequest | null = null;

  before(async () => {
    const script = async (request: BackendRequest): Promise<void> => {
      if (request.message.startLine.includes('/held')) held = request;
      else await request.respond({ status: 500 });
    };
    world = await World.start(script, { workers: 2 }, [POLICY]);
  });
  after(() => world.close());

  async function page(): Promise<Page> {
    const { status, body } = await world.waypoint.admin('/endpoints?backend=default/app:80');
    assert.equal(status, 200);
    return (JSON.parse(body) as Record<string, Page>)['default/app:80'] as Page;
  }

  it('shows what is under way, with its limits', async () => {
    const first = call(world.port, { path: '/held' });
    await eventually(() => held !== null, 'the request to arrive');
    const { circuit, waiting, endpoints, panicking } = await page();
    assert.deepEqual(circuit, {
      requests: { now: 1, limit: 7 },
      pending: { now: 0, limit: 1024 },
      connections: { now: 1, limit: 1 },
      retries: { now: 0, limit: 3 },
    });
    assert.deepEqual([waiting, panicking], [0, false]);
    const [endpoint] = endpoints;
    assert.deepEqual([endpoint?.['inFlight'], endpoint?.['takesRequests'], endpoint?.['healthy']], [1, true, true]);
    // 30 ms for an endpoint nobody has heard of, which fade, times two.
    assert.ok((endpoint?.['cost'] as number) > 0 && (endpoint?.['cost'] as number) <= 60, String(endpoint?.['cost']));
    await (held as BackendRequest | null)?.respond();
    await first;
  });

  it('shows who is left out, and why', async () => {
    for (let i = 0; i < 4; i++) await call(world.port);
    await eventually(async () => (await page()).endpoints[0]?.['ejections'] !== 0, 'the ejection');
    const { endpoints, panicking, retryBudget } = await page();
    const [endpoint] = endpoints;
    assert.match(String(endpoint?.['ejectionCause']), /^consecutive_5xx$/);
    assert.ok((endpoint?.['ejectedForMs'] as number) > 20_000);
    assert.ok((endpoint?.['cost'] as number) > 100, 'fast failures cost');
    // It is the only one.
    assert.deepEqual([panicking, endpoint?.['takesRequests']], [true, true]);
    assert.equal(retryBudget.requests, 5);
    assert.ok(retryBudget.left >= 10);
  });

  it('does not know other backends', async () => {
    const { status, body } = await world.waypoint.admin('/endpoints?backend=default/nobody:80');
    assert.deepEqual(
      [status, body],
      [404, "no backend 'default/nobody:80' has endpoints; /endpoints shows those that do\n"],
    );
  });
});
