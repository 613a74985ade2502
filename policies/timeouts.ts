// The time limits of a rule (GEP-1742): the client's whole transaction, and each try of it.

import { parseDuration } from './duration.ts';
import type { DecodeReport } from './policy.ts';

export interface TimeoutsPlan {
  /** From the request's head to the response's last byte, all tries and waits included. 0: no limit. */
  readonly requestMs: number;
  /** Each try, until its full response. 0: no limit. */
  readonly backendRequestMs: number;
}

/** null when the rule sets no limit (`0s` means none), and after a report when a value is no duration. */
export function decodeTimeouts(
  settings: { readonly request?: string; readonly backendRequest?: string } | undefined,
  path: string,
  report: DecodeReport,
): TimeoutsPlan | null {
  if (settings === undefined) return null;
  const requestMs = limit(settings.request, `${path}.request`, report);
  const backendRequestMs = limit(settings.backendRequest, `${path}.backendRequest`, report);
  if (requestMs !== 0 && backendRequestMs > requestMs) {
    report.unsupported(
      `${path}.backendRequest`,
      `${settings.backendRequest} is longer than request: ${settings.request}`,
    );
  }
  return requestMs === 0 && backendRequestMs === 0 ? null : { requestMs, backendRequestMs };
}

function limit(text: string | undefined, path: string, report: DecodeReport): number {
  if (text === undefined) return 0;
  const ms = parseDuration(text);
  if (ms === null) report.unsupported(path, `"${text}" is no duration: write 10s, 500ms or 1m30s (GEP-2257)`);
  return ms ?? 0;
}
