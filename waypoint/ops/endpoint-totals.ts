// The live state of the endpoints as one process: every worker knows only its own share of the load.

import type { EndpointReport } from '../messages.ts';

/** One list for each backend, in the order of its endpoints; counts are added up over the workers. */
export function addUp(workers: readonly (readonly EndpointReport[])[]): ReadonlyMap<string, readonly EndpointReport[]> {
  const totals = new Map<string, Map<string, EndpointReport>>();
  for (const reports of workers) {
    for (const report of reports) {
      const endpoints = totals.get(report.backend) ?? new Map<string, EndpointReport>();
      totals.set(report.backend, endpoints);
      const id = `${report.address} ${report.port}`;
      const before = endpoints.get(id);
      endpoints.set(id, before === undefined ? report : sum(before, report));
    }
  }
  return new Map([...totals].map(([backend, endpoints]) => [backend, [...endpoints.values()]]));
}

function sum(a: EndpointReport, b: EndpointReport): EndpointReport {
  return {
    ...b,
    inFlight: a.inFlight + b.inFlight,
    requests: a.requests + b.requests,
    failures: a.failures + b.failures,
    idleConnections: a.idleConnections + b.idleConnections,
    latencyMs: Math.max(a.latencyMs, b.latencyMs),
    ejectedForMs: Math.max(a.ejectedForMs, b.ejectedForMs),
    ejections: Math.max(a.ejections, b.ejections),
    ejectionCause: b.ejectionCause === '' ? a.ejectionCause : b.ejectionCause,
  };
}
