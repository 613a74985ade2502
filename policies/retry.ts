// Whether a failed try is repeated: never a surprise repetition of a request that may have been acted on (GEP-1731, RFC 9110 section 9.2.2).

import { BACKOFF_BASE_MS, type BackoffPlan, MAX_BACKOFF_MS } from './backoff.ts';
import { formatDuration } from './duration.ts';
import type { DecodeReport } from './policy.ts';
import { COUNT, quote, type Range, SettingsReader } from './settings-reader.ts';

type RetryCondition = (typeof RETRY_CONDITIONS)[number];

const RETRY_CONDITIONS = [
  /** No connection was established: refused, timed out, unreachable. */
  'connect-failure',
  /** The endpoint said that it did not look at the request. */
  'refused-stream',
  /** The connection went before any byte of a response. */
  'reset-before-response',
  /** The connection went before anything of the response was passed on. */
  'reset',
  /** 502, 503, 504. */
  'gateway-error',
  '5xx',
  /** 409. */
  'retriable-4xx',
  /** The try took longer than `perTryTimeout` or `timeouts.backendRequest`. */
  'per-try-timeout',
] as const;

export interface RetryPlan extends BackoffPlan {
  /** Retries, so that there are at most attempts + 1 tries; 0: none, whatever failed. */
  readonly attempts: number;
  /** Statuses listed one by one. */
  readonly codes: readonly number[];
  readonly on: readonly RetryCondition[];
  /** Which may be repeated once they were sent, case-sensitive. Before that, any method may. */
  readonly methods: readonly string[];
  /** 0: none. */
  readonly perTryTimeoutMs: number;
  /** 0: no hedging. */
  readonly hedgeAfterMs: number;
  /** Failures before the request was sent, and the loss of a connection that had served before, are repeated though `on` does not list them. */
  readonly safeDefault: boolean;
}

/** What ended a try before a response head was there. `protocol`: the endpoint sent something that is no HTTP. */
export type TryFailure = 'connect-failure' | 'refused-stream' | 'reset' | 'per-try-timeout' | 'protocol';

/** What is known when a try has failed or its response head has arrived; whoever runs tries implements or reuses one. */
export interface RetryFacts {
  /** null: a response head arrived, and `status` says what it was. */
  readonly failure: TryFailure | null;
  readonly status: number;
  /** Some byte of the request may have reached the endpoint. */
  readonly requestSent: boolean;
  /** Some byte of a response came from the endpoint. */
  readonly responseStarted: boolean;
  /** Some byte of a response went to the client. */
  readonly answered: boolean;
  /** The try's connection had served a request before. */
  readonly reused: boolean;
  readonly method: string;
  /** The whole request body so far is in memory, or there is none. */
  readonly bodyKept: boolean;
  /** Begun so far, the failed one included. */
  readonly tries: number;
  /** Until the request's own time limit; Infinity when there is none. */
  readonly deadlineLeftMs: number;
  /** What backoff.ts gives for this retry. */
  readonly waitMs: number;
  /** The Service's retry budget has one left. */
  readonly budgetLeft: boolean;
  /** The Service's circuit limit of retries under way has room. */
  readonly circuitLeft: boolean;
}

/** Shared instances: nothing is built per decision. */
export interface RetryDecision {
  readonly retry: boolean;
  /** Taken: the condition that matched. Not taken: why not. Bounded, for the log and the metrics. */
  readonly reason: string;
}

/** RFC 9110 section 9.2.2. */
const IDEMPOTENT: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'];
const DEFAULT_ATTEMPTS = 1;
/** What any stanza repeats, whatever codes it lists (GEP-1731). */
const CONNECTION_ERRORS: readonly RetryCondition[] = [
  'connect-failure',
  'refused-stream',
  'reset-before-response',
  'per-try-timeout',
];

/** Without any stanza: one retry, at once, where the first try was never acted on. */
export const SAFE_RETRY: RetryPlan = {
  attempts: 1,
  codes: [],
  on: [],
  methods: IDEMPOTENT,
  perTryTimeoutMs: 0,
  hedgeAfterMs: 0,
  backoffBaseMs: 0,
  backoffMinMs: 0,
  maxBackoffMs: 0,
  safeDefault: true,
};

const ANSWERED = refused('response_started');
const STATUS_NOT_LISTED = refused('status_not_listed');
const CONDITION_NOT_LISTED = refused('condition_not_listed');
const DISABLED = refused('retries_disabled');
const METHOD = refused('method_not_idempotent');
const BODY = refused('body_not_kept');
const EXHAUSTED = refused('attempts_exhausted');
const DEADLINE = refused('deadline');
const BUDGET = refused('budget_exhausted');
const CIRCUIT = refused('max_retries');
const NO_HEDGE = refused('hedging_disabled');

