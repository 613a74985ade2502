// The explanation of a request as one page for somebody who has never seen this waypoint.

import { printable } from '../ops/escape.ts';
import { accessLines } from './access-text.ts';
import { backendPolicyLines, choiceLines, rulePolicyLines, sessionLines } from './policy-text.ts';
import type { ExplainedBackend, ExplainedCandidate, ExplainedRule, ExplainReport } from './report.ts';
import { clientLines, tokenLines } from './who-text.ts';

/** Losing candidates that are listed; behind the winner only those that would match are of interest. */
const MOST = 50;

export function explainText(report: ExplainReport): string {
  const lines = [
    ...arrival(report),
    ...candidates(report),
    ...rule(report.rule),
    ...tokenLines(report.token),
    ...accessLines(report.access),
    ...outcome(report),
  ];
  return `${lines.map(printable).join('\n')}\n`;
}

function arrival(report: ExplainReport): string[] {
  const { request, bind, frontend } = report;
  const lines: string[] = [];
  if (request !== null) {
    const query = request.query === '' ? '' : `?${request.query}`;
    lines.push(`Request    ${request.method} ${request.path}${query}  (host ${request.authority})`);
  }
  if (bind !== null) lines.push(`Arrives at ${bind.id} of Gateway ${bind.gateway}, found by ${bind.found}`);
  lines.push(...clientLines(report));
  if (frontend === null) return lines;
  if (frontend.service !== null) lines.push(`Addressed  Service ${frontend.service}`);
  if (frontend.listener !== null) lines.push(`Listener   ${frontend.listener}`);
  const table = frontend.table ?? 'none: no route is attached, so the Service is forwarded to itself';
  lines.push(`Table      ${table}`);
  return lines;
}

function candidates({ candidates: all }: ExplainReport): string[] {
  if (all.length === 0) return [];
  const winner = all.findIndex((candidate) => candidate.wins);
  const behind = winner < 0 ? [] : all.slice(winner + 1);
  const before = winner < 0 ? all : all.slice(0, winner + 1);
  const skipped = Math.max(0, before.length - MOST);
  const shadowed = behind.filter((candidate) => candidate.mismatch === null);
  return [
    '',
    'Candidates, in order of precedence:',
    ...(skipped > 0 ? [`  … ${skipped} that do not match`] : []),
    ...before.slice(skipped).flatMap(candidateLines),
    ...shadowed.slice(0, MOST).flatMap(candidateLines),
    ...(behind.length > shadowed.length ? [`  (${behind.length - shadowed.length} more behind it do not match)`] : []),
  ];
}

function candidateLines(candidate: ExplainedCandidate): string[] {
  const { route, rule, hostname, match, mismatch, wins } = candidate;
  const mark = wins ? '=>' : mismatch === null ? ' ~' : ' x';
  const host = hostname === null ? '' : ` host ${hostname},`;
  const why = wins ? 'takes the request' : (mismatch ?? 'would match, but comes later');
  return [`${mark} ${route} rule ${rule}:${host} ${match}`, `     ${why}`];
}

function rule(rule: ExplainedRule | null): string[] {
  if (rule === null) return [];
  const lines = [
    '',
    `Rule       ${rule.kind === 'Default' ? 'default of Service' : rule.kind} ${rule.route}, rule ${rule.rule}`,
  ];
  if (rule.timeouts !== null) lines.push(`Timeouts   ${rule.timeouts}`);
  for (const filter of rule.filters) lines.push(`Filter     ${filter}`);
  for (const mirror of rule.mirrors) lines.push(`Mirror     ${mirror}`);
  lines.push(...rulePolicyLines(rule), ...sessionLines(rule.session));
  lines.push(...changes('Forwarded', rule.before, rule.after));
  for (const backend of rule.backends) lines.push(...backendLines(backend, rule));
  return lines;
}

/** The head with `-` and `+` before the lines that the filters took away and added. */
function changes(title: string, before: readonly string[], after: readonly string[]): string[] {
  const gone = before.filter((line) => !after.includes(line)).map((line) => `    - ${line}`);
  const kept = after.map((line) => `    ${before.includes(line) ? ' ' : '+'} ${line}`);
  return [`${title}, to which via, x-forwarded-* and x-request-id are added:`, ...gone, ...kept];
}

function backendLines(backend: ExplainedBackend, rule: ExplainedRule): string[] {
  const { failure, endpoints } = backend;
  const name = backend.backend ?? '(broken reference)';
  const lines = [`Backend    ${String(backend.percent).padStart(5)} %  ${name}`];
  if (failure !== null) lines.push(`           answered 500, ${failure.reason}: ${failure.message}`);
  for (const filter of backend.filters) lines.push(`           filter ${filter}`);
  for (const mirror of backend.mirrors) lines.push(`           mirror ${mirror}`);
  if (backend.after !== null) lines.push(...changes('           forwarded', rule.after, backend.after));
  if (backend.outside !== null) lines.push(`           outside, Host says ${backend.outside}`);
  if (backend.tls !== null) lines.push(`           ${backend.tls}`);
  if (backend.tlsFailure !== null) {
    lines.push(`           never connected, ${backend.tlsFailure.reason}: ${backend.tlsFailure.message}`);
  }
  lines.push(...backendPolicyLines(backend, rule), ...choiceLines(backend.choice));
  if (failure === null && endpoints.length === 0) {
    lines.push(`           no ${backend.outside === null ? 'endpoints' : 'address: DNS gave none'}`);
  }
  for (const endpoint of endpoints) {
    const address = endpoint.address.includes(':') ? `[${endpoint.address}]` : endpoint.address;
    const state = [endpoint.ready ? 'ready' : 'not ready', ...(endpoint.terminating ? ['terminating'] : [])].join(', ');
    const target = endpoint.name === null ? '' : `  ${endpoint.name}`;
    lines.push(`           ${endpoint.eligible ? '-' : 'x'} ${address}:${endpoint.port}  ${state}${target}`);
  }
  return lines;
}

function outcome({ answer, rule }: ExplainReport): string[] {
  if (answer !== null) {
    const status = answer.status === 0 ? 'none,' : String(answer.status);
    return ['', `Answer     ${status} ${answer.reason}: ${answer.message}`];
  }
  const broken = rule?.backends.some(({ percent, failure }) => percent > 0 && failure !== null) === true;
  return ['', broken ? 'Answer     forwarded, but for the share of the broken backends' : 'Answer     forwarded'];
}
