// The admin pages of a running waypoint: readiness, metrics, the snapshot, statuses, endpoints; GET only.

import assert from 'node:assert/strict';
import { call } from '../harness/call.ts';
import { RawClient } from '../harness/raw-client.ts';
import { probe } from '../harness/verdict.ts';
import { World } from '../harness/world.ts';

describe('admin', () => {
  let world: World;
  before(async () => {
    world = await World.start();
    for (let i = 0; i < 3; i++) await probe(world);
    await call(world.port, { path: '/bad%' });
  });
  after(() => world.close());

  for (const [path, pattern] of [
    ['/ready', /./],
    ['/live', /./],
    ['/metrics', /^# TYPE http_server_request_duration_seconds histogram$/m],
    ['/config', /"default\/edge/],
    ['/statuses', /"Accepted"/],
    ['/endpoints', /"default\/app:80"/],
  ] as const) {
    it(`GET ${path}`, async () => {
      const answer = await world.waypoint.admin(path);
      assert.equal(answer.status, 200);
      assert.match(answer.body, pattern);
    });
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      it(`${method} ${path} → 405`, async () => {
        const answer = await world.waypoint.admin(path, method);
        assert.deepEqual([answer.status, /GET/.test(answer.message.get('allow') ?? '')], [405, true]);
      });
    }
  }

  it('an unknown page is 404', async () => {
    assert.equal((await world.waypoint.admin('/nothing')).status, 404);
  });

  it('metrics are well-formed Prometheus text and count the requests', async () => {
    const { body, message } = await world.waypoint.admin('/metrics');
    assert.match(message.get('content-type') ?? '', /^text\/plain/);
    const line =
      /^(#.*|[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\.)*",?)*\})? [-+]?(\d[\d.e+-]*|Inf|NaN)|)$/;
    for (const text of body.split('\n')) assert.match(text, line);
    const counts = [...body.matchAll(/^http_server_request_duration_seconds_count\{([^}]*)\} (\d+)$/gm)];
    const ok = counts
      .filter(([, labels]) => /status_(code="200"|class="2xx")/.test(labels ?? ''))
      .reduce((sum, match) => sum + Number(match[2]), 0);
    assert.ok(ok >= 3, `${ok} requests of status 200 in ${counts.map(([text]) => text).join('\n')}`);
  });

  it('config, statuses and endpoints are JSON', async () => {
    for (const path of ['/config', '/statuses', '/endpoints']) {
      const answer = await world.waypoint.admin(path);
      assert.match(answer.message.get('content-type') ?? '', /^application\/json/);
      JSON.parse(answer.body);
    }
  });

  it('bad requests do not hurt it', async () => {
    const { port } = new URL(world.waypoint.running.admin as string);
    const client = await RawClient.connect(Number(port));
    await client.send('nonsense\r\n\r\n');
    await client.closed();
    client.destroy();
    assert.equal((await world.waypoint.admin('/live')).status, 200);
  });
});