const CONNECT_FAILURE = taken('connect_failure');
const REFUSED_STREAM = taken('refused_stream');
const NOT_SENT = taken('not_sent');
const STALE = taken('stale_connection');
const RESET_BEFORE = taken('reset_before_response');
const RESET = taken('reset');
const TIMEOUT = taken('per_try_timeout');
const LISTED = taken('status_listed');
const GATEWAY_ERROR = taken('gateway_error');
const SERVER_ERROR = taken('server_error');
const RETRIABLE = taken('retriable_4xx');
const HEDGE = taken('hedge');

/** `plan` null: no stanza, the safe default. Asked for failures, and for responses whose status is 400 or more. */
export function decideRetry(plan: RetryPlan | null, facts: RetryFacts): RetryDecision {
  const effective = plan ?? SAFE_RETRY;
  if (facts.answered) return ANSWERED;
  const decision = facts.failure === null ? forStatus(effective, facts.status) : forFailure(effective, facts);
  return decision.retry ? (refusal(effective, facts) ?? decision) : decision;
}

/** Whether a second try starts beside the first, `hedgeAfterMs` after it began without an answer. */
export function decideHedge(plan: RetryPlan | null, facts: RetryFacts): RetryDecision {
  if (plan === null || plan.hedgeAfterMs === 0) return NO_HEDGE;
  return facts.answered || facts.responseStarted ? ANSWERED : (refusal(plan, facts) ?? HEDGE);
}

/**
 * `retry` of a TrafficPolicy; null after a report. Where `on` is not written, connection errors and expired tries are
 * meant. `attempts`, `codes` and `backoff` mean what they mean on an HTTPRoute.
 */
export function decodeRetry(raw: unknown, path: string, report: DecodeReport): RetryPlan | null {
  const known = ['on', 'perTryTimeout', 'methods', 'hedgeAfter', 'attempts', 'codes', 'backoff'];
  const settings = new SettingsReader(raw, path, report, known);
  const codes = new Set<number>();
  const on = settings.has('on') ? conditions(settings, codes) : CONNECTION_ERRORS;
  for (const code of settings.integers('codes', STATUS) ?? []) codes.add(code);
  const plan: RetryPlan = {
    attempts: settings.integer('attempts', COUNT, DEFAULT_ATTEMPTS),
    codes: [...codes],
    on,
    methods: methods(settings),
    perTryTimeoutMs: settings.duration('perTryTimeout', 0),
    hedgeAfterMs: settings.duration('hedgeAfter', 0),
    backoffBaseMs: BACKOFF_BASE_MS,
    backoffMinMs: settings.duration('backoff', 0),
    maxBackoffMs: MAX_BACKOFF_MS,
    safeDefault: true,
  };
  return settings.sound ? plan : null;
}

/**
 * `retry` of an HTTPRoute rule, on top of what a TrafficPolicy says (`base`, null: nothing); null after a report. Any
 * such stanza repeats connection errors and expired tries too.
 */
export function decodeRouteRetry(
  raw: unknown,
  path: string,
  report: DecodeReport,
  base: RetryPlan | null,
): RetryPlan | null {
  const settings = new SettingsReader(raw, path, report, ['attempts', 'codes', 'backoff']);
  const below = base ?? (decodeRetry({}, path, report) as RetryPlan);
  const plan: RetryPlan = {
    ...below,
    attempts: settings.integer('attempts', COUNT, below.attempts),
    codes: settings.integers('codes', STATUS) ?? below.codes,
    on: [...new Set([...CONNECTION_ERRORS, ...below.on])],
    backoffMinMs: settings.duration('backoff', below.backoffMinMs),
  };
  return settings.sound ? plan : null;
}

/** One line for `waypoint explain`. */
export function describeRetry(plan: RetryPlan): string {
  if (plan.attempts === 0) return 'retry: none';
  const parts = [
    `retry: up to ${plan.attempts}`,
    `on ${[...plan.codes, ...plan.on].join(', ') || 'what was never sent'}`,
    `methods ${plan.methods.join(', ') || 'none'}`,
    plan.perTryTimeoutMs > 0 ? `each try ${formatDuration(plan.perTryTimeoutMs)}` : '',
    plan.hedgeAfterMs > 0 ? `hedged after ${formatDuration(plan.hedgeAfterMs)}` : '',
    plan.backoffMinMs > 0 ? `waits at least ${formatDuration(plan.backoffMinMs)}` : '',
  ];
  return parts.filter(Boolean).join('; ');
}

