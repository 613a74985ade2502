// Rate limits and faults: what the policy of the chosen backend lets through, holds back or answers itself.

import { decideFault, faultReply } from '../policies/fault.ts';
import type { LocalReply } from '../policies/policy.ts';
import type { Exchange } from './exchange.ts';
import { askRateLimit, type RateVerdict } from './external/rate-limit.ts';
import { proceed } from './filtering.ts';
import { replyLocal } from './local-reply.ts';

/** Lets the request go on to its filters; or it is answered, or waits and goes on by itself. */
export function admit(x: Exchange): void {
  const { enforced, shadow } = x.policies;
  if (shadow !== null) noteShadow(x);
  if (enforced.limiter !== null) {
    const reply = enforced.limiter.check(x, x.worker.sharedNow());
    if (reply !== null) {
      limited(x, reply);
      return;
    }
  }
  const global = enforced.plan.rateLimit?.global ?? null;
  if (global === null) chance(x);
  else x.waiting = askRateLimit(x, global, judged);
}

/** What the rate limit service says. */
function judged(x: Exchange, { reply, requestHeaders, responseHeaders, detail }: RateVerdict): void {
  x.waiting = null;
  if (x.done) return;
  if (detail !== '') x.detail = detail;
  for (const [name, value] of requestHeaders) x.head.fields.append(name, value);
  for (const header of responseHeaders) x.addResponseHeader(header);
  if (reply === null) chance(x);
  else limited(x, reply);
}

function limited(x: Exchange, reply: LocalReply): void {
  x.flag = 'RL';
  replyLocal(x, reply);
}

/** Faults on purpose. */
function chance(x: Exchange): void {
  const { fault } = x.policies.enforced.plan;
  if (fault === null) {
    proceed(x);
    return;
  }
  const { delayMs, abortStatus } = decideFault(fault, x.worker.random);
  if (delayMs > 0) {
    x.flag = 'DI';
    x.pause = setTimeout(resume, delayMs, x, abortStatus);
  } else if (abortStatus === 0 || aborted(x, abortStatus)) proceed(x);
}

function resume(x: Exchange, abortStatus: number): void {
  x.pause = null;
  if (x.done) return;
  // The delay is not the endpoint's.
  x.now = performance.now();
  if (abortStatus === 0 || aborted(x, abortStatus)) proceed(x);
}

function aborted(x: Exchange, status: number): false {
  x.flag = 'FI';
  replyLocal(x, faultReply(status));
  return false;
}

/** Decides as if the policies in mode Shadow were in force, and notes what differs. */
function noteShadow(x: Exchange): void {
  const { enforced, shadow } = x.policies;
  if (shadow === null) return;
  if (shadow.limiter !== null && shadow.limiter !== enforced.limiter) {
    const reply = shadow.limiter.check(x, x.worker.sharedNow());
    if (reply !== null) x.noteShadow('rate_limit', reply.reason);
  }
  const global = shadow.plan.rateLimit?.global ?? null;
  // Asked beside the request, which neither waits for the verdict nor is changed by it.
  if (global !== null && global !== enforced.plan.rateLimit?.global) askRateLimit(x, global, noteVerdict);
  const { fault } = shadow.plan;
  if (fault === null || fault === enforced.plan.fault) return;
  const { delayMs, abortStatus } = decideFault(fault, x.worker.random);
  if (delayMs > 0) x.noteShadow('fault', `delay_${delayMs}ms`);
  if (abortStatus > 0) x.noteShadow('fault', `abort_${abortStatus}`);
}

/** Where the request is over by then, its log line is written without it, and the count is right all the same. */
function noteVerdict(x: Exchange, { reply }: RateVerdict): void {
  if (reply !== null) x.noteShadow('rate_limit', reply.reason);
}
