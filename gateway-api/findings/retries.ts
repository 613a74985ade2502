// Retries for which the time limits leave no room, and those of requests that may have been acted on.

import { formatDuration } from '../../policies/duration.ts';
import type { RoutePlan, Snapshot } from '../../policies/plan.ts';
import type { RetryPlan } from '../../policies/retry.ts';
import type { TimeoutsPlan } from '../../policies/timeouts.ts';
import type { HTTPRoute, Resources } from '../resources.ts';
import type { FindingReport } from './report.ts';

/** RFC 9110 section 9.2.2. */
const IDEMPOTENT: ReadonlySet<unknown> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

export function reportRetries(resources: Resources, snapshot: Snapshot, report: FindingReport): void {
  reportMethods(resources, report);
  for (const { entries } of snapshot.tables.values()) {
    for (const { rules, namespace, name } of entries.values()) {
      const route = resources.HTTPRoute.get(`${namespace}/${name}`);
      if (route !== undefined) for (const { plan } of rules) reportRule(route, plan, report);
    }
  }
}

function reportMethods(resources: Resources, report: FindingReport): void {
  for (const policy of resources.TrafficPolicy.values()) {
    const methods = policy.spec.retry?.['methods'];
    const unsafe = Array.isArray(methods) ? methods.filter((method) => !IDEMPOTENT.has(method)) : [];
    if (unsafe.length === 0) continue;
    const verb = unsafe.length === 1 ? 'is' : 'are';
    const message = `${unsafe.join(', ')} ${verb} not idempotent: a request that failed late is acted on twice; remove it unless the service tells repetitions apart`;
    report.add(policy, { severity: 'warning', code: 'retry_not_idempotent', path: 'spec.retry.methods', message });
  }
}

function reportRule(route: HTTPRoute, plan: RoutePlan, report: FindingReport): void {
  const { rules } = route.spec;
  const index = rules.findIndex((rule, at) => (rule.name ?? String(at)) === plan.rule);
  const rule = rules[index];
  const path = `spec.rules[${index}]${rule?.timeouts === undefined ? '' : '.timeouts'}`;
  for (const { policy } of plan.backends) {
    const { retry } = policy.enforced;
    if (retry === null || retry.attempts === 0) continue;
    const tryMs = shortest(retry.perTryTimeoutMs, plan.timeouts?.backendRequestMs ?? 0);
    const late = retry.hedgeAfterMs > 0 && tryMs > 0 && retry.hedgeAfterMs >= tryMs;
    if (late) {
      const message = `a second try would start beside the first after ${formatDuration(retry.hedgeAfterMs)} (retry.hedgeAfter), but each try ends after ${formatDuration(tryMs)}: shorten the first, or remove it`;
      report.add(route, { severity: 'warning', code: 'hedge_never_starts', path, message });
    }
    const message = misfit(retry, plan.timeouts, tryMs);
    if (message !== null) report.add(route, { severity: 'warning', code: 'retries_do_not_fit', path, message });
  }
}

/** All tries at their full length, and the waits between them. */
function misfit(retry: RetryPlan, timeouts: TimeoutsPlan | null, tryMs: number): string | null {
  const requestMs = timeouts?.requestMs ?? 0;
  const { attempts, backoffMinMs } = retry;
  const waits = attempts * backoffMinMs;
  const needed = (attempts + 1) * tryMs + waits;
  if (requestMs === 0 || needed <= requestMs) return null;
  const tries = attempts === 1 ? '2 tries' : `${attempts + 1} tries`;
  const each = tryMs === 0 ? '' : ` of ${formatDuration(tryMs)}`;
  const and = waits === 0 ? '' : ` and ${formatDuration(waits)} of waiting`;
  const fitting = Math.floor((requestMs + backoffMinMs) / (tryMs + backoffMinMs));
  const room = fitting === 0 ? 'not even one fits' : `only ${fitting} fit${fitting === 1 ? 's' : ''}`;
  return `${tries}${each}${and} need ${formatDuration(needed)}, but timeouts.request ends them all after ${formatDuration(requestMs)}, so that ${room}: raise timeouts.request, shorten the tries or lower attempts`;
}

/** 0: no limit. */
function shortest(a: number, b: number): number {
  if (a === 0 || b === 0) return Math.max(a, b);
  return Math.min(a, b);
}
