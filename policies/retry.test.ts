import assert from 'node:assert/strict';
import { decideHedge, decideRetry, decodeRetry, decodeRouteRetry, describeRetry, type RetryFacts } from './retry.ts';

const CANNOT_FAIL = { unsupported: assert.fail };
const plan = (raw: object) => decodeRetry(raw, 'r', CANNOT_FAIL)!;
const route = (raw: object) => decodeRouteRetry(raw, 'r', CANNOT_FAIL, null)!;

/** A GET that went out whole on a new connection; what happened to it is in the case. */
const SENT: RetryFacts = {
  failure: null,
  status: 0,
  requestSent: true,
  responseStarted: false,
  answered: false,
  reused: false,
  method: 'GET',
  bodyKept: true,
  tries: 1,
  deadlineLeftMs: Number.POSITIVE_INFINITY,
  waitMs: 0,
  budgetLeft: true,
  circuitLeft: true,
};
const status = (code: number): Partial<RetryFacts> => ({ status: code, responseStarted: true });
const CONNECT: Partial<RetryFacts> = { failure: 'connect-failure', requestSent: false };
const REFUSED: Partial<RetryFacts> = { failure: 'refused-stream' };
const RESET: Partial<RetryFacts> = { failure: 'reset' };
const IDLE_RESET: Partial<RetryFacts> = { failure: 'reset', reused: true };
const TIMEOUT: Partial<RetryFacts> = { failure: 'per-try-timeout' };
const POST: Partial<RetryFacts> = { method: 'POST' };

const THREE = route({ attempts: 3 });
const CODES = route({ attempts: 3, codes: [500, 503] });
const POLICY = plan({ attempts: 3, on: ['gateway-error'] });

type Case = readonly [name: string, plan: ReturnType<typeof plan> | null, facts: Partial<RetryFacts>, reason: string];

/** Reasons of retries that take place. */
const TAKEN: readonly Case[] = [
  ['default: connect failure', null, CONNECT, 'connect_failure'],
  ['default: connect failure of a POST', null, { ...CONNECT, ...POST }, 'connect_failure'],
  ['default: refused stream', null, REFUSED, 'refused_stream'],
  ['default: refused stream of a POST', null, { ...REFUSED, ...POST }, 'refused_stream'],
  ['default: lost before it was sent', null, { ...RESET, ...POST, requestSent: false }, 'not_sent'],
  ['default: idle connection closed', null, IDLE_RESET, 'stale_connection'],
  ['default: idle connection closed, DELETE', null, { ...IDLE_RESET, method: 'DELETE' }, 'stale_connection'],
  ['default: first one is free of the budget', null, { ...IDLE_RESET, budgetLeft: false }, 'stale_connection'],
  ['default: first one is free of the circuit', null, { ...CONNECT, circuitLeft: false }, 'connect_failure'],
  ['stanza: reset', THREE, RESET, 'reset_before_response'],
  ['stanza: a try that took too long', THREE, TIMEOUT, 'per_try_timeout'],
  ['stanza: connect failure, third retry', THREE, { ...CONNECT, tries: 3 }, 'connect_failure'],
  ['stanza: listed code', CODES, status(503), 'status_listed'],
  ['stanza with codes: reset', CODES, RESET, 'reset_before_response'],
  ['policy: 502', POLICY, status(502), 'gateway_error'],
  ['policy: 504', POLICY, status(504), 'gateway_error'],
  ['policy: what is safe anyway', POLICY, IDLE_RESET, 'stale_connection'],
  ['policy: 5xx', plan({ on: ['5xx'] }), status(511), 'server_error'],
  ['policy: 409', plan({ on: ['retriable-4xx'] }), status(409), 'retriable_4xx'],
  ['policy: code among the conditions', plan({ on: [429] }), status(429), 'status_listed'],
  ['policy: code as text', plan({ on: ['429'] }), status(429), 'status_listed'],
  ['policy: reset amid the head', plan({ on: ['reset'] }), { ...RESET, responseStarted: true }, 'reset'],
  ['policy: opted in POST', plan({ on: [503], methods: ['POST'] }), { ...status(503), ...POST }, 'status_listed'],
  ['time left for the wait', CODES, { ...status(503), waitMs: 99, deadlineLeftMs: 100 }, 'status_listed'],
];

