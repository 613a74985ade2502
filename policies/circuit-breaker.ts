// How much one backend may be given at a time: what is beyond answers 503 at once instead of waiting behind what is stuck.

import type { DecodeReport, LocalReply } from './policy.ts';
import { COUNT, POSITIVE, SettingsReader } from './settings-reader.ts';

/** Per (Service, port). */
export interface CircuitBreakerPlan {
  readonly maxConnections: number;
  /** Requests that wait for a connection. */
  readonly maxPendingRequests: number;
  readonly maxRequests: number;
  /** Retries under way. */
  readonly maxRetries: number;
}

export const DEFAULT_CIRCUIT_BREAKER: CircuitBreakerPlan = {
  maxConnections: 1024,
  maxPendingRequests: 1024,
  maxRequests: 1024,
  maxRetries: 3,
};

/** Which limit overflowed, for the log and the metrics. */
export type CircuitLimit = 'max_connections' | 'max_pending_requests' | 'max_requests' | 'max_retries';

/** `circuitBreaker` of a TrafficPolicy; null after a report. */
export function decodeCircuitBreaker(raw: unknown, path: string, report: DecodeReport): CircuitBreakerPlan | null {
  const settings = new SettingsReader(raw, path, report, Object.keys(DEFAULT_CIRCUIT_BREAKER));
  const plan: CircuitBreakerPlan = {
    // With none of these nothing could ever be served.
    maxConnections: settings.integer('maxConnections', POSITIVE, DEFAULT_CIRCUIT_BREAKER.maxConnections),
    maxRequests: settings.integer('maxRequests', POSITIVE, DEFAULT_CIRCUIT_BREAKER.maxRequests),
    maxPendingRequests: settings.integer('maxPendingRequests', COUNT, DEFAULT_CIRCUIT_BREAKER.maxPendingRequests),
    maxRetries: settings.integer('maxRetries', COUNT, DEFAULT_CIRCUIT_BREAKER.maxRetries),
  };
  return settings.sound ? plan : null;
}

export function describeCircuitBreaker(plan: CircuitBreakerPlan): string {
  const { maxConnections, maxPendingRequests, maxRequests, maxRetries } = plan;
  return (
    `circuit breaker: at most ${maxConnections} connections, ${maxRequests} requests, ` +
    `${maxPendingRequests} waiting, ${maxRetries} retries`
  );
}

/** The answer to a request that met a limit. */
export function overflowReply(limit: CircuitLimit): LocalReply {
  return OVERFLOW[limit];
}

/** What is counted; the names of the counters. */
export type CircuitKind = 'connections' | 'pending' | 'requests' | 'retries';

/** What other threads have under way for the same backend; kinds are numbered as in KINDS. */
export interface CircuitShare {
  publish(kind: number, value: number): void;
  others(kind: number): number;
}

const KINDS: Readonly<Record<CircuitKind, number>> = { connections: 0, pending: 1, requests: 2, retries: 3 };

/** What is under way for one backend. */
export class CircuitState {
  connections = 0;
  pending = 0;
  requests = 0;
  retries = 0;
  #share: CircuitShare | null = null;

  /** From now on the counts of other threads count too. */
  join(share: CircuitShare | null): void {
    this.#share = share;
  }

  /** null: there is room, and one more is counted until `release`. Otherwise the limit that is met. */
  admit(kind: CircuitKind, plan: CircuitBreakerPlan): CircuitLimit | null {
    const limit = this.full(kind, plan);
    if (limit === null) this.add(kind);
    return limit;
  }

  /** One more, though a limit may be met: it was let through. */
  add(kind: CircuitKind): void {
    this[kind] += 1;
    if (this.#share !== null) this.#share.publish(KINDS[kind], this[kind]);
  }

  release(kind: CircuitKind): void {
    this[kind] -= 1;
    if (this.#share !== null) this.#share.publish(KINDS[kind], this[kind]);
  }

  /** As `admit`, without counting. */
  full(kind: CircuitKind, plan: CircuitBreakerPlan): CircuitLimit | null {
    const count = this[kind] + (this.#share === null ? 0 : this.#share.others(KINDS[kind]));
    switch (kind) {
      case 'connections':
        return count < plan.maxConnections ? null : 'max_connections';
      case 'pending':
        return count < plan.maxPendingRequests ? null : 'max_pending_requests';
      case 'requests':
        return count < plan.maxRequests ? null : 'max_requests';
      case 'retries':
        return count < plan.maxRetries ? null : 'max_retries';
    }
  }
}

const OVERFLOW: Readonly<Record<CircuitLimit, LocalReply>> = {
  max_connections: overflow('max_connections'),
  max_pending_requests: overflow('max_pending_requests'),
  max_requests: overflow('max_requests'),
  max_retries: overflow('max_retries'),
};

function overflow(limit: CircuitLimit): LocalReply {
  return { status: 503, reason: limit, headers: [['x-waypoint-overloaded', limit]], body: 'upstream overloaded\n' };
}
