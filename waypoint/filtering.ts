// The filters of the rule, then those of the chosen backend, in listed order; then the request is on its way.

import { applyRequestFilter, type Filter } from '../policies/index.ts';
import type { MirrorPlan } from '../policies/mirror.ts';
import { noteCopies, sendCopies } from './copies.ts';
import { FAILURES, snake } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { askExternally } from './external/ask.ts';
import type { AuthVerdict } from './external/external-auth.ts';
import { replyFailure, replyLocal } from './local-reply.ts';
import { attempt } from './tries.ts';

/** What follows once the request is admitted; called again where a filter had to wait. */
export function proceed(x: Exchange): void {
  const { plan } = x.plan as NonNullable<Exchange['plan']>;
  if (!x.ruleFiltered) {
    if (!filtered(x, plan.filters, plan.mirrors)) return;
    x.ruleFiltered = true;
    x.filterAt = 0;
    if (!hasBackend(x)) return;
  }
  if (x.share !== null && !filtered(x, x.share.filters, x.share.mirrors)) return;
  sendCopies(x);
  attempt(x);
}

/** Runs filters from where it stopped; a copy is noted where its mirror stands among them. false: answered, or waiting. */
function filtered(x: Exchange, filters: readonly Filter[], mirrors: readonly MirrorPlan[]): boolean {
  if (filters.length === 0 && mirrors.length === 0) return true;
  while (x.filterAt <= filters.length) {
    const position = x.filterAt++;
    if (mirrors.length > 0) noteCopies(x, mirrors, position);
    const filter = filters[position];
    if (filter === undefined) break;
    if (filter.kind === 'ExternalAuth') {
      askExternally(x, filter.plan, answered);
      return false;
    }
    const reply = applyRequestFilter(filter, x);
    if (reply === null) continue;
    replyLocal(x, reply);
    return false;
  }
  return true;
}

function answered(x: Exchange, { allowed, reply }: AuthVerdict): void {
  if (allowed) proceed(x);
  else replyLocal(x, reply as NonNullable<typeof reply>);
}

/** false: there is nothing to forward to, or its reference is broken, and the request was answered so. */
function hasBackend(x: Exchange): boolean {
  if (x.backend !== null) return true;
  const failure = x.share?.failure ?? null;
  const reason = failure === null ? FAILURES.noBackend.reason : snake(failure.reason);
  const detail = failure?.message ?? 'the rule has no backendRef with a weight above 0';
  replyFailure(x, { ...FAILURES.noBackend, reason }, detail);
  return false;
}
