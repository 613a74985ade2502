// The sections of merged policies, each by the decoder of its own file.

import { type CircuitBreakerPlan, decodeCircuitBreaker } from '../../policies/circuit-breaker.ts';
import { decodeConnections } from '../../policies/connections.ts';
import { decodeFault, type FaultPlan } from '../../policies/fault.ts';
import { decodeHealthCheck, type HealthCheckPlan } from '../../policies/health-check.ts';
import { decodeLoadBalancing } from '../../policies/load-balancing.ts';
import { decodeOutlier, type OutlierPlan } from '../../policies/outlier.ts';
import type { DecodeReport } from '../../policies/policy.ts';
import { decodeRateLimit, type RateLimitPlan } from '../../policies/rate-limit.ts';
import { decodeRetry, type RetryPlan } from '../../policies/retry.ts';
import { decodeRetryBudget, type RetryBudgetPlan } from '../../policies/retry-budget.ts';
import { decodeSession, type SessionPlan } from '../../policies/session.ts';
import type { ConnectionsPlan } from '../../policies/traffic.ts';
import type { LoadBalancingPlan } from '../../routing/load-balancing.ts';
import type { Section, Setting } from './settings.ts';

type Decode<T> = (raw: unknown, path: string, report: DecodeReport) => T | null;

interface Plans {
  readonly loadBalancing: LoadBalancingPlan;
  readonly connections: ConnectionsPlan;
  readonly circuitBreaker: CircuitBreakerPlan;
  readonly outlierDetection: OutlierPlan;
  readonly healthCheck: HealthCheckPlan;
  readonly retryConstraint: RetryBudgetPlan;
  readonly retry: RetryPlan;
  readonly rateLimit: RateLimitPlan;
  readonly fault: FaultPlan;
  readonly sessionPersistence: SessionPlan;
}

export type PlanOf<S extends Section> = Plans[S];

const DECODERS: { readonly [S in Section]: Decode<Plans[S]> } = {
  loadBalancing: decodeLoadBalancing,
  connections: decodeConnections,
  circuitBreaker: decodeCircuitBreaker,
  outlierDetection: decodeOutlier,
  healthCheck: decodeHealthCheck,
  retryConstraint: decodeRetryBudget,
  retry: decodeRetry,
  rateLimit: decodeRateLimit,
  fault: decodeFault,
  sessionPersistence: decodeSession,
};

export type Decoded<T> =
  | { readonly plan: T; readonly problem: null }
  | { readonly plan: null; readonly problem: string };

/** The settings are those of one section, at most one in each slot. */
export function decodeSettings<S extends Section>(section: S, settings: readonly Setting[]): Decoded<PlanOf<S>> {
  const problems: string[] = [];
  const report: DecodeReport = { unsupported: (path, message) => problems.push(`${path}: ${message}`) };
  const decode: Decode<PlanOf<S>> = DECODERS[section];
  const plan = decode(rawOf(settings), `spec.${section}`, report);
  return plan === null ? { plan, problem: problems.join('; ') } : { plan, problem: null };
}

function rawOf(settings: readonly Setting[]): unknown {
  const whole = settings.find(({ name }) => name === '');
  return whole === undefined ? Object.fromEntries(settings.map((each) => [each.name, located(each)])) : whole.value;
}

/** A Service that a policy names is one of its own namespace, wherever the policy holds. */
function located({ section, name, value, from }: Setting): unknown {
  if (section !== 'rateLimit' || name !== 'global') return value;
  const { service } = value as { readonly service?: object };
  const namespace = from.slice(from.indexOf(' ') + 1, from.indexOf('/'));
  return { ...(value as object), ...(service === undefined ? {} : { service: { ...service, namespace } }) };
}
