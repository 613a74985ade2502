// Conditions, limits and answers in the words of the Gateway API.

import type { BackendTlsPlan, RoutePlan } from '../../policies/plan.ts';
import type { LocalReply } from '../../policies/policy.ts';
import type { RouteMatch, ValueMatch } from '../../routing/condition.ts';
import type { Mismatch } from '../../routing/conditions.ts';

/** `PathPrefix /orders, method GET, header x-canary = 1`. */
export function matchWords(match: RouteMatch): string {
  const words = [`${match.path.type} ${match.path.value}`];
  if (match.method !== null) words.push(`method ${match.method}`);
  for (const header of match.headers) words.push(`header ${valueWords(header)}`);
  for (const parameter of match.query) words.push(`query ${valueWords(parameter)}`);
  return words.join(', ');
}

/** `header x-canary is '0', not Exact 1`. */
export function mismatchWords({ which, name, wanted, got }: Mismatch): string {
  const what = name === null ? which : `${which} ${name}`;
  return got === null ? `${what} is absent, ${wanted} is wanted` : `${what} is '${got}', not ${wanted}`;
}

/** null: no limit. */
export function timeoutsWords({ timeouts }: RoutePlan): string | null {
  if (timeouts === null) return null;
  const words: string[] = [];
  if (timeouts.requestMs > 0) words.push(`request ${timeouts.requestMs} ms`);
  if (timeouts.backendRequestMs > 0) words.push(`each try ${timeouts.backendRequestMs} ms`);
  return words.join(', ');
}

/** `location: http://...` */
export function replyWords({ headers, body }: LocalReply): string {
  return [...headers.map(([name, value]) => `${name}: ${value}`), body.trim()].filter((line) => line !== '').join(', ');
}

function valueWords({ name, type, value }: ValueMatch): string {
  return `${name} ${type === 'Exact' ? '=' : '~'} ${value}`;
}

/** `TLS with orders.example, certified by ConfigMap shop/ca for spiffe://…, shown Secret shop/own`. */
export function tlsWords({ serverName, names, authorities, certificate }: BackendTlsPlan): string {
  const server = serverName === null ? 'TLS' : `TLS with ${serverName}`;
  const trust = authorities.length === 0 ? 'certified by nobody' : `certified by ${authorities.join(' or ')}`;
  const meant = names.length === 0 ? '' : ` for ${names.map(({ value }) => value).join(' or ')}`;
  return `${server}, ${trust}${meant}${certificate === null ? '' : `, shown ${certificate}`}`;
}
