// Asks an external authorizer whether a request may pass.

import type { ExternalAuthPlan } from '../../policies/external-auth.ts';
import type { HeaderEdits, HeaderLine } from '../../policies/header-edits.ts';
import type { LocalReply } from '../../policies/policy.ts';
import type { Exchange } from '../exchange.ts';

export interface Waiting {
  cancel(): void;
}

export interface AuthVerdict {
  readonly allowed: boolean;
  readonly reply: LocalReply | null;
  readonly edits: HeaderEdits | null;
  readonly responseHeaders: readonly HeaderLine[];
  readonly reason: string;
}

export function askExternalAuth(
  x: Exchange,
  plan: ExternalAuthPlan,
  done: (x: Exchange, verdict: AuthVerdict) => void,
): Waiting {
  const reply = { status: plan.statusOnError, reason: 'external_auth_failed', headers: [], body: '' };
  const timer = setImmediate(() => done(x, { allowed: false, reply, edits: null, responseHeaders: [], reason: reply.reason }));
  return { cancel: () => clearImmediate(timer) };
}
