// What an answer says about who gave it: the waypoint, somebody who guards the workload, or the workload itself.

import { hopName } from '../../hop-name.ts';
import type { Probed } from './probe.ts';

/** `open`: a way around the waypoint. */
type Verdict = 'waypoint' | 'open' | 'guarded' | 'refused' | 'unreachable';

export interface Judged {
  readonly verdict: Verdict;
  readonly detail: string;
}

/**
 * A request that a waypoint of this Gateway answers by itself, since its own mark is in `Via`: so it is known by its
 * answer, and nothing behind it is bothered.
 */
export function markedRequest(gateway: string, host: string): string {
  const lines = ['GET / HTTP/1.1', `host: ${host}`, `via: 1.1 ${hopName(gateway)}`, 'user-agent: waypoint-verify'];
  return `${lines.join('\r\n')}\r\nconnection: close\r\n\r\n`;
}

const STATUS = /^HTTP\/1\.[01] (\d{3})/;
/** What Envoy's and our own authorization say. */
const DENIED = 'RBAC: access denied';

/** `wants`: a workload that speaks TLS may close a connection that does not. */
export function judge({ outcome, text }: Probed, wants: 'TLS' | 'cleartext'): Judged {
  if (outcome === 'refused' || outcome === 'unreachable') return { verdict: outcome, detail: text };
  if (outcome === 'silent') return { verdict: 'open', detail: 'accepts connections' };
  if (outcome === 'closed') {
    if (wants === 'TLS') return { verdict: 'open', detail: 'accepts connections, and wants TLS' };
    return { verdict: 'guarded', detail: 'accepts connections, and closes them at a request' };
  }
  const status = STATUS.exec(text)?.[1];
  if (status === undefined) return { verdict: 'open', detail: 'answers, not in HTTP' };
  if (status === '508' && text.includes('already passed here')) return { verdict: 'waypoint', detail: 'the waypoint' };
  if (status === '403' && text.includes(DENIED)) return { verdict: 'guarded', detail: `answers 403 ${DENIED}` };
  return { verdict: 'open', detail: `answers ${status}` };
}
