import assert from 'node:assert/strict';
import { EMPTY_SNAPSHOT, type RoutePlanEntry, type ServicePlan, type Snapshot } from '../../policies/plan.ts';
import { NO_BACKEND_POLICY } from '../../policies/traffic.ts';
import type { Exchange } from '../exchange.ts';
import { WorkerMetrics } from './metrics.ts';
import { type Facts, MetricsPage } from './metrics-page.ts';

const plan = { plan: { kind: 'HTTPRoute', route: 'shop/orders', rule: 'a"b' }, series: null };

function exchange(parts: object = {}, method: string = 'GET'): Exchange {
  const x = {
    ...{ head: { method }, bind: { gateway: 'shop/shop' }, plan, service: { id: 'shop/orders:80' } },
    ...{ backend: { id: 'shop/orders:80' }, status: 200, reason: '', tries: 1, requestBytes: 5, responseBytes: 7 },
    ...{ startedAt: 1000, upstreamAt: 1001, responseAt: 1003, endedAt: 1020 },
    ...parts,
  };
  return x as unknown as Exchange;
}

function done(metrics: WorkerMetrics, ...exchanges: Exchange[]): WorkerMetrics {
  for (const x of exchanges) {
    metrics.requestStarted();
    metrics.requestDone(x);
  }
  return metrics;
}

const SNAPSHOT: Snapshot = {
  ...EMPTY_SNAPSHOT,
  binds: new Map([
    [
      'a:1',
      {
        ...{ id: 'a:1', address: 'a', port: 1, gateway: 'shop/shop', protocol: 'HTTP', clientValidation: null },
        ...{ service: null, listeners: [], destinations: new Map(), authorities: new Map() },
      },
    ],
  ]),
  services: new Map([['shop/orders:80', { fallback: { route: 'shop/plain' } } as ServicePlan]]),
  tables: new Map([
    ['t', { id: 't', entries: new Map([['k', { namespace: 'shop', name: 'orders' } as RoutePlanEntry]]) }],
  ]),
  backends: new Map([
    [
      'shop/orders:80',
      {
        id: 'shop/orders:80',
        protocol: 'http',
        endpoints: [],
        tls: null,
        external: false,
        authority: null,
        policy: NO_BACKEND_POLICY,
        origins: [],
      },
    ],
  ]),
};

function facts(snapshot: Snapshot = SNAPSHOT): Facts {
  return {
    ...{ snapshot, version: 3, publishedAt: 1_000_500, rejectedObjects: 1, accessLogDropped: 2 },
    ...{ workersServing: 1, workers: 2, workersDied: 1, waypointVersion: '1.2.3' },
  };
}

