// Who asks, and may they: preflights, authentication, authorization, in this order and before everything that costs.

import type { AccessVerdict, AuthorizationPlan } from '../../policies/authorization.ts';
import type { Authorizer } from '../../policies/authorizer.ts';
import { applyRequestFilter } from '../../policies/index.ts';
import type { LocalReply } from '../../policies/policy.ts';
import { admit } from '../admission.ts';
import type { Exchange } from '../exchange.ts';
import { askExternally } from '../external/ask.ts';
import type { AuthVerdict } from '../external/external-auth.ts';
import type { TokenVerdict } from '../jwt/verdict.ts';
import { replyLocal } from '../local-reply.ts';
import type { Guard } from './guards.ts';

/** Nothing about the rule: who is turned away learns that he is, and no more. */
const DENIED: LocalReply = { status: 403, reason: 'access_denied', headers: [], body: 'RBAC: access denied' };

/** Leads a request past its guards and then to its limits; it may be answered on the way, or wait and go on by itself. */
export function guard(x: Exchange): void {
  if (x.head.method === 'OPTIONS' && answeredPreflight(x)) return;
  const found = x.snapshot.guards.of(x);
  if (found === null) {
    admit(x);
    return;
  }
  x.guard = found;
  if (found.authenticator === null) {
    authorize(x);
    return;
  }
  const verdict = found.authenticator.check(x);
  if (verdict !== null) authenticated(x, verdict);
  // Its keys are on their way, or its signature is being verified.
  else x.waiting = found.authenticator.wait(x, authenticated);
}

/** Browsers send preflights without credentials. */
function answeredPreflight(x: Exchange): boolean {
  for (const filter of x.plan?.plan.filters ?? []) {
    if (filter.kind !== 'CORS') continue;
    const reply = applyRequestFilter(filter, x);
    if (reply === null) continue;
    replyLocal(x, reply);
    return true;
  }
  return false;
}

function authenticated(x: Exchange, verdict: TokenVerdict): void {
  x.waiting = null;
  const { authenticator } = x.guard as Guard & { authenticator: NonNullable<Guard['authenticator']> };
  if (verdict.reply !== null) {
    x.deniedBy = verdict.policy;
    x.worker.metrics.count('authentication_failures', verdict.reason);
    replyLocal(x, verdict.reply);
    return;
  }
  x.token = verdict.token;
  authenticator.apply(verdict, x.head);
  authorize(x);
}

function authorize(x: Exchange): void {
  const { authorizer } = x.guard as Guard;
  if (authorizer === null) {
    admit(x);
    return;
  }
  const custom = authorizer.custom(x);
  if (custom.length === 0) {
    decide(x);
    return;
  }
  // A provider may change the head: then it is not what was decided about before, though the client repeats itself.
  x.downstream.last.verdict = null;
  askNext(x, custom, 0);
}

/** CUSTOM policies are asked one after the other: the first that refuses ends it. */
function askNext(x: Exchange, policies: readonly AuthorizationPlan[], index: number): void {
  const policy = policies[index];
  if (policy === undefined) {
    decide(x);
    return;
  }
  const { externalAuth } = policy;
  if (externalAuth === null) {
    denied(x, policy.policy, '', DENIED);
    return;
  }
  askExternally(x, externalAuth, (_, verdict: AuthVerdict) => {
    if (verdict.allowed) askNext(x, policies, index + 1);
    else denied(x, policy.policy, '', verdict.reply ?? DENIED);
  });
}

/** DENY, then ALLOW; what only watches is noted. */
function decide(x: Exchange): void {
  const { authorizer } = x.guard as Guard & { authorizer: NonNullable<Guard['authorizer']> };
  const verdict = verdictOn(x, authorizer);
  for (const policy of verdict.audited) x.audited += `${x.audited === '' ? '' : ', '}${policy}`;
  const shadowed = authorizer.shadowed(x, verdict);
  if (shadowed !== '') x.noteShadow('authorization', shadowed);
  if (verdict.allowed) {
    admit(x);
    return;
  }
  if (verdict.rule === '') x.detail = 'no rule of an ALLOW policy matches (waypoint explain says what each wants)';
  denied(x, verdict.policy, verdict.rule, DENIED);
}

/** All that is looked at is in the head, the peer and the token: where they are the same and nobody edited the head, so is the verdict. */
function verdictOn(x: Exchange, authorizer: Authorizer): AccessVerdict {
  const { last, parser } = x.downstream;
  if (parser.repeats && last.verdict !== null && last.guard === x.guard && last.token === x.token) return last.verdict;
  const verdict = authorizer.decide(x);
  last.guard = x.guard;
  last.token = x.token;
  last.verdict = verdict;
  return verdict;
}

function denied(x: Exchange, policy: string, rule: string, reply: LocalReply): void {
  x.deniedBy = policy;
  x.deniedRule = rule;
  x.worker.metrics.count('authorization_denials', `${policy}\n${rule}`);
  replyLocal(x, reply);
}
