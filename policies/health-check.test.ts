import assert from 'node:assert/strict';
import { decodeHealthCheck, describeHealthCheck, type HealthCheckPlan, HealthState } from './health-check.ts';

const HTTP: HealthCheckPlan = {
  kind: 'http',
  path: '/healthz',
  expectedStatuses: [200],
  intervalMs: 5_000,
  timeoutMs: 1_000,
  unhealthyThreshold: 3,
  healthyThreshold: 2,
};

/** `+` a good result, `-` a bad one; of each: `.` the opinion stays, `h` healthy from now on, `u` unhealthy. */
const SEQUENCES: readonly (readonly [results: string, changes: string])[] = [
  ['+++', '...'],
  ['--', '..'],
  ['---', '..u'],
  ['--+--', '.....'],
  ['--+---', '.....u'],
  ['-----', '..u..'],
  ['---+', '..u.'],
  ['---++', '..u.h'],
  ['---+-+-++', '..u.....h'],
  ['---++---', '..u.h..u'],
];

describe('health check', () => {
  for (const [results, changes] of SEQUENCES) {
    it(`${results} is ${changes}`, () => {
      const state = new HealthState();
      const seen = [...results].map((result) => state.result(result === '+', HTTP)?.charAt(0) ?? '.');
      assert.equal(seen.join(''), changes);
      assert.equal(state.healthy, changes.lastIndexOf('h') >= changes.lastIndexOf('u'));
    });
  }

  it('reads its settings', () => {
    const read = (raw: unknown) => decodeHealthCheck(raw, 'h', { unsupported: assert.fail });
    assert.deepEqual(read({ http: { path: '/healthz' } }), HTTP);
    assert.deepEqual(read({ tcp: {}, interval: '1s', healthyThreshold: 1 }), {
      ...HTTP,
      kind: 'tcp',
      path: '',
      expectedStatuses: [],
      intervalMs: 1_000,
      healthyThreshold: 1,
    });
    assert.deepEqual(read({ http: { path: '/a?b=c', expectedStatuses: [200, 204] } })?.expectedStatuses, [200, 204]);
  });

  const bad: readonly (readonly [raw: unknown, at: readonly string[]])[] = [
    [{}, ['h']],
    [{ http: { path: '/' }, tcp: {} }, ['h']],
    [{ grpc: {} }, ['h.grpc', 'h']],
    [{ http: {} }, ['h.http.path']],
    [{ http: { path: 'healthz' } }, ['h.http.path']],
    [{ http: { path: '/a b' } }, ['h.http.path']],
    [{ http: { path: '/a\r\nx: y' } }, ['h.http.path']],
    [{ http: { path: '/#a' } }, ['h.http.path']],
    [{ http: { path: 5 } }, ['h.http.path']],
    [{ http: { path: '/', expectedStatuses: [] } }, ['h.http.expectedStatuses']],
    [
      { http: { path: '/', expectedStatuses: [99, 200, '200'] } },
      ['h.http.expectedStatuses[0]', 'h.http.expectedStatuses[2]'],
    ],
    [{ http: { path: '/', host: 'a' } }, ['h.http.host']],
    [{ tcp: { port: 1 } }, ['h.tcp.port']],
    [{ tcp: {}, interval: '0s' }, ['h.interval']],
    [{ tcp: {}, timeout: '1', unhealthyThreshold: 0 }, ['h.timeout', 'h.unhealthyThreshold']],
    [{ tcp: {}, timeout: '6s' }, ['h.timeout']],
  ];
  for (const [raw, at] of bad) {
    it(`refuses ${JSON.stringify(raw)}`, () => {
      const paths: string[] = [];
      assert.equal(decodeHealthCheck(raw, 'h', { unsupported: (path) => paths.push(path) }), null);
      assert.deepEqual(paths, at);
    });
  }

  it('describes itself', () => {
    assert.equal(
      describeHealthCheck(HTTP),
      'health check: GET /healthz gives 200 within 1s, every 5s; unhealthy after 3, healthy after 2',
    );
    assert.match(describeHealthCheck({ ...HTTP, kind: 'tcp' }), /^health check: TCP connect within 1s,/);
  });
});
