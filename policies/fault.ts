// Faults on purpose: some requests are delayed or answered with an error, to see how their clients take it.

import { formatDuration } from './duration.ts';
import type { DecodeReport, LocalReply } from './policy.ts';
import { PERCENT, type Range, SettingsReader } from './settings-reader.ts';

export interface FaultPlan {
  /** 0: no delays. */
  readonly delayMs: number;
  readonly delayPercent: number;
  /** 0: no aborts. */
  readonly abortStatus: number;
  readonly abortPercent: number;
}

/** First the wait, then the answer in place of the backend's; both may hit the same request. */
export interface Fault {
  readonly delayMs: number;
  /** 0: the request goes on. */
  readonly abortStatus: number;
}

const NO_FAULT: Fault = { delayMs: 0, abortStatus: 0 };
const STATUS: Range = { min: 200, max: 599 };

/** `fault` of a TrafficPolicy; null after a report. How many requests it hits is always written, never assumed. */
export function decodeFault(raw: unknown, path: string, report: DecodeReport): FaultPlan | null {
  const settings = new SettingsReader(raw, path, report, ['delay', 'abort']);
  const plan = { delayMs: 0, delayPercent: 0, abortStatus: 0, abortPercent: 0 };
  if (settings.has('delay')) {
    const delay = new SettingsReader(settings.value('delay'), settings.at('delay'), report, ['duration', 'percent']);
    delay.mandatory('duration', 'percent');
    plan.delayMs = delay.period('duration', 0);
    plan.delayPercent = delay.number('percent', PERCENT, 0);
    settings.sound &&= delay.sound;
  }
  if (settings.has('abort')) {
    const abort = new SettingsReader(settings.value('abort'), settings.at('abort'), report, ['httpStatus', 'percent']);
    abort.mandatory('httpStatus', 'percent');
    plan.abortStatus = abort.integer('httpStatus', STATUS, 0);
    plan.abortPercent = abort.number('percent', PERCENT, 0);
    settings.sound &&= abort.sound;
  }
  return settings.sound ? plan : null;
}

/** `random` in [0, 1), drawn once for the delay and once for the abort. */
export function decideFault(plan: FaultPlan, random: () => number): Fault {
  const delayed = hit(plan.delayPercent, random);
  const aborted = hit(plan.abortPercent, random);
  if (!delayed && !aborted) return NO_FAULT;
  return { delayMs: delayed ? plan.delayMs : 0, abortStatus: aborted ? plan.abortStatus : 0 };
}

export function faultReply(status: number): LocalReply {
  return { status, reason: 'fault_abort', headers: [], body: 'fault injected\n' };
}

export function describeFault(plan: FaultPlan): string {
  const parts = [
    plan.delayMs > 0 ? `${plan.delayPercent} % delayed by ${formatDuration(plan.delayMs)}` : '',
    plan.abortStatus > 0 ? `${plan.abortPercent} % answered ${plan.abortStatus}` : '',
  ];
  return `fault: ${parts.filter(Boolean).join(', ') || 'none'}`;
}

function hit(percent: number, random: () => number): boolean {
  return percent > 0 && random() * 100 < percent;
}
