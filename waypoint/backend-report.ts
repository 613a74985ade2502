// What a worker tells the admin page of a backend: its endpoints with their load, cost and health, its limits, its budget.

import type { CircuitKind } from '../policies/circuit-breaker.ts';
import type { Endpoint } from '../routing/endpoint.ts';
import { costOf } from '../routing/peak-ewma.ts';
import type { Backend } from '../routing/registry.ts';
import type { BackendReport, EndpointReport } from './messages.ts';
import { type BackendState, stateOf } from './upstream/backend-state.ts';
import { Pool } from './upstream/pool.ts';

/** Why endpoints were left out last, by backend and `address:port`. */
export class EjectionCauses {
  readonly #causes: Map<string, string> = new Map();

  set(backend: string, endpoint: string, cause: string): void {
    this.#causes.set(`${backend} ${endpoint}`, cause);
  }

  /** '' when it never was. */
  get(backend: string, endpoint: string): string {
    return this.#causes.get(`${backend} ${endpoint}`) ?? '';
  }

  /** The endpoint is gone. */
  delete(backend: string, endpoint: string): void {
    this.#causes.delete(`${backend} ${endpoint}`);
  }
}

export function backendReport(backend: Backend, causes: EjectionCauses, now: number): BackendReport {
  const state = stateOf(backend);
  const candidates = backend.candidates(now);
  return {
    backend: backend.id,
    circuit: circuitOf(state),
    waiting: state.waiting,
    retryBudget: state.budget.report(now),
    panicking: backend.panicking,
    endpoints: backend.endpoints.map((endpoint) => ({
      ...endpointReport(endpoint, now),
      takesRequests: candidates.includes(endpoint),
      ejectionCause: causes.get(backend.id, endpoint.id),
    })),
  };
}

function circuitOf({ circuit, limits }: BackendState): Record<CircuitKind, { now: number; limit: number }> {
  return {
    requests: { now: circuit.requests, limit: limits.maxRequests },
    pending: { now: circuit.pending, limit: limits.maxPendingRequests },
    connections: { now: circuit.connections, limit: limits.maxConnections },
    retries: { now: circuit.retries, limit: limits.maxRetries },
  };
}

function endpointReport(endpoint: Endpoint, now: number): Omit<EndpointReport, 'takesRequests' | 'ejectionCause'> {
  const { address, port, name, zone, ready, serving, terminating, healthy } = endpoint;
  const { inFlight, requests, failures, ejections, ejectedUntil, ewmaMs, slot } = endpoint;
  return {
    ...{ address, port, name, zone, ready, serving, terminating, healthy, inFlight },
    cost: hundredths(costOf(endpoint, now)),
    latencyMs: hundredths(ewmaMs),
    ...{ requests, failures },
    ejectedForMs: Math.max(0, Math.round(ejectedUntil - now)),
    ejections,
    idleConnections: slot instanceof Pool ? slot.idle : 0,
  };
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
