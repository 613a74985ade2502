// The access log tells of each request once, in JSON, with who decided what; and it agrees with the backends.

import assert from 'node:assert/strict';
import { call } from '../harness/call.ts';
import { backendRef, prefix } from '../harness/manifests.ts';
import { assertInvariants } from '../harness/oracle.ts';
import { RawClient } from '../harness/raw-client.ts';
import { RoutingWorld } from '../harness/routing-world.ts';

type Expected = Readonly<Record<string, unknown>>;

describe('access log', () => {
  let world: RoutingWorld;
  before(async () => {
    const rules = [
      { name: 'good', matches: [prefix('/good')], backendRefs: [backendRef('v1')] },
      { matches: [prefix('/broken')], backendRefs: [backendRef('missing')] },
      {
        matches: [prefix('/away')],
        filters: [{ type: 'RequestRedirect', requestRedirect: { hostname: 'a.example' } }],
      },
      { matches: [prefix('/slow')], backendRefs: [backendRef('v2')], timeouts: { request: '50ms' } },
      { matches: [prefix('/nonsense')], backendRefs: [backendRef('v3')] },
    ];
    world = await RoutingWorld.start([{ name: 'logged', hostnames: ['test.example'], rules }]);
    world.backend('v2').script = () => {};
    world.backend('v3').script = (request) => request.send('nonsense\r\n\r\n');
  });
  after(() => world.close());

  const route = 'default/logged';
  const rows: readonly (readonly [path: string, expected: Expected])[] = [
    [
      '/good/a?b=c',
      {
        method: 'GET',
        authority: 'test.example',
        path: '/good/a',
        status: 200,
        route,
        rule: 'good',
        backend: 'default/v1:80',
        tries: 1,
        peer: '127.0.0.1',
        listener: 'default/edge/l0',
      },
    ],
    ['/none', { status: 404, reason: 'no_route', flag: 'NR' }],
    ['/broken', { status: 500, reason: 'backend_not_found', flag: 'NC', route, rule: '1' }],
    ['/away', { status: 302, reason: 'redirect', route, rule: '2' }],
    ['/slow', { status: 504, reason: 'request_timeout', flag: 'UT', backend: 'default/v2:80', tries: 1 }],
    ['/nonsense', { status: 502, reason: 'upstream_protocol', flag: 'UPE', backend: 'default/v3:80' }],
  ];
  rows.forEach(([path, expected], i) => {
    it(`${path}: ${JSON.stringify(expected)}`, async () => {
      const id = `log-${i}`;
      await call(world.port, { path, fields: [['x-request-id', id]] });
      const entry = await world.waypoint.log.findOne((e) => e['id'] === id);
      for (const [name, value] of Object.entries(expected))
        assert.equal(entry[name], value, `${name} in ${JSON.stringify(entry)}`);
      assert.match(String(entry['time']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.equal(typeof entry['duration_ms'], 'number');
    });
  });

  it('bytes are those of the bodies', async () => {
    await call(world.port, {
      method: 'POST',
      path: '/good',
      body: 'x'.repeat(1234),
      fields: [['x-request-id', 'bytes']],
    });
    const entry = await world.waypoint.log.findOne((e) => e['id'] === 'bytes');
    assert.equal(entry['request_bytes'], 1234);
    assert.ok(Number(entry['response_bytes']) > 0);
  });

  it('a malformed request is told with its reason', async () => {
    const client = await RawClient.connect(world.port);
    await client.send('GET / HTTP/1.1\nHost: a\n\n');
    await client.closed();
    client.destroy();
    const entry = await world.waypoint.log.findOne((e) => e['status'] === 400);
    assert.match(String(entry['reason']), /^[a-z0-9_]+$/);
    assert.equal(entry['flag'], 'DPE');
  });

  for (const value of ['"}\n{"status":200', '\\u0000', 'a\tb', '\x7f\x80\xff', '{{evil}}']) {
    it(`a hostile ${JSON.stringify(value)} stays one valid line`, async () => {
      const lines = world.waypoint.log.entries.length;
      await call(world.port, { path: '/good', fields: [['user-agent', value.replaceAll('\n', ' ')]] });
      await call(world.port, { path: `/good/${encodeURIComponent(value)}?x="` });
      await world.waypoint.log.find(() => true, lines + 2);
      assert.deepEqual(world.waypoint.log.other, []);
    });
  }

  it('I1, I2: what backends parsed is what the log decided', async () => {
    const backends = [...world.backends.values()];
    await assertInvariants({ log: world.waypoint.log, backends });
  });
});
