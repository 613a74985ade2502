// `connections` of a TrafficPolicy: how long opening one to an endpoint may take, and when one is closed again.

import { formatDuration } from './duration.ts';
import type { DecodeReport } from './policy.ts';
import { COUNT, quote, SettingsReader } from './settings-reader.ts';
import type { ConnectionsPlan, ProxyProtocol } from './traffic.ts';

const VERSIONS: readonly ProxyProtocol[] = ['V1', 'V2'];

/** null after a report. */
export function decodeConnections(raw: unknown, path: string, report: DecodeReport): ConnectionsPlan | null {
  const known = ['connectTimeout', 'idleTimeout', 'maxRequestsPerConnection', 'maxAge', 'proxyProtocol'];
  const settings = new SettingsReader(raw, path, report, known);
  const plan = {
    connectTimeoutMs: settings.has('connectTimeout') ? settings.period('connectTimeout', 0) : null,
    idleTimeoutMs: settings.has('idleTimeout') ? settings.duration('idleTimeout', 0) : null,
    maxRequestsPerConnection: settings.integer('maxRequestsPerConnection', COUNT, 0),
    maxAgeMs: settings.duration('maxAge', 0),
    proxyProtocol: versionOf(settings),
  };
  return settings.sound ? plan : null;
}

function versionOf(settings: SettingsReader): ProxyProtocol | null {
  const raw = settings.value('proxyProtocol');
  const version = VERSIONS.find((known) => known === raw) ?? null;
  if (raw !== undefined && version === null) settings.refuse('proxyProtocol', `${quote(raw)} is not one of V1, V2`);
  return version;
}

/** One line for `waypoint explain`. */
export function describeConnections(plan: ConnectionsPlan): string {
  const { connectTimeoutMs, idleTimeoutMs, maxRequestsPerConnection, maxAgeMs, proxyProtocol } = plan;
  const parts: string[] = [];
  if (connectTimeoutMs !== null) parts.push(`opened within ${formatDuration(connectTimeoutMs)}`);
  if (idleTimeoutMs !== null) {
    parts.push(idleTimeoutMs === 0 ? 'kept while idle' : `closed after ${formatDuration(idleTimeoutMs)} of idleness`);
  }
  if (maxRequestsPerConnection > 0) parts.push(`at most ${maxRequestsPerConnection} requests each`);
  if (maxAgeMs > 0) parts.push(`at most ${formatDuration(maxAgeMs)} old`);
  if (proxyProtocol !== null) parts.push(`announce their client by PROXY protocol ${proxyProtocol}`);
  return `connections: ${parts.join('; ') || 'without limits'}`;
}
