import assert from 'node:assert/strict';
import type { EndpointReport } from '../messages.ts';
import { addUp } from './endpoint-totals.ts';

function report(backend: string, address: string, load: number): EndpointReport {
  const where = { backend, address, port: 80, name: null, zone: null, ready: true, serving: true, terminating: false };
  const health = { latencyMs: load, ejectedForMs: 0, ejections: 0, ejectionCause: '', healthy: true };
  return { ...where, ...health, inFlight: load, requests: load * 10, failures: load, idleConnections: load };
}

describe('addUp', () => {
  it('adds the load of each endpoint up over the workers', () => {
    const totals = addUp([[report('a', '1', 1), report('a', '2', 2)], [report('a', '1', 3), report('b', '1', 4)], []]);
    assert.deepEqual(
      [...totals],
      [
        ['a', [{ ...report('a', '1', 4), latencyMs: 3 }, report('a', '2', 2)]],
        ['b', [report('b', '1', 4)]],
      ],
    );
  });
});