const NOT_TAKEN: readonly Case[] = [
  ['default: reset of a new connection', null, RESET, 'condition_not_listed'],
  ['default: POST on an idle connection', null, { ...IDLE_RESET, ...POST }, 'method_not_idempotent'],
  ['default: idle connection, after a byte', null, { ...IDLE_RESET, responseStarted: true }, 'condition_not_listed'],
  ['default: a try that took too long', null, TIMEOUT, 'condition_not_listed'],
  ['default: 503', null, status(503), 'status_not_listed'],
  ['default: second retry', null, { ...CONNECT, tries: 2 }, 'attempts_exhausted'],
  ['default: body gone', null, { ...CONNECT, bodyKept: false }, 'body_not_kept'],
  ['default: refused stream pays', null, { ...REFUSED, budgetLeft: false }, 'budget_exhausted'],
  ['no retries at all', route({ attempts: 0 }), CONNECT, 'retries_disabled'],
  ['stanza: code not listed', CODES, status(502), 'status_not_listed'],
  ['stanza without codes: 503', THREE, status(503), 'status_not_listed'],
  ['stanza: POST was sent', CODES, { ...status(503), ...POST }, 'method_not_idempotent'],
  ['stanza: POST was reset', THREE, { ...RESET, ...POST }, 'method_not_idempotent'],
  ['stanza: POST took too long', THREE, { ...TIMEOUT, ...POST }, 'method_not_idempotent'],
  ['stanza: PATCH', CODES, { ...status(503), method: 'PATCH' }, 'method_not_idempotent'],
  ['stanza: methods are case-sensitive', CODES, { ...status(503), method: 'get' }, 'method_not_idempotent'],
  ['stanza: body gone', CODES, { ...status(503), bodyKept: false }, 'body_not_kept'],
  ['stanza: response went on', CODES, { ...status(503), answered: true }, 'response_started'],
  ['stanza: reset amid the head', THREE, { ...RESET, responseStarted: true }, 'condition_not_listed'],
  ['stanza: exhausted', CODES, { ...status(503), tries: 4 }, 'attempts_exhausted'],
  ['stanza: the wait takes too long', CODES, { ...status(503), waitMs: 100, deadlineLeftMs: 100 }, 'deadline'],
  ['stanza: no time left', CODES, { ...status(503), deadlineLeftMs: 0 }, 'deadline'],
  ['stanza: budget', CODES, { ...status(503), budgetLeft: false }, 'budget_exhausted'],
  ['stanza: circuit', CODES, { ...status(503), circuitLeft: false }, 'max_retries'],
  ['stanza: second connect failure pays', THREE, { ...CONNECT, tries: 2, budgetLeft: false }, 'budget_exhausted'],
  ['stanza: no HTTP', THREE, { failure: 'protocol', responseStarted: true }, 'condition_not_listed'],
  ['policy: 500 is no gateway error', POLICY, status(500), 'status_not_listed'],
  ['policy: 505 is no gateway error', POLICY, status(505), 'status_not_listed'],
  ['policy: conditions written leave out the others', POLICY, RESET, 'condition_not_listed'],
  ['policy: 404 is not retriable', plan({ on: ['retriable-4xx', '5xx'] }), status(404), 'status_not_listed'],
  [
    'policy: methods narrow',
    plan({ on: [503], methods: ['GET'] }),
    { ...status(503), method: 'PUT' },
    'method_not_idempotent',
  ],
];

describe('retry', () => {
  for (const [name, given, facts, reason] of TAKEN) {
    it(`taken: ${name}`, () => {
      assert.deepEqual(decideRetry(given, { ...SENT, ...facts }), { retry: true, reason });
    });
  }
  for (const [name, given, facts, reason] of NOT_TAKEN) {
    it(`not taken: ${name}`, () => {
      assert.deepEqual(decideRetry(given, { ...SENT, ...facts }), { retry: false, reason });
    });
  }

  it('never repeats a POST that may have arrived, whatever else is true, unless it is opted in', () => {
    const failures = [null, 'connect-failure', 'refused-stream', 'reset', 'per-try-timeout', 'protocol'] as const;
    const everything = plan({
      attempts: 9,
      on: ['5xx', 'gateway-error', 'reset', 'reset-before-response', 'per-try-timeout'],
    });
    for (const failure of failures) {
      for (let bits = 0; bits < 16; bits += 1) {
        const facts = {
          ...SENT,
          failure,
          status: failure === null ? 503 : 0,
          method: 'POST',
          requestSent: (bits & 1) !== 0,
          responseStarted: (bits & 2) !== 0,
          reused: (bits & 4) !== 0,
          tries: (bits & 8) === 0 ? 1 : 2,
        };
        const unseen = failure === 'connect-failure' || failure === 'refused-stream' || !facts.requestSent;
        assert.ok(unseen || !decideRetry(everything, facts).retry, JSON.stringify(facts));
      }
    }
  });

  it('hedges where it is asked to and may repeat', () => {
    const hedging = plan({ hedgeAfter: '50ms' });
    const decided = (given: typeof hedging | null, facts: Partial<RetryFacts>) =>
      decideHedge(given, { ...SENT, ...facts });
    assert.deepEqual(decided(hedging, {}), { retry: true, reason: 'hedge' });
    assert.equal(decided(null, {}).reason, 'hedging_disabled');
    assert.equal(decided(THREE, {}).reason, 'hedging_disabled');
    assert.equal(decided(hedging, POST).reason, 'method_not_idempotent');
    assert.equal(decided(hedging, { tries: 2 }).reason, 'attempts_exhausted');
    assert.equal(decided(hedging, { responseStarted: true }).reason, 'response_started');
    assert.equal(decided(hedging, { budgetLeft: false }).reason, 'budget_exhausted');
  });
});

