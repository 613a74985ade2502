// The fields of each section of a traffic policy as one writes them, from the plan that holds.

import type { CircuitBreakerPlan } from '../../policies/circuit-breaker.ts';
import { formatDuration } from '../../policies/duration.ts';
import type { HealthCheckPlan } from '../../policies/health-check.ts';
import type { OutlierPlan } from '../../policies/outlier.ts';
import type { RetryPlan } from '../../policies/retry.ts';
import type { RetryBudgetPlan } from '../../policies/retry-budget.ts';
import type { ConnectionsPlan } from '../../policies/traffic.ts';
import type { LoadBalancingPlan } from '../../routing/load-balancing.ts';

export type Fields = readonly (readonly [field: string, value: string])[];

export function fieldsOfRetry(plan: RetryPlan): Fields {
  return [
    ['attempts', String(plan.attempts)],
    ['codes', list(plan.codes)],
    ['on', list(plan.on)],
    ['methods', list(plan.methods)],
    ['perTryTimeout', formatDuration(plan.perTryTimeoutMs)],
    ['hedgeAfter', formatDuration(plan.hedgeAfterMs)],
    ['backoff', formatDuration(plan.backoffMinMs)],
  ];
}

export function fieldsOfBalancing({ algorithm, locality }: LoadBalancingPlan): Fields {
  return [
    ['algorithm', algorithm],
    ['locality', locality],
  ];
}

export function fieldsOfConnections(plan: ConnectionsPlan): Fields {
  return [
    ['connectTimeout', formatDuration(plan.connectTimeoutMs ?? 0)],
    ['idleTimeout', formatDuration(plan.idleTimeoutMs ?? 0)],
    ['maxRequestsPerConnection', String(plan.maxRequestsPerConnection)],
    ['maxAge', formatDuration(plan.maxAgeMs)],
    ...(plan.proxyProtocol === null ? [] : [['proxyProtocol', plan.proxyProtocol] as const]),
  ];
}

export function fieldsOfCircuit(plan: CircuitBreakerPlan): Fields {
  return Object.entries(plan).map(([field, limit]) => [field, String(limit)]);
}

export function fieldsOfOutlier(plan: OutlierPlan): Fields {
  return [
    ['consecutive5xx', String(plan.consecutive5xx)],
    ['consecutiveLocalOriginFailures', String(plan.consecutiveLocalOriginFailures)],
    ['interval', formatDuration(plan.intervalMs)],
    ['baseEjectionTime', formatDuration(plan.baseEjectionMs)],
    ['maxEjectionTime', formatDuration(plan.maxEjectionMs)],
    ['maxEjectionPercent', String(plan.maxEjectionPercent)],
    ['panicThresholdPercent', String(plan.panicThresholdPercent)],
  ];
}

export function fieldsOfHealthCheck(plan: HealthCheckPlan): Fields {
  return [
    [plan.kind, plan.kind === 'tcp' ? '{}' : `{path: ${plan.path}, expectedStatuses: ${list(plan.expectedStatuses)}}`],
    ['interval', formatDuration(plan.intervalMs)],
    ['timeout', formatDuration(plan.timeoutMs)],
    ['unhealthyThreshold', String(plan.unhealthyThreshold)],
    ['healthyThreshold', String(plan.healthyThreshold)],
  ];
}

export function fieldsOfBudget(plan: RetryBudgetPlan): Fields {
  return [
    ['budget', `{percent: ${plan.percent}, interval: ${formatDuration(plan.intervalMs)}}`],
    ['minRetryRate', `{count: ${plan.minCount}, interval: ${formatDuration(plan.minIntervalMs)}}`],
  ];
}

function list(values: readonly (string | number)[]): string {
  return `[${values.join(', ')}]`;
}
