// Connections to the endpoints of a backend: how long opening one may take, and when one is closed again.

import { parseDuration } from './duration.ts';
import type { DecodeReport } from './policy.ts';
import type { ConnectionsPlan } from './traffic.ts';

interface Settings {
  readonly connectTimeout?: string;
  readonly idleTimeout?: string;
  readonly maxRequestsPerConnection?: number;
  readonly maxAge?: string;
}

/** null after a report. */
export function decodeConnections(raw: unknown, path: string, report: DecodeReport): ConnectionsPlan | null {
  const settings = (raw ?? {}) as Settings;
  let failed = false;
  const time = (name: 'connectTimeout' | 'idleTimeout' | 'maxAge'): number | null => {
    const text = settings[name];
    if (text === undefined) return null;
    const ms = parseDuration(text);
    if (ms !== null) return ms;
    failed = true;
    report.unsupported(`${path}.${name}`, `"${text}" is no duration: write 10s, 500ms or 1m30s (GEP-2257)`);
    return null;
  };
  const plan = {
    connectTimeoutMs: time('connectTimeout'),
    idleTimeoutMs: time('idleTimeout'),
    maxRequestsPerConnection: settings.maxRequestsPerConnection ?? 0,
    maxAgeMs: time('maxAge') ?? 0,
  };
  return failed ? null : plan;
}
