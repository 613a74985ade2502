// Which endpoint is tried, whether a try that failed is followed by another, and when; every decision is noted for log and metrics.

import { backoffMs } from '../policies/backoff.ts';
import { type CircuitKind, type CircuitLimit, overflowReply } from '../policies/circuit-breaker.ts';
import { rateLimitKey } from '../policies/rate-limit-key.ts';
import { decideHedge, decideRetry, type RetryDecision, type RetryFacts, type TryFailure } from '../policies/retry.ts';
import type { RequestPolicy } from '../policies/traffic.ts';
import type { Endpoint } from '../routing/endpoint.ts';
import { hashKey } from '../routing/hash-key.ts';
import type { ConsistentHashPlan } from '../routing/load-balancing.ts';
import { Attempt, outcomeOf } from './attempt.ts';
import { FAILURES, type Failure } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { replyFailure, replyLocal } from './local-reply.ts';
import { type BackendState, stateOf } from './upstream/backend-state.ts';
import type { UpstreamConnection } from './upstream/connection.ts';

/** Begins the first try of an exchange whose backend is chosen. */
export function attempt(x: Exchange): void {
  const state = stateOf(x.backend as NonNullable<Exchange['backend']>);
  // Before it counts itself, or it would stand in its own way.
  if (state.shadowLimits !== null) noteShadowLimit(x, state, 'requests');
  const limit = state.admit('requests');
  if (limit !== null) {
    overflowed(x, limit);
    return;
  }
  x.admittedBy = state;
  if (state.authority !== null) x.head.forwardAuthority ??= state.authority;
  state.budget.request(x.startedAt);
  if (x.now === 0) x.now = x.startedAt;
  launch(x, state);
}

/** A circuit limit is met: answered 503, and counted by which. */
export function overflowed(x: Exchange, limit: CircuitLimit): void {
  x.flag = 'UO';
  x.worker.metrics.count('circuit_overflows', limit);
  replyLocal(x, overflowReply(limit));
}

function launch(x: Exchange, state: BackendState): void {
  const endpoint = pick(x, state);
  if (endpoint === null) {
    if (x.tries > 0) state.circuit.release('retries');
    const detail = `${x.backend?.id}: no endpoint is ready or serving (is an EndpointSlice there?)`;
    replyFailure(x, FAILURES.noEndpoint, detail);
    return;
  }
  x.tries++;
  x.endpoint = endpoint;
  const current = new Attempt(x, endpoint, state);
  x.attempt = current;
  current.start();
}

/** The session's endpoint on the first try, else the balancer's choice. */
function pick(x: Exchange, state: BackendState): Endpoint | null {
  const { backend } = state;
  if (x.session !== null && x.tries === 0) {
    const known = backend.persistent(x.session.endpoint, x.now);
    if (known !== null) return known;
    x.session = null;
  }
  const { enforced, shadow } = x.policies;
  const hash = enforced.balancer === null ? state.hash : enforced.hash;
  if (hash !== null) x.hash = keyOf(x, hash);
  const chosen = backend.pick(x, enforced.balancer ?? backend.balancer);
  if (shadow !== null && shadow.balancer !== null && stateless(shadow.plan)) {
    const other = backend.pick(x, shadow.balancer);
    if (other !== chosen && other !== null) x.noteShadow('load_balancing', other.id);
  }
  return chosen;
}

/** Whether asking this choice leaves no trace: turns that are taken in vain would move the real ones. */
function stateless({ loadBalancing }: RequestPolicy): boolean {
  if (loadBalancing === null || loadBalancing.algorithm === 'RoundRobin') return false;
  return loadBalancing.algorithm !== 'LeastRequest' || loadBalancing.slowStart === null;
}

function keyOf(x: Exchange, plan: ConsistentHashPlan): number {
  let key = rateLimitKey([plan], x);
  if (key === '' && plan.source === 'cookie' && x.hash === 0) {
    key = x.id;
    const age = plan.ttlMs > 0 ? `; Max-Age=${Math.ceil(plan.ttlMs / 1000)}` : '';
    x.setCookie = `${plan.name}=${key}; Path=${plan.path}${age}; HttpOnly; SameSite=Lax`;
    return hashKey(key);
  }
  return key === '' ? x.hash : hashKey(key);
}

/** A try ended without an answer. false: it is not repeated, and the caller says so. */
export function failed(x: Exchange, failure: Failure, sent: boolean, connection: UpstreamConnection): boolean {
  const cause = CAUSES.get(failure);
  if (cause === undefined) return false;
  return again(x, new Facts(x, cause, 0, sent, connection));
}

/** Whether the answer of a try is thrown away, since another try is better than it. */
export function unwanted(current: Attempt, status: number): boolean {
  const x = current.exchange;
  const { enforced, shadow } = x.policies;
  if (enforced.plan.retry === null && shadow?.plan.retry == null && x.rival === null) return false;
  const facts = new Facts(x, null, status, true, current.connection as UpstreamConnection);
  // While a hedge is under way its answer may be a better one.
  if (x.rival !== null && decideRetry(enforced.plan.retry, { ...facts, tries: 0 } as Facts).retry) {
    x.drop(current);
    current.discard(outcomeOf(status));
    return true;
  }
  if (enforced.plan.retry === null && shadow?.plan.retry == null) return false;
  if (!again(x, facts)) return false;
  current.discard(outcomeOf(status));
  return true;
}

