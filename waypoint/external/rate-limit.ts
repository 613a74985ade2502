// Asks a rate limit service about a request.

import type { HeaderLine } from '../../policies/header-edits.ts';
import type { LocalReply } from '../../policies/policy.ts';
import type { GlobalRateLimitPlan } from '../../policies/rate-limit-global.ts';
import type { Exchange } from '../exchange.ts';
import type { Waiting } from './external-auth.ts';

/** `reply`: null lets it pass. */
export interface RateVerdict {
  readonly reply: LocalReply | null;
  readonly responseHeaders: readonly HeaderLine[];
}

export function askRateLimit(
  x: Exchange,
  plan: GlobalRateLimitPlan,
  done: (x: Exchange, verdict: RateVerdict) => void,
): Waiting {
  const reply = plan.failOpen ? null : { status: 500, reason: 'rate_limit_failed', headers: [], body: '' };
  const timer = setImmediate(() => done(x, { reply, responseHeaders: [] }));
  return { cancel: () => clearImmediate(timer) };
}
