import assert from 'node:assert/strict';
import type { BackendReport, EndpointReport } from '../messages.ts';
import { addUp } from './backend-totals.ts';

function endpoint(address: string, load: number, health: Partial<EndpointReport> = {}): EndpointReport {
  const where = { address, port: 80, name: null, zone: null, ready: true, serving: true, terminating: false };
  const judged = { healthy: true, takesRequests: true, ejectedForMs: 0, ejections: 0, ejectionCause: '' };
  const counts = { inFlight: load, requests: load * 10, failures: load, idleConnections: load };
  return { ...where, ...judged, ...counts, cost: load, latencyMs: load, ...health };
}

function report(backend: string, load: number, ...endpoints: EndpointReport[]): BackendReport {
  const used = { now: load, limit: 10 };
  const circuit = { requests: used, pending: used, connections: used, retries: used };
  const retryBudget = { requests: load * 10, retries: load, left: 3 };
  return { backend, circuit, waiting: load, retryBudget, panicking: false, endpoints };
}

describe('addUp', () => {
  it('adds the load of each backend up over the workers', () => {
    const totals = addUp([[report('a', 1), report('b', 4)], [report('a', 2)], []]);
    const used = { now: 3, limit: 10 };
    assert.deepEqual([...totals.keys()], ['a', 'b']);
    assert.deepEqual(totals.get('a'), {
      circuit: { requests: used, pending: used, connections: used, retries: used },
      waiting: 3,
      retryBudget: { requests: 30, retries: 3, left: 6 },
      panicking: false,
      endpoints: [],
    });
    assert.equal(totals.get('b')?.waiting, 4);
  });

  it('adds the load of each endpoint up, and keeps the highest of costs and times', () => {
    const one = report('a', 0, endpoint('1', 1), endpoint('2', 2));
    const other = report('a', 0, endpoint('3', 5), endpoint('1', 3));
    assert.deepEqual(addUp([[one], [other]]).get('a')?.endpoints, [
      { ...endpoint('1', 4), cost: 3, latencyMs: 3 },
      endpoint('2', 2),
      endpoint('3', 5),
    ]);
  });

  it('shows an ejection though only one worker knows of it, and its cause', () => {
    const ejected = { takesRequests: false, ejectedForMs: 900, ejections: 1, ejectionCause: 'consecutive_5xx' };
    const workers = [[report('a', 0, endpoint('1', 0, ejected))], [report('a', 0, endpoint('1', 0))]];
    const [found] = addUp(workers).get('a')?.endpoints ?? [];
    assert.deepEqual(
      [found?.takesRequests, found?.ejectedForMs, found?.ejections, found?.ejectionCause],
      [true, 900, 1, 'consecutive_5xx'],
    );
  });
});
