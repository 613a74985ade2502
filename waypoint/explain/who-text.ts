// Who asks, by certificate and by token, as lines of the page of an explanation.

import type { ExplainedToken, ExplainReport } from './report.ts';

export function clientLines({ tls, client }: ExplainReport): string[] {
  const known = client === '' ? [] : [`Client     ${client}`];
  if (tls === null) return known;
  const { serverName, listener, certificates } = tls;
  const name = serverName === null ? 'without a name (SNI)' : `for ${serverName} (SNI)`;
  const presented = listener === null ? 'nobody answers' : `${listener} presents ${certificates.join(' or ')}`;
  return [`TLS        ${name}: ${presented}`, ...known];
}

export function tokenLines(token: ExplainedToken | null): string[] {
  if (token === null) return [];
  const { state, principal, policy, reason } = token;
  const whose = principal === '' ? 'of nobody: it has no subject' : `of ${principal}`;
  const by = policy === '' ? '' : `, by ${policy}`;
  if (state === 'refused') return ['', `Token      refused: ${reason}${by}`];
  if (state === 'verified') return ['', `Token      verified, ${whose}${by}`];
  return ['', `Token      NOT verified, its keys are not known here; taken for valid: ${whose}${by}`];
}
