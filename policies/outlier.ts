// Outlier detection: an endpoint that fails where others do not is left out for a while, and longer each time it comes back and fails.

import { formatDuration } from './duration.ts';
import type { DecodeReport } from './policy.ts';
import { COUNT, PERCENT, POSITIVE, type Range, SettingsReader } from './settings-reader.ts';

export interface OutlierPlan {
  /** In a row; 0: not judged by this. */
  readonly consecutive5xx: number;
  /** Connect failures, resets and expired tries in a row; 0: not judged by this. */
  readonly consecutiveLocalOriginFailures: number;
  /** How often `sweep` is due. */
  readonly intervalMs: number;
  /** The n-th ejection lasts n times as long, up to the maximum. */
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
  /** Of the endpoints, but at least one. */
  readonly maxEjectionPercent: number;
  /** While fewer than this share is healthy, health is ignored (by the backend's candidates). */
  readonly panicThresholdPercent: number;
  /** null: not judged by this. */
  readonly successRate: SuccessRatePlan | null;
}

/** Ejects what succeeds less often than the mean − stdevFactor × σ of the endpoints with enough requests in the interval. */
interface SuccessRatePlan {
  readonly minHosts: number;
  readonly minRequests: number;
  readonly stdevFactor: number;
}

export const DEFAULT_OUTLIER: OutlierPlan = {
  consecutive5xx: 5,
  consecutiveLocalOriginFailures: 5,
  intervalMs: 10_000,
  baseEjectionMs: 30_000,
  maxEjectionMs: 300_000,
  maxEjectionPercent: 10,
  panicThresholdPercent: 50,
  successRate: null,
};

/** The part of an endpoint's live state that is judged here. It counts outcomes itself, before `observe` is asked. */
export interface OutlierEndpoint {
  /** `address:port`. */
  readonly id: string;
  /** Monotonic ms; 0: never, or long past. */
  ejectedUntil: number;
  /** How often it was ejected, less what good intervals forgave. */
  ejections: number;
  consecutive5xx: number;
  consecutiveLocal: number;
  /** Since the last sweep. */
  windowRequests: number;
  windowFailures: number;
}

type EjectionCause = 'consecutive_5xx' | 'consecutive_local_origin' | 'success_rate' | 'shared';

/** For the log, and for the other threads: their clocks differ, so they are told `forMs`. */
export interface Ejection {
  /** Id of the endpoint. */
  readonly endpoint: string;
  readonly cause: EjectionCause;
  readonly untilMs: number;
  readonly forMs: number;
}

const NONE: readonly Ejection[] = [];
const DEFAULT_SUCCESS_RATE: SuccessRatePlan = { minHosts: 5, minRequests: 100, stdevFactor: 1.9 };
const FIELDS = [
  'consecutive5xx',
  'consecutiveLocalOriginFailures',
  'interval',
  'baseEjectionTime',
  'maxEjectionTime',
  'maxEjectionPercent',
  'panicThresholdPercent',
  'successRate',
];
const FACTOR: Range = { min: 0, max: 100 };

/** `outlierDetection` of a TrafficPolicy; null after a report. `successRate: {}` asks for the usual numbers. */
export function decodeOutlier(raw: unknown, path: string, report: DecodeReport): OutlierPlan | null {
  const settings = new SettingsReader(raw, path, report, FIELDS);
  const fallback = DEFAULT_OUTLIER;
  const local = 'consecutiveLocalOriginFailures';
  const plan: OutlierPlan = {
    consecutive5xx: settings.integer('consecutive5xx', COUNT, fallback.consecutive5xx),
    consecutiveLocalOriginFailures: settings.integer(local, COUNT, fallback[local]),
    intervalMs: settings.period('interval', fallback.intervalMs),
    baseEjectionMs: settings.period('baseEjectionTime', fallback.baseEjectionMs),
    maxEjectionMs: settings.period('maxEjectionTime', fallback.maxEjectionMs),
    maxEjectionPercent: settings.number('maxEjectionPercent', PERCENT, fallback.maxEjectionPercent),
    panicThresholdPercent: settings.number('panicThresholdPercent', PERCENT, fallback.panicThresholdPercent),
    successRate: settings.has('successRate') ? successRate(settings, report) : null,
  };
  if (settings.sound && plan.maxEjectionMs < plan.baseEjectionMs) {
    const base = formatDuration(plan.baseEjectionMs);
    settings.refuse(
      'maxEjectionTime',
      `${formatDuration(plan.maxEjectionMs)} is shorter than baseEjectionTime, ${base}`,
    );
  }
  return settings.sound ? plan : null;
}

export function describeOutlier(plan: OutlierPlan): string {
  const { successRate: rate } = plan;
  const causes = [
    plan.consecutive5xx > 0 ? `${plan.consecutive5xx} 5xx in a row` : '',
    plan.consecutiveLocalOriginFailures > 0 ? `${plan.consecutiveLocalOriginFailures} lost tries in a row` : '',
    rate === null ? '' : `success below mean − ${rate.stdevFactor} σ`,
  ];
  return (
    `outlier detection: ${causes.filter(Boolean).join(' or ') || 'nothing'} ejects for ` +
    `${formatDuration(plan.baseEjectionMs)} × times, at most ${formatDuration(plan.maxEjectionMs)} and ` +
    `${plan.maxEjectionPercent} %; ignored below ${plan.panicThresholdPercent} % healthy`
  );
}