function samples(page: string): ReadonlyMap<string, number> {
  const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

const SERVER =
  'gateway="shop/shop",service="shop/orders:80",route="shop/orders",rule="a\\"b",http_request_method="GET",http_response_status_class="2xx",reason=""';
const CLIENT = 'backend="shop/orders:80",http_request_method="GET",http_response_status_class="2xx",reason=""';

describe('metrics', () => {
  it('count requests in histograms by route and by backend', () => {
    const page = new MetricsPage();
    page.add(done(new WorkerMetrics(), exchange(), exchange({ endedAt: 3500, tries: 3 })).takeDelta());
    const got = samples(page.render(facts()));
    const server = 'http_server_request_duration_seconds';
    assert.equal(got.get(`${server}_bucket{${SERVER},le="0.01"}`), 0);
    assert.equal(got.get(`${server}_bucket{${SERVER},le="0.025"}`), 1);
    assert.equal(got.get(`${server}_bucket{${SERVER},le="2.5"}`), 2);
    assert.equal(got.get(`${server}_bucket{${SERVER},le="+Inf"}`), 2);
    assert.equal(got.get(`${server}_count{${SERVER}}`), 2);
    assert.equal(got.get(`${server}_sum{${SERVER}}`)?.toFixed(6), '2.520000');
    assert.equal(got.get(`http_client_request_duration_seconds_bucket{${CLIENT},le="0.0025"}`), 2);
    assert.equal(got.get(`waypoint_upstream_retries_total{${CLIENT}}`), 2);
    assert.equal(got.get(`waypoint_http_request_body_bytes_total{${SERVER}}`), 10);
    assert.equal(got.get(`waypoint_http_response_body_bytes_total{${SERVER}}`), 14);
  });

  it('take each difference once and add it up, over workers and plans', () => {
    const page = new MetricsPage();
    const metrics = done(new WorkerMetrics(), exchange());
    page.add(metrics.takeDelta());
    assert.deepEqual(metrics.takeDelta().server, []);
    page.add(done(metrics, exchange(), exchange({ plan: { ...plan, series: null } })).takeDelta());
    const other = { ...plan, series: null };
    page.add({ ...done(new WorkerMetrics(), exchange({ plan: other })).takeDelta(), thread: 9 });
    assert.equal(samples(page.render(facts())).get(`http_server_request_duration_seconds_count{${SERVER}}`), 4);
  });

  it('know no methods that clients invent', () => {
    const delta = done(new WorkerMetrics(), exchange({}, 'FOO'), exchange({}, 'get')).takeDelta();
    assert.deepEqual(
      delta.server.map(({ labels }) => labels[4]),
      ['_OTHER'],
    );
  });

  it('have a series for requests that no route took', () => {
    const lost = { plan: null, service: null, backend: null, tries: 0, status: 404, reason: 'no_frontend' };
    const delta = done(new WorkerMetrics(), exchange(lost), exchange(lost)).takeDelta();
    assert.deepEqual(
      delta.server.map(({ labels }) => labels),
      [['shop/shop', '', '', '', 'GET', '4xx', 'no_frontend']],
    );
    assert.deepEqual(delta.client, []);
  });

  it('say of a try without an answer how long it was waited for', () => {
    const delta = done(
      new WorkerMetrics(),
      exchange({ responseAt: 0, status: 504, reason: 'request_timeout' }),
    ).takeDelta();
    assert.deepEqual(delta.client[0]?.labels, ['shop/orders:80', 'GET', '', 'request_timeout']);
  });

  it('drop the series of what is configured no longer', () => {
    const page = new MetricsPage();
    page.add(done(new WorkerMetrics(), exchange()).takeDelta());
    page.render(facts({ ...SNAPSHOT, tables: new Map() }));
    assert.doesNotMatch(page.render(facts()), /shop\/orders",rule/);
    assert.match(page.render(facts()), /http_client_request_duration_seconds_count\{backend/);
    page.render(facts({ ...SNAPSHOT, backends: new Map() }));
    assert.doesNotMatch(page.render(facts()), /\{backend/);
  });

  it('add up gauges of the threads that still report', () => {
    let now = 0;
    const page = new MetricsPage(() => now);
    const metrics = new WorkerMetrics();
    for (let count = 0; count < 3; count++) metrics.connectionOpened();
    metrics.connectionClosed();
    metrics.connectionRefused();
    metrics.requestStarted();
    const delta = metrics.takeDelta();
    page.add(delta);
    page.add({ ...delta, thread: 7 });
    assert.equal(samples(page.render(facts())).get('waypoint_connections'), 4);
    now = 6000;
    page.add(metrics.takeDelta());
    const got = samples(page.render(facts()));
    assert.equal(got.get('waypoint_connections'), 2);
    assert.equal(got.get('http_server_active_requests'), 1);
    assert.equal(got.get('waypoint_connections_total'), 6);
    assert.equal(got.get('waypoint_connections_refused_total'), 2);
  });

  it('count by reason', () => {
    const metrics = new WorkerMetrics();
    metrics.parseFailed('bare_lf');
    metrics.parseFailed('bare_lf');
    metrics.mirrorSent();
    metrics.mirrorDropped('too_many');
    const page = new MetricsPage();
    page.add(metrics.takeDelta());
    page.add(metrics.takeDelta());
    const got = samples(page.render(facts()));
    assert.equal(got.get('waypoint_parse_failures_total{reason="bare_lf"}'), 2);
    assert.equal(got.get('waypoint_mirror_requests_total'), 1);
    assert.equal(got.get('waypoint_mirror_requests_dropped_total{reason="too_many"}'), 1);
  });

  it('are well-formed: each family has its type before its samples, no sample comes twice', () => {
    const page = new MetricsPage();
    page.add(done(new WorkerMetrics(), exchange()).takeDelta());
    const typed = new Set<string>();
    const seen = new Set<string>();
    for (const line of page.render(facts()).trimEnd().split('\n')) {
      const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
      if (type !== null) typed.add(type[1]!);
      if (line.startsWith('#')) continue;
      const sample = /^([a-z_]+)(\{.*\})? (-?[0-9.e+-]+)$/.exec(line);
      assert.ok(sample !== null, line);
      const family = sample[1]!.replace(/_(bucket|sum|count)$/, '');
      assert.ok(typed.has(family) || typed.has(sample[1]!), line);
      assert.ok(!seen.has(sample[1]! + (sample[2] ?? '')), line);
      seen.add(sample[1]! + (sample[2] ?? ''));
    }
  });
});
