// Active checks: what is asked of every endpoint, and how many answers in a row change the opinion of it.

import { formatDuration } from './duration.ts';
import type { DecodeReport } from './policy.ts';
import { POSITIVE, quote, type Range, SettingsReader } from './settings-reader.ts';

export interface HealthCheckPlan {
  /** `tcp`: a connection is enough. */
  readonly kind: 'http' | 'tcp';
  /** With its query; '' for tcp. */
  readonly path: string;
  readonly expectedStatuses: readonly number[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Failures in a row that make an endpoint unhealthy, and successes that make it healthy again. */
  readonly unhealthyThreshold: number;
  readonly healthyThreshold: number;
}

const STATUS: Range = { min: 200, max: 599 };
const DEFAULT_STATUSES: readonly number[] = [200];
/** Origin form (RFC 9112 section 3.2.1), without a fragment. */
const TARGET = /^\/[!"$-;=?-~]*$/;

/** `healthCheck` of a TrafficPolicy; null after a report. */
export function decodeHealthCheck(raw: unknown, path: string, report: DecodeReport): HealthCheckPlan | null {
  const known = ['http', 'tcp', 'interval', 'timeout', 'unhealthyThreshold', 'healthyThreshold'];
  const settings = new SettingsReader(raw, path, report, known);
  if (settings.has('http') === settings.has('tcp')) settings.refuse('', 'needs either http or tcp');
  const probe = settings.has('http') ? httpProbe(settings, report) : tcpProbe(settings, report);
  const plan: HealthCheckPlan = {
    ...probe,
    intervalMs: settings.period('interval', 5_000),
    timeoutMs: settings.period('timeout', 1_000),
    unhealthyThreshold: settings.integer('unhealthyThreshold', POSITIVE, 3),
    healthyThreshold: settings.integer('healthyThreshold', POSITIVE, 2),
  };
  if (settings.sound && plan.timeoutMs > plan.intervalMs)
    settings.refuse(
      'timeout',
      `${formatDuration(plan.timeoutMs)} is longer than interval, ${formatDuration(plan.intervalMs)}`,
    );
  return settings.sound ? plan : null;
}

export function describeHealthCheck(plan: HealthCheckPlan): string {
  const probe = plan.kind === 'tcp' ? 'TCP connect' : `GET ${plan.path} gives ${plan.expectedStatuses.join(', ')}`;
  return (
    `health check: ${probe} within ${formatDuration(plan.timeoutMs)}, every ${formatDuration(plan.intervalMs)}; ` +
    `unhealthy after ${plan.unhealthyThreshold}, healthy after ${plan.healthyThreshold}`
  );
}

/** What the checks say of one endpoint. Healthy at first: discovery said that it is ready. */
export class HealthState {
  healthy = true;
  /** Results in a row that speak against `healthy`. */
  #against = 0;

  /** Takes in one result; null: the opinion stays. */
  result(ok: boolean, plan: HealthCheckPlan): 'healthy' | 'unhealthy' | null {
    if (ok === this.healthy) {
      this.#against = 0;
      return null;
    }
    this.#against += 1;
    if (this.#against < (ok ? plan.healthyThreshold : plan.unhealthyThreshold)) return null;
    this.#against = 0;
    this.healthy = ok;
    return ok ? 'healthy' : 'unhealthy';
  }
}

type Probe = Pick<HealthCheckPlan, 'kind' | 'path' | 'expectedStatuses'>;

function httpProbe(settings: SettingsReader, report: DecodeReport): Probe {
  const http = new SettingsReader(settings.value('http'), settings.at('http'), report, ['path', 'expectedStatuses']);
  http.mandatory('path');
  const path = http.value('path');
  if (path !== undefined && (typeof path !== 'string' || !TARGET.test(path)))
    http.refuse('path', `${quote(path)} is no path: write /healthz`);
  const expectedStatuses = http.integers('expectedStatuses', STATUS) ?? DEFAULT_STATUSES;
  if (expectedStatuses.length === 0 && http.sound) http.refuse('expectedStatuses', 'is empty: no answer would do');
  settings.sound &&= http.sound;
  return { kind: 'http', path: String(path), expectedStatuses };
}

function tcpProbe(settings: SettingsReader, report: DecodeReport): Probe {
  const tcp = new SettingsReader(settings.value('tcp') ?? {}, settings.at('tcp'), report, []);
  settings.sound &&= tcp.sound;
  return { kind: 'tcp', path: '', expectedStatuses: [] };
}