/** Asked after a try that failed, when `endpoint` has counted it. Ejects the endpoint, or returns null. */
export function observe(
  plan: OutlierPlan,
  endpoints: readonly OutlierEndpoint[],
  endpoint: OutlierEndpoint,
  now: number,
): Ejection | null {
  if (plan.consecutive5xx > 0 && endpoint.consecutive5xx >= plan.consecutive5xx) {
    endpoint.consecutive5xx = 0;
    return mayEject(plan, endpoints, endpoint, now) ? eject(plan, endpoint, 'consecutive_5xx', now) : null;
  }
  const local = plan.consecutiveLocalOriginFailures;
  if (local > 0 && endpoint.consecutiveLocal >= local) {
    endpoint.consecutiveLocal = 0;
    return mayEject(plan, endpoints, endpoint, now) ? eject(plan, endpoint, 'consecutive_local_origin', now) : null;
  }
  return null;
}

/** Due every `intervalMs`: forgives, and judges the success rates of the interval that ends. */
export function sweep(plan: OutlierPlan, endpoints: readonly OutlierEndpoint[], now: number): readonly Ejection[] {
  for (const endpoint of endpoints) {
    if (endpoint.ejectedUntil > now) continue;
    if (endpoint.ejectedUntil === 0) {
      endpoint.ejections = Math.max(0, endpoint.ejections - 1);
      continue;
    }
    endpoint.ejectedUntil = 0;
    endpoint.consecutive5xx = 0;
    endpoint.consecutiveLocal = 0;
  }
  const ejected = plan.successRate === null ? NONE : ejectUnsuccessful(plan, plan.successRate, endpoints, now);
  for (const endpoint of endpoints) {
    endpoint.windowRequests = 0;
    endpoint.windowFailures = 0;
  }
  return ejected;
}

/** Takes over what another thread found out, within this plan's percentage; null: nothing changes here. */
export function adoptEjection(
  plan: OutlierPlan,
  endpoints: readonly OutlierEndpoint[],
  found: Pick<Ejection, 'endpoint' | 'forMs'>,
  now: number,
): Ejection | null {
  const endpoint = endpoints.find((one) => one.id === found.endpoint);
  if (endpoint === undefined || !mayEject(plan, endpoints, endpoint, now)) return null;
  endpoint.ejections += 1;
  endpoint.ejectedUntil = now + found.forMs;
  return { endpoint: endpoint.id, cause: 'shared', untilMs: endpoint.ejectedUntil, forMs: found.forMs };
}

function eject(plan: OutlierPlan, endpoint: OutlierEndpoint, cause: EjectionCause, now: number): Ejection {
  endpoint.ejections += 1;
  const forMs = Math.min(plan.baseEjectionMs * endpoint.ejections, plan.maxEjectionMs);
  endpoint.ejectedUntil = now + forMs;
  return { endpoint: endpoint.id, cause, untilMs: endpoint.ejectedUntil, forMs };
}

/** What was under way when an endpoint was ejected may fail later: that is no new offence. */
function mayEject(
  plan: OutlierPlan,
  endpoints: readonly OutlierEndpoint[],
  endpoint: OutlierEndpoint,
  now: number,
): boolean {
  if (endpoint.ejectedUntil > now) return false;
  let ejected = 0;
  for (const other of endpoints) if (other.ejectedUntil > now) ejected += 1;
  return ejected < Math.max(1, Math.floor((endpoints.length * plan.maxEjectionPercent) / 100));
}

/** The worst first, as long as the percentage allows. */
function ejectUnsuccessful(
  plan: OutlierPlan,
  { minHosts, minRequests, stdevFactor }: SuccessRatePlan,
  endpoints: readonly OutlierEndpoint[],
  now: number,
): readonly Ejection[] {
  const judged = endpoints.filter((one) => one.ejectedUntil === 0 && one.windowRequests >= minRequests);
  if (judged.length === 0 || judged.length < minHosts) return NONE;
  const mean = judged.reduce((sum, one) => sum + successOf(one), 0) / judged.length;
  const variance = judged.reduce((sum, one) => sum + (successOf(one) - mean) ** 2, 0) / judged.length;
  // Equal rates must not fall below their own mean by a rounding.
  const threshold = mean - stdevFactor * Math.sqrt(variance) - Number.EPSILON * 16;
  const ejected: Ejection[] = [];
  for (const endpoint of judged.sort((a, b) => successOf(a) - successOf(b))) {
    if (successOf(endpoint) >= threshold) break;
    if (!mayEject(plan, endpoints, endpoint, now)) break;
    ejected.push(eject(plan, endpoint, 'success_rate', now));
  }
  return ejected;
}

function successOf(endpoint: OutlierEndpoint): number {
  return 1 - endpoint.windowFailures / endpoint.windowRequests;
}

function successRate(settings: SettingsReader, report: DecodeReport): SuccessRatePlan {
  const known = Object.keys(DEFAULT_SUCCESS_RATE);
  const rate = new SettingsReader(settings.value('successRate'), settings.at('successRate'), report, known);
  const plan: SuccessRatePlan = {
    minHosts: rate.integer('minHosts', POSITIVE, DEFAULT_SUCCESS_RATE.minHosts),
    minRequests: rate.integer('minRequests', POSITIVE, DEFAULT_SUCCESS_RATE.minRequests),
    stdevFactor: rate.number('stdevFactor', FACTOR, DEFAULT_SUCCESS_RATE.stdevFactor),
  };
  settings.sound &&= rate.sound;
  return plan;
}
