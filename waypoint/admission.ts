// Rate limits and faults: what the policy of the chosen backend lets through, holds back or answers itself.

import { decideFault, faultReply } from '../policies/fault.ts';
import type { Exchange } from './exchange.ts';
import { replyLocal } from './local-reply.ts';
import { proceed } from './serve.ts';

/** false: the request was answered, or waits out a delay and goes on by itself. */
export function admitted(x: Exchange): boolean {
  const { enforced, shadow } = x.policies;
  if (shadow !== null) noteShadow(x);
  if (enforced.limiter !== null) {
    const reply = enforced.limiter.check(x, x.worker.sharedNow());
    if (reply !== null) {
      x.flag = 'RL';
      replyLocal(x, reply);
      return false;
    }
  }
  const { fault } = enforced.plan;
  if (fault === null) return true;
  const { delayMs, abortStatus } = decideFault(fault, x.worker.random);
  if (delayMs > 0) {
    x.flag = 'DI';
    x.pause = setTimeout(resume, delayMs, x, abortStatus);
    return false;
  }
  return abortStatus === 0 || aborted(x, abortStatus);
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
  const { fault } = shadow.plan;
  if (fault === null || fault === enforced.plan.fault) return;
  const { delayMs, abortStatus } = decideFault(fault, x.worker.random);
  if (delayMs > 0) x.noteShadow('fault', `delay_${delayMs}ms`);
  if (abortStatus > 0) x.noteShadow('fault', `abort_${abortStatus}`);
}
