// Asks a rate limit service about a request: one call for all descriptors, and a verdict however it goes.

import type { HeaderLine } from '../../policies/header-edits.ts';
import type { LocalReply } from '../../policies/policy.ts';
import { type Descriptor, descriptorsOf, type GlobalRateLimitPlan } from '../../policies/rate-limit-global.ts';
import type { Exchange } from '../exchange.ts';
import type { RateLimitResponse } from '../protos/gen/rate-limit_pb.ts';
import type { CallFailure } from './call-failure.ts';
import { GrpcCall, loadGrpc } from './grpc-call.ts';
import { Inquiry, type Waiting } from './inquiry.ts';
import type { Callable } from './outside-call.ts';
import type { Limited } from './rate-limit-grpc.ts';

export interface RateVerdict {
  /** null lets it pass. */
  readonly reply: LocalReply | null;
  /** One more line each in the request that goes on. */
  readonly requestHeaders: readonly HeaderLine[];
  /** For the answer, whoever gives it. */
  readonly responseHeaders: readonly HeaderLine[];
  /** Why nobody answered, for the log; '' when somebody did. */
  readonly detail: string;
}

type Done = (x: Exchange, verdict: RateVerdict) => void;
type Protobuf = typeof import('./rate-limit-grpc.ts');

/** Loaded where somebody asks; once for this thread. */
let protobuf: Protobuf | null = null;

const PASSED: RateVerdict = { reply: null, requestHeaders: [], responseHeaders: [], detail: '' };

/** `done` is called once, never before this returns, and not after `cancel`. */
export function askRateLimit(x: Exchange, plan: GlobalRateLimitPlan, done: Done): Waiting {
  const descriptors = descriptorsOf(plan, x);
  if (descriptors.length > 0 && plan.backend !== null)
    return new LimitCheck(x, plan, { descriptors, backend: plan.backend }, done).start();
  return passLater(
    x,
    descriptors.length === 0 ? PASSED : unanswered(plan, 'misconfigured', plan.failure?.message ?? ''),
    done,
  );
}

interface Question {
  readonly descriptors: readonly Descriptor[];
  readonly backend: string;
}

async function loadProtobuf(): Promise<void> {
  loadGrpc();
  const { SHOULD_RATE_LIMIT, rateLimitRequest, readLimits } = await import('./rate-limit-grpc.ts');
  protobuf = { SHOULD_RATE_LIMIT, rateLimitRequest, readLimits };
}

class LimitCheck extends Inquiry<RateLimitResponse> {
  readonly #x: Exchange;
  readonly #plan: GlobalRateLimitPlan;
  readonly #question: Question;
  readonly #done: Done;

  constructor(x: Exchange, plan: GlobalRateLimitPlan, question: Question, done: Done) {
    super(x.worker, `${question.backend} rate limits`);
    this.#x = x;
    this.#plan = plan;
    this.#question = question;
    this.#done = done;
  }

  protected load(): Promise<unknown> | null {
    return protobuf === null ? loadProtobuf() : null;
  }

  protected call(): Callable<RateLimitResponse> {
    const { SHOULD_RATE_LIMIT, rateLimitRequest } = protobuf as Protobuf;
    const { descriptors, backend } = this.#question;
    const message = rateLimitRequest(this.#plan.domain, descriptors);
    return new GrpcCall(this.worker, backend, this.#plan.timeoutMs, SHOULD_RATE_LIMIT, message);
  }

  protected heard(response: RateLimitResponse): void {
    let limited: Limited;
    try {
      limited = (protobuf as Protobuf).readLimits(response);
    } catch (error) {
      this.#unanswered('malformed', `${this.#question.backend}: ${(error as Error).message}`);
      return;
    }
    const { reply, requestHeaders, responseHeaders } = limited;
    this.#count(reply === null ? 'ok' : 'over_limit');
    this.#done(this.#x, { reply, requestHeaders, responseHeaders, detail: '' });
  }

  protected failed({ reason, message }: CallFailure): void {
    this.#unanswered(reason, message);
  }

  #unanswered(reason: string, detail: string): void {
    this.#count(this.#plan.failOpen ? `${reason}_open` : reason);
    this.#done(this.#x, unanswered(this.#plan, reason, detail));
  }

  #count(verdict: string): void {
    this.worker.metrics.count('rate_limit_verdicts', `${this.#question.backend}\n${verdict}`);
  }
}

/** Closed: 500, as Envoy answers where its rate limit service does not (`failure_mode_deny`). */
function unanswered({ failOpen }: GlobalRateLimitPlan, reason: string, detail: string): RateVerdict {
  if (failOpen) return { ...PASSED, detail };
  const reply = { status: 500, reason: `rate_limit_${reason}`, headers: [], body: 'rate limits can not be checked\n' };
  return { ...PASSED, reply, detail };
}

function passLater(x: Exchange, verdict: RateVerdict, done: Done): Waiting {
  let isCancelled = false;
  queueMicrotask(() => {
    if (!isCancelled) done(x, verdict);
  });
  return {
    cancel: () => {
      isCancelled = true;
    },
  };
}
