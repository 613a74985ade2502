// The merged traffic policy of a rule and of a backend as the data plane reads it: plain data, every field decided.

import type { LoadBalancingPlan } from '../routing/load-balancing.ts';
import type { CircuitBreakerPlan } from './circuit-breaker.ts';
import type { FaultPlan } from './fault.ts';
import type { HealthCheckPlan } from './health-check.ts';
import type { OutlierPlan } from './outlier.ts';
import type { RateLimitPlan } from './rate-limit.ts';
import type { RetryPlan } from './retry.ts';
import type { RetryBudgetPlan } from './retry-budget.ts';
import type { SessionPlan } from './session.ts';

/** What a TrafficPolicy says about requests: merged per (rule, backendRef). A null field: nobody set it, the default holds. */
export interface RequestPolicy {
  readonly retry: RetryPlan | null;
  readonly rateLimit: RateLimitPlan | null;
  /** What the limit is set on, `Service shop/orders`: requests of one scope share its buckets. null without a limit. */
  readonly rateLimitScope: string | null;
  readonly fault: FaultPlan | null;
  /** Overrides the backend's choice for this rule only; the endpoints' live state stays shared. */
  readonly loadBalancing: LoadBalancingPlan | null;
  readonly session: SessionPlan | null;
  /** Whose sessions: a rule's own, or those of a Service, which all of its routes share. null without any. */
  readonly sessionScope: string | null;
}

/** What a TrafficPolicy says about endpoints: merged per (Service, port). */
export interface BackendPolicy {
  readonly loadBalancing: LoadBalancingPlan | null;
  readonly connections: ConnectionsPlan | null;
  readonly circuitBreaker: CircuitBreakerPlan | null;
  readonly outlierDetection: OutlierPlan | null;
  readonly healthCheck: HealthCheckPlan | null;
  readonly retryBudget: RetryBudgetPlan | null;
}

/** Times in ms, 0 = no limit. */
export interface ConnectionsPlan {
  /** null: what the process was started with. */
  readonly connectTimeoutMs: number | null;
  /** null: what the process was started with. */
  readonly idleTimeoutMs: number | null;
  readonly maxRequestsPerConnection: number;
  readonly maxAgeMs: number;
  /** Each connection begins with a header that announces its client: it serves the requests of one client connection. */
  readonly proxyProtocol: ProxyProtocol | null;
}

/** Version of the PROXY protocol. */
export type ProxyProtocol = 'V1' | 'V2';

/** Enforced, and what policies in mode Shadow would make of it (null: none is in that mode). */
export interface Policies<T> {
  readonly enforced: T;
  readonly shadow: T | null;
}

/** Nobody set anything. */
export const NO_REQUEST_POLICY: Policies<RequestPolicy> = {
  enforced: {
    retry: null,
    rateLimit: null,
    rateLimitScope: null,
    fault: null,
    loadBalancing: null,
    session: null,
    sessionScope: null,
  },
  shadow: null,
};

/** Nobody set anything: every default holds. */
export const NO_BACKEND_POLICY: Policies<BackendPolicy> = {
  enforced: {
    loadBalancing: null,
    connections: null,
    circuitBreaker: null,
    outlierDetection: null,
    healthCheck: null,
    retryBudget: null,
  },
  shadow: null,
};

/** Where a field of a merged policy comes from: for `explain`, not for the data path. Fields that nobody set have none. */
export interface Origin {
  /** JSON path below spec, `retry.perTryTimeout`, `circuitBreaker`. */
  readonly field: string;
  /** `TrafficPolicy shop/orders`, `HTTPRoute shop/orders`, `default`. */
  readonly from: string;
  /** rule | route | Service port | Service | Gateway | default. */
  readonly level: string;
  readonly mode: 'Enforce' | 'Shadow';
  /** As written, for people. */
  readonly value: string;
}
