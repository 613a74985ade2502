// `loadBalancing` of a TrafficPolicy: which endpoint takes a request.

import type { ConsistentHashPlan, LoadBalancingPlan, SlowStartPlan } from '../routing/load-balancing.ts';
import { formatDuration } from './duration.ts';
import type { DecodeReport } from './policy.ts';
import { PERCENT, quote, SettingsReader } from './settings-reader.ts';

const ALGORITHMS = ['PeakEWMA', 'LeastRequest', 'RoundRobin', 'Random', 'ConsistentHash'] as const;
const LOCALITIES = ['PreferZone', 'Strict', 'Any'] as const;
const SOURCES = ['header', 'cookie', 'query', 'sourceIP'] as const;
const AGGRESSION = { min: 1, max: 100 };

/** null after a report. Where nothing is said: PeakEWMA, or ConsistentHash if there is something to hash, in any zone. */
export function decodeLoadBalancing(raw: unknown, path: string, report: DecodeReport): LoadBalancingPlan | null {
  const settings = new SettingsReader(raw, path, report, ['algorithm', 'consistentHash', 'slowStart', 'locality']);
  const hash = settings.has('consistentHash')
    ? decodeHash(settings.value('consistentHash'), settings.at('consistentHash'), report)
    : null;
  const slowStart = settings.has('slowStart')
    ? decodeSlowStart(settings.value('slowStart'), settings.at('slowStart'), report)
    : null;
  const algorithm = choice(settings, 'algorithm', ALGORITHMS) ?? (hash === null ? 'PeakEWMA' : 'ConsistentHash');
  const locality = choice(settings, 'locality', LOCALITIES) ?? 'Any';
  if (algorithm === 'ConsistentHash' && !settings.has('consistentHash')) {
    settings.refuse('algorithm', 'ConsistentHash needs consistentHash: what requests are told apart by');
  }
  const isWhole =
    settings.sound &&
    (hash !== null || !settings.has('consistentHash')) &&
    (slowStart !== null || !settings.has('slowStart'));
  const consistentHash = algorithm === 'ConsistentHash' ? hash : null;
  return isWhole ? { algorithm, consistentHash, slowStart, locality } : null;
}

/** One line for `waypoint explain`. */
export function describeLoadBalancing(plan: LoadBalancingPlan): string {
  const { algorithm, consistentHash: hash, slowStart, locality } = plan;
  const parts: string[] = [algorithm];
  if (hash !== null) {
    parts.push(hash.source === 'sourceIP' ? 'by source address' : `by ${hash.source} ${hash.name}`);
  }
  if (slowStart !== null) {
    parts.push(`new endpoints start at ${slowStart.minWeightPercent} % for ${formatDuration(slowStart.windowMs)}`);
  }
  if (locality !== 'Any') parts.push(locality === 'Strict' ? 'own zone only' : 'own zone first');
  return `load balancing: ${parts.join('; ')}`;
}

function choice<T extends string>(settings: SettingsReader, field: string, values: readonly T[]): T | null {
  const raw = settings.value(field);
  if (raw === undefined) return null;
  const value = values.find((each) => each === raw);
  if (value === undefined) settings.refuse(field, `${quote(raw)} is none of ${values.join(', ')}`);
  return value ?? null;
}

function decodeHash(raw: unknown, path: string, report: DecodeReport): ConsistentHashPlan | null {
  const settings = new SettingsReader(raw, path, report, SOURCES);
  const named = SOURCES.filter((source) => settings.has(source));
  const source = named[0];
  if (source === undefined || named.length > 1) {
    settings.refuse('', `exactly one of ${SOURCES.join(', ')} must be set`);
    return null;
  }
  if (source === 'cookie') return decodeCookie(settings.value('cookie'), settings.at('cookie'), report);
  const value = settings.value(source);
  if (source === 'sourceIP') {
    if (value !== true) settings.refuse('sourceIP', 'is true or absent');
    return settings.sound ? { source, name: '', ttlMs: 0, path: '' } : null;
  }
  if (typeof value !== 'string' || value === '') settings.refuse(source, `${quote(value)} is no name`);
  const name = source === 'header' ? String(value).toLowerCase() : String(value);
  return settings.sound ? { source, name, ttlMs: 0, path: '' } : null;
}

function decodeCookie(raw: unknown, at: string, report: DecodeReport): ConsistentHashPlan | null {
  const settings = new SettingsReader(raw, at, report, ['name', 'ttl', 'path']);
  settings.mandatory('name');
  const { name = '', path = '/' } = (raw ?? {}) as { readonly name?: string; readonly path?: string };
  const ttlMs = settings.duration('ttl', 0);
  return settings.sound ? { source: 'cookie', name, ttlMs, path } : null;
}

function decodeSlowStart(raw: unknown, path: string, report: DecodeReport): SlowStartPlan | null {
  const settings = new SettingsReader(raw, path, report, ['window', 'minWeightPercent', 'aggression']);
  settings.mandatory('window');
  const plan = {
    windowMs: settings.period('window', 1),
    minWeightPercent: settings.number('minWeightPercent', PERCENT, 10),
    aggression: settings.number('aggression', AGGRESSION, 1),
  };
  return settings.sound ? plan : null;
}
