// What an external authorizer's answer amounts to.

import type { ExternalAuthPlan } from '../../policies/external-auth.ts';
import type { HeaderEdits, HeaderLine } from '../../policies/header-edits.ts';
import { isAnswerable } from '../../policies/header-edits.ts';
import { includes } from '../../policies/header-names.ts';
import type { LocalReply } from '../../policies/policy.ts';
import type { QueryEdits } from '../../policies/query-edits.ts';

export interface AuthVerdict {
  readonly allowed: boolean;
  /** What the client is answered where it is not allowed. */
  readonly reply: LocalReply | null;
  /** Of the request; null: none. */
  readonly edits: HeaderEdits | null;
  /** For the answer, whoever gives it. */
  readonly responseHeaders: readonly HeaderLine[];
  /** One of a bounded set: `allowed`, `denied`, or why nobody said either. */
  readonly reason: string;
}

/** Consent, before it is applied: the query is no header. */
export interface Consent {
  readonly edits: HeaderEdits | null;
  readonly query: QueryEdits | null;
  readonly responseHeaders: readonly HeaderLine[];
}

/** `body` in Latin-1. */
export interface Refusal {
  readonly status: number;
  readonly headers: readonly HeaderLine[];
  readonly body: string;
}

/** Without these a refusal says nothing, or says it unreadably: the client always learns them. */
const TOLD: ReadonlySet<string> = new Set(['www-authenticate', 'location', 'content-type', 'content-encoding']);

export function denied(plan: ExternalAuthPlan, { status, headers, body }: Refusal): AuthVerdict {
  const names = plan.clientHeadersOnDeny;
  const told = headers.filter(
    ([name]) => isAnswerable(name) && name !== 'host' && (names === null || TOLD.has(name) || includes(names, name)),
  );
  const reply = { status, reason: 'external_auth_denied', headers: told, body };
  return { allowed: false, reply, edits: null, responseHeaders: [], reason: 'denied' };
}

/** Nobody said whether it is allowed. `reason` is one of a bounded set. */
export function undecided(plan: ExternalAuthPlan, reason: string): AuthVerdict {
  if (plan.failOpen && plan.failure === null)
    return { allowed: true, reply: null, edits: null, responseHeaders: [], reason: `${reason}_open` };
  const reply = { status: plan.statusOnError, reason: `external_auth_${reason}`, headers: [], body: '' };
  return { allowed: false, reply, edits: null, responseHeaders: [], reason };
}