/** Decides, notes the decision, and if it is a yes starts the next try now or after its back-off. */
function again(x: Exchange, facts: Facts): boolean {
  const { enforced, shadow } = x.policies;
  const decision = decideRetry(enforced.plan.retry, facts);
  note(x, decision);
  const promoted = shadow?.plan.retry ?? null;
  if (promoted !== null) {
    const other = decideRetry(promoted, facts);
    if (other.retry !== decision.retry) x.noteShadow(other.retry ? 'retry' : 'no_retry', other.reason);
  }
  if (!decision.retry) return false;
  const state = x.admittedBy as BackendState;
  state.budget.take(facts.now);
  noteShadowLimit(x, state, 'retries');
  state.circuit.add('retries');
  if (x.endpoint !== null) x.avoidNow(x.endpoint);
  x.attempt = null;
  if (facts.waitMs < 1) relaunch(x);
  else x.pause = setTimeout(relaunch, facts.waitMs, x);
  return true;
}

function relaunch(x: Exchange): void {
  x.pause = null;
  const state = x.admittedBy as BackendState;
  if (x.done) {
    state.circuit.release('retries');
    return;
  }
  x.now = performance.now();
  launch(x, state);
}

/** The time after which a second try starts beside the first is over. */
export function hedge(first: Attempt): void {
  const x = first.exchange;
  const { retry } = x.policies.enforced.plan;
  if (x.done || x.answered || x.rival !== null || (x.body !== null && !x.body.complete)) return;
  const facts = new Facts(x, null, 0, true, first.connection as UpstreamConnection);
  const decision = decideHedge(retry, facts);
  note(x, decision);
  if (!decision.retry) return;
  const state = x.admittedBy as BackendState;
  state.budget.take(facts.now);
  state.circuit.add('retries');
  x.avoidNow(first.endpoint);
  x.now = facts.now;
  const endpoint = state.backend.pick(x, x.policies.enforced.balancer ?? state.backend.balancer);
  if (endpoint === null || endpoint === first.endpoint) {
    state.circuit.release('retries');
    return;
  }
  x.tries++;
  x.endpoint = endpoint;
  x.rival = first;
  const second = new Attempt(x, endpoint, state);
  x.attempt = second;
  second.start();
}

function note(x: Exchange, { retry, reason }: RetryDecision): void {
  x.retryReason = reason;
  x.worker.metrics.count(retry ? 'retries' : 'retries_refused', reason);
}

/** Whether the limits of policies in mode Shadow would have refused one more of this kind. */
export function noteShadowLimit(x: Exchange, { circuit, shadowLimits }: BackendState, kind: CircuitKind): void {
  const limit = shadowLimits === null ? null : circuit.full(kind, shadowLimits);
  if (limit !== null) x.noteShadow('circuit_breaker', limit);
}

const CAUSES: ReadonlyMap<Failure, TryFailure> = new Map<Failure, TryFailure>([
  [FAILURES.connectFailed, 'connect-failure'],
  [FAILURES.connectTimeout, 'connect-failure'],
  [FAILURES.upstreamTls, 'connect-failure'],
  [FAILURES.upstreamReset, 'reset'],
  [FAILURES.backendTimeout, 'per-try-timeout'],
  [FAILURES.upstreamProtocol, 'protocol'],
]);

class Facts implements RetryFacts {
  readonly now: number = performance.now();
  readonly failure: TryFailure | null;
  readonly status: number;
  readonly requestSent: boolean;
  readonly responseStarted: boolean;
  readonly answered: boolean;
  readonly reused: boolean;
  readonly method: string;
  readonly bodyKept: boolean;
  readonly tries: number;
  readonly deadlineLeftMs: number;
  readonly waitMs: number;
  readonly budgetLeft: boolean;
  readonly circuitLeft: boolean;

  constructor(x: Exchange, failure: TryFailure | null, status: number, sent: boolean, connection: UpstreamConnection) {
    const state = x.admittedBy as BackendState;
    const requestMs = x.plan?.plan.timeouts?.requestMs ?? 0;
    this.failure = failure;
    this.status = status;
    this.requestSent = sent;
    this.responseStarted = connection.answered;
    this.answered = x.answered;
    this.reused = connection.reused;
    this.method = x.head.method;
    this.bodyKept = x.body === null || x.body.kept;
    this.tries = x.tries;
    this.deadlineLeftMs = requestMs > 0 ? x.startedAt + requestMs - this.now : Number.POSITIVE_INFINITY;
    this.waitMs = backoffMs(x.policies.enforced.plan.retry, x.tries, x.worker.random());
    this.budgetLeft = state.budget.left(this.now);
    this.circuitLeft = state.circuit.full('retries', state.limits) === null;
  }
}
