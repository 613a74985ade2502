import assert from 'node:assert/strict';
import {
  type CircuitKind,
  CircuitState,
  DEFAULT_CIRCUIT_BREAKER,
  decodeCircuitBreaker,
  describeCircuitBreaker,
  overflowReply,
} from './circuit-breaker.ts';

const PLAN = { maxConnections: 1, maxPendingRequests: 2, maxRequests: 3, maxRetries: 0 };
const LIMITS: readonly (readonly [kind: CircuitKind, room: number, limit: string])[] = [
  ['connections', 1, 'max_connections'],
  ['pending', 2, 'max_pending_requests'],
  ['requests', 3, 'max_requests'],
  ['retries', 0, 'max_retries'],
];

describe('circuit breaker', () => {
  for (const [kind, room, limit] of LIMITS) {
    it(`${kind}: ${room} are let through, the next one meets ${limit}`, () => {
      const state = new CircuitState();
      for (let one = 0; one < room; one += 1) assert.equal(state.admit(kind, PLAN), null);
      assert.equal(state.full(kind, PLAN), limit);
      assert.equal(state.admit(kind, PLAN), limit);
      assert.equal(state[kind], room);
      if (room === 0) return;
      state.release(kind);
      assert.equal(state.full(kind, PLAN), null);
      assert.equal(state.admit(kind, PLAN), null);
    });
  }

  it('answers 503 and names the limit', () => {
    const { status, reason, headers } = overflowReply('max_requests');
    assert.deepEqual([status, reason, headers], [503, 'max_requests', [['x-waypoint-overloaded', 'max_requests']]]);
  });

  it('reads its settings', () => {
    const read = (raw: unknown, paths: string[]) =>
      decodeCircuitBreaker(raw, 'c', { unsupported: (path) => paths.push(path) });
    const paths: string[] = [];
    assert.deepEqual(read({}, paths), DEFAULT_CIRCUIT_BREAKER);
    assert.deepEqual(read(PLAN, paths), PLAN);
    assert.deepEqual(paths, []);
    assert.equal(read({ maxConnections: 0, maxRequests: '5', maxRetries: -1, maxPending: 1 }, paths), null);
    assert.deepEqual(paths, ['c.maxPending', 'c.maxConnections', 'c.maxRequests', 'c.maxRetries']);
  });

  it('describes itself', () => {
    const text = 'circuit breaker: at most 1024 connections, 1024 requests, 1024 waiting, 3 retries';
    assert.equal(describeCircuitBreaker(DEFAULT_CIRCUIT_BREAKER), text);
  });
});
