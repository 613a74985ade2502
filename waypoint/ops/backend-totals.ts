// The live state of the backends as one process: every worker knows only its own share of the load.

import type { CircuitKind } from '../../policies/circuit-breaker.ts';
import type { RetryBudgetReport } from '../../policies/retry-budget.ts';
import type { BackendReport, EndpointReport } from '../messages.ts';

type BackendTotal = Omit<BackendReport, 'backend'>;

/** By backend; counts are added up over the workers, of times and costs the highest is kept. */
export function addUp(workers: readonly (readonly BackendReport[])[]): ReadonlyMap<string, BackendTotal> {
  const totals = new Map<string, BackendTotal>();
  for (const { backend, ...report } of workers.flat()) {
    const before = totals.get(backend);
    totals.set(backend, before === undefined ? report : sum(before, report));
  }
  return totals;
}

function sum(a: BackendTotal, b: BackendTotal): BackendTotal {
  return {
    circuit: sumCircuits(a.circuit, b.circuit),
    waiting: a.waiting + b.waiting,
    retryBudget: sumBudgets(a.retryBudget, b.retryBudget),
    panicking: a.panicking || b.panicking,
    endpoints: sumEndpoints(a.endpoints, b.endpoints),
  };
}

function sumCircuits(a: BackendReport['circuit'], b: BackendReport['circuit']): BackendReport['circuit'] {
  const of = (kind: CircuitKind): { now: number; limit: number } => {
    return { now: a[kind].now + b[kind].now, limit: b[kind].limit };
  };
  return { requests: of('requests'), pending: of('pending'), connections: of('connections'), retries: of('retries') };
}

function sumBudgets(a: RetryBudgetReport, b: RetryBudgetReport): RetryBudgetReport {
  return { requests: a.requests + b.requests, retries: a.retries + b.retries, left: a.left + b.left };
}

/** In the order of the first worker; one that is about to hear of an endpoint lacks it for a moment. */
function sumEndpoints(a: readonly EndpointReport[], b: readonly EndpointReport[]): readonly EndpointReport[] {
  const others = new Map(b.map((endpoint) => [keyOf(endpoint), endpoint]));
  const joined = a.map((endpoint) => {
    const other = others.get(keyOf(endpoint));
    others.delete(keyOf(endpoint));
    return other === undefined ? endpoint : sumEndpoint(endpoint, other);
  });
  return [...joined, ...others.values()];
}

function keyOf({ address, port }: EndpointReport): string {
  return `${address} ${port}`;
}

function sumEndpoint(a: EndpointReport, b: EndpointReport): EndpointReport {
  return {
    ...b,
    healthy: a.healthy && b.healthy,
    takesRequests: a.takesRequests || b.takesRequests,
    inFlight: a.inFlight + b.inFlight,
    cost: Math.max(a.cost, b.cost),
    latencyMs: Math.max(a.latencyMs, b.latencyMs),
    requests: a.requests + b.requests,
    failures: a.failures + b.failures,
    ejectedForMs: Math.max(a.ejectedForMs, b.ejectedForMs),
    ejections: Math.max(a.ejections, b.ejections),
    ejectionCause: b.ejectionCause === '' ? a.ejectionCause : b.ejectionCause,
    idleConnections: a.idleConnections + b.idleConnections,
  };
}