describe('retry settings', () => {
  it('are filled in', () => {
    assert.deepEqual(plan({ on: ['gateway-error', 503], perTryTimeout: '1s', methods: ['GET'], hedgeAfter: '0s' }), {
      attempts: 1,
      codes: [503],
      on: ['gateway-error'],
      methods: ['GET'],
      perTryTimeoutMs: 1_000,
      hedgeAfterMs: 0,
      backoffBaseMs: 25,
      backoffMinMs: 0,
      maxBackoffMs: 250,
      safeDefault: true,
    });
    assert.deepEqual(plan({}).on, ['connect-failure', 'refused-stream', 'reset-before-response', 'per-try-timeout']);
  });

  it('of a route come before those of a policy, field by field', () => {
    const base = plan({
      attempts: 5,
      codes: [429],
      on: ['5xx'],
      methods: ['POST'],
      perTryTimeout: '1s',
      backoff: '2s',
    });
    const merged = decodeRouteRetry({ codes: [503], backoff: '100ms' }, 'r', CANNOT_FAIL, base)!;
    assert.deepEqual([merged.attempts, merged.codes, merged.backoffMinMs], [5, [503], 100]);
    assert.deepEqual([merged.methods, merged.perTryTimeoutMs], [['POST'], 1_000]);
    assert.deepEqual([...merged.on].sort(), [
      '5xx',
      'connect-failure',
      'per-try-timeout',
      'refused-stream',
      'reset-before-response',
    ]);
    assert.equal(decodeRouteRetry({ attempts: 2 }, 'r', CANNOT_FAIL, base)!.attempts, 2);
  });

  const bad: readonly (readonly [raw: unknown, at: readonly string[]])[] = [
    ['yes', ['r']],
    [null, ['r']],
    [{ perTryTimeout: '1.5s' }, ['r.perTryTimeout']],
    [{ perTryTimeout: '5us' }, ['r.perTryTimeout']],
    [{ perTryTimeout: 5 }, ['r.perTryTimeout']],
    [{ hedgeAfter: '-1s' }, ['r.hedgeAfter']],
    [{ on: ['5XX', 200, 600, 'gateway-error'] }, ['r.on[0]', 'r.on[1]', 'r.on[2]']],
    [{ on: 'gateway-error' }, ['r.on']],
    [{ on: [null, [503], {}, ''] }, ['r.on[0]', 'r.on[1]', 'r.on[2]', 'r.on[3]']],
    [{ methods: ['GET', 'get', 7] }, ['r.methods[1]', 'r.methods[2]']],
    [{ attempts: -1 }, ['r.attempts']],
    [{ attempts: 1.5 }, ['r.attempts']],
    [{ codes: [399, 600, '503'] }, ['r.codes[0]', 'r.codes[1]', 'r.codes[2]']],
    [{ retries: 3, perTryTimeOut: '1s' }, ['r.retries', 'r.perTryTimeOut']],
  ];
  for (const [raw, at] of bad) {
    it(`refuse ${JSON.stringify(raw)}`, () => {
      const paths: string[] = [];
      assert.equal(decodeRetry(raw, 'r', { unsupported: (path) => paths.push(path) }), null);
      assert.deepEqual(paths, at);
    });
  }

  it('of a route refuse what they do not have', () => {
    const paths: string[] = [];
    const report = { unsupported: (path: string) => paths.push(path) };
    assert.equal(decodeRouteRetry({ attempts: -1, backoff: '5', on: [] }, 'r', report, null), null);
    assert.deepEqual(paths, ['r.on', 'r.attempts', 'r.backoff']);
  });

  it('are described', () => {
    assert.equal(describeRetry(route({ attempts: 0 })), 'retry: none');
    assert.equal(
      describeRetry(
        plan({ attempts: 2, codes: [503], on: ['reset'], methods: ['GET'], perTryTimeout: '1s', backoff: '50ms' }),
      ),
      'retry: up to 2; on 503, reset; methods GET; each try 1s; waits at least 50ms',
    );
  });
});