function forStatus(plan: RetryPlan, status: number): RetryDecision {
  if (plan.codes.includes(status)) return LISTED;
  const { on } = plan;
  if (status >= 502 && status <= 504 && on.includes('gateway-error')) return GATEWAY_ERROR;
  if (status >= 500 && status <= 599 && on.includes('5xx')) return SERVER_ERROR;
  if (status === 409 && on.includes('retriable-4xx')) return RETRIABLE;
  return STATUS_NOT_LISTED;
}

function forFailure(plan: RetryPlan, facts: RetryFacts): RetryDecision {
  const { on, safeDefault } = plan;
  switch (facts.failure) {
    case 'connect-failure':
      return safeDefault || on.includes('connect-failure') ? CONNECT_FAILURE : CONDITION_NOT_LISTED;
    case 'refused-stream':
      return safeDefault || on.includes('refused-stream') ? REFUSED_STREAM : CONDITION_NOT_LISTED;
    case 'per-try-timeout':
      return on.includes('per-try-timeout') ? TIMEOUT : CONDITION_NOT_LISTED;
    case 'reset':
      if (safeDefault && !facts.requestSent) return NOT_SENT;
      if (safeDefault && stale(facts)) return STALE;
      if (!facts.responseStarted && on.includes('reset-before-response')) return RESET_BEFORE;
      return on.includes('reset') ? RESET : CONDITION_NOT_LISTED;
    default:
      return CONDITION_NOT_LISTED;
  }
}

/** What stands against a retry whose condition matched. */
function refusal(plan: RetryPlan, facts: RetryFacts): RetryDecision | null {
  if (plan.attempts === 0) return DISABLED;
  if (mayHaveBeenActedOn(facts) && !plan.methods.includes(facts.method)) return METHOD;
  if (!facts.bodyKept) return BODY;
  if (facts.tries > plan.attempts) return EXHAUSTED;
  if (facts.waitMs >= facts.deadlineLeftMs) return DEADLINE;
  // The first repetition of what no application saw adds nothing to its load: a dead idle connection, or a pod that went,
  // must not become an error because many met it at once.
  if (facts.tries === 1 && facts.failure !== 'refused-stream' && (!facts.requestSent || stale(facts))) return null;
  if (!facts.budgetLeft) return BUDGET;
  return facts.circuitLeft ? null : CIRCUIT;
}

function mayHaveBeenActedOn(facts: RetryFacts): boolean {
  return facts.requestSent && facts.failure !== 'connect-failure' && facts.failure !== 'refused-stream';
}

/** An idle connection that the endpoint had closed, or was closing, when it was used again. */
function stale(facts: RetryFacts): boolean {
  return facts.failure === 'reset' && facts.reused && !facts.responseStarted;
}

function refused(reason: string): RetryDecision {
  return { retry: false, reason };
}

function taken(reason: string): RetryDecision {
  return { retry: true, reason };
}

const STATUS: Range = { min: 400, max: 599 };
/** Methods are case-sensitive, and those in use are in capitals: `get` would never match. */
const METHOD_NAME = /^[A-Z][A-Z0-9_-]*$/;

/** The conditions of `on`; statuses among them, `503` or `"503"`, go to `codes`. */
function conditions(settings: SettingsReader, codes: Set<number>): readonly RetryCondition[] {
  const on = new Set<RetryCondition>();
  for (const [index, member] of (settings.list('on') ?? []).entries()) {
    const code = typeof member === 'number' || typeof member === 'string' ? Number(member) : Number.NaN;
    const condition = RETRY_CONDITIONS.find((name) => name === member);
    if (condition !== undefined) on.add(condition);
    else if (Number.isInteger(code) && code >= STATUS.min && code <= STATUS.max) codes.add(code);
    else
      settings.refuse(
        `on[${index}]`,
        `${quote(member)} is no retry condition: write a status or ${RETRY_CONDITIONS.join(', ')}`,
      );
  }
  return [...on];
}

function methods(settings: SettingsReader): readonly string[] {
  const members = settings.list('methods');
  if (members === null) return IDEMPOTENT;
  for (const [index, member] of members.entries()) {
    if (typeof member !== 'string' || !METHOD_NAME.test(member))
      settings.refuse(`methods[${index}]`, `${quote(member)} is no method: write GET, PUT, in capitals`);
  }
  return members as readonly string[];
}
