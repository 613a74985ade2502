// Asks an external authorizer whether a request may pass.

import type { ExternalAuthPlan } from '../../policies/external-auth.ts';
import { editQuery } from '../../policies/query-edits.ts';
import type { Exchange } from '../exchange.ts';
import type { CheckResponse } from '../protos/gen/external-auth_pb.ts';
import { consentOf, questionOf, refusalOf } from './auth-http.ts';
import { type AuthVerdict, type Consent, denied, type Refusal, undecided } from './auth-verdict.ts';
import type { CallFailure } from './call-failure.ts';
import { GrpcCall, loadGrpc } from './grpc-call.ts';
import { type HttpAnswer, HttpCall } from './http-call.ts';
import { Inquiry, type Waiting } from './inquiry.ts';
import type { Callable } from './outside-call.ts';

export type { AuthVerdict } from './auth-verdict.ts';
export type { Waiting } from './inquiry.ts';

type Done = (x: Exchange, verdict: AuthVerdict) => void;
type Answer = HttpAnswer | CheckResponse;
type Protobuf = typeof import('./auth-grpc.ts');

/** Loaded where somebody asks over gRPC; once for this thread. */
let protobuf: Protobuf | null = null;

/**
 * Whatever of the body the service is to be told must be here. `done` is called once, never before this returns, and not
 * after `cancel`. The edits of the query are made by then, those of the fields are the caller's.
 */
export function askExternalAuth(x: Exchange, plan: ExternalAuthPlan, done: Done): Waiting {
  return plan.backend === null ? refuseLater(x, plan, done) : new Check(x, plan, plan.backend, done).start();
}

async function loadProtobuf(): Promise<void> {
  loadGrpc();
  const { CHECK, checkRequest, readCheck } = await import('./auth-grpc.ts');
  protobuf = { CHECK, checkRequest, readCheck };
}

class Check extends Inquiry<Answer> {
  readonly #x: Exchange;
  readonly #plan: ExternalAuthPlan;
  readonly #backend: string;
  readonly #done: Done;

  constructor(x: Exchange, plan: ExternalAuthPlan, backend: string, done: Done) {
    // Two namespaces may call different services by one name.
    super(x.worker, plan.provider === backend ? backend : `${plan.provider} (${backend})`);
    this.#x = x;
    this.#plan = plan;
    this.#backend = backend;
    this.#done = done;
  }

  protected load(): Promise<unknown> | null {
    return this.#plan.protocol === 'HTTP' || protobuf !== null ? null : loadProtobuf();
  }

  protected call(): Callable<Answer> {
    const { timeoutMs, protocol } = this.#plan;
    if (protocol === 'HTTP')
      return new HttpCall(this.worker, this.#backend, timeoutMs, questionOf(this.#x, this.#plan));
    const { CHECK, checkRequest } = protobuf as Protobuf;
    return new GrpcCall(this.worker, this.#backend, timeoutMs, CHECK, checkRequest(this.#x, this.#plan));
  }

  protected heard(answer: Answer): void {
    if ('$typeName' in answer) {
      this.#judge(() => (protobuf as Protobuf).readCheck(answer, this.#x.head.fields));
    } else if (answer.status >= 500) {
      // As Envoy has it: the service is in trouble itself, and says nothing about the request.
      this.#undecided('failed', `${this.#plan.provider}: answered ${answer.status}`);
    } else {
      this.#judge(() => (answer.status === 200 ? consentOf(answer, this.#plan) : refusalOf(answer)));
    }
  }

  protected failed({ reason, message }: CallFailure): void {
    this.#undecided(reason, message);
  }

  #judge(read: () => Consent | Refusal): void {
    let found: Consent | Refusal;
    try {
      found = read();
    } catch (error) {
      this.#undecided('malformed', `${this.#plan.provider}: ${(error as Error).message}`);
      return;
    }
    this.#done(this.#x, 'status' in found ? denied(this.#plan, found) : allowed(this.#x, found));
  }

  #undecided(reason: string, detail: string): void {
    this.#x.detail = detail;
    this.#done(this.#x, undecided(this.#plan, reason));
  }
}

function allowed({ head }: Exchange, { edits, query, responseHeaders }: Consent): AuthVerdict {
  if (query !== null) head.forwardQuery = editQuery(head.forwardQuery ?? head.query, query);
  return { allowed: true, reply: null, edits, responseHeaders, reason: 'allowed' };
}

/** What was ordered can not be done: nobody passes, whatever is to happen when nobody answers. */
function refuseLater(x: Exchange, plan: ExternalAuthPlan, done: Done): Waiting {
  let isCancelled = false;
  queueMicrotask(() => {
    if (isCancelled) return;
    x.detail = plan.failure?.message ?? '';
    done(x, undecided({ ...plan, failOpen: false }, 'misconfigured'));
  });
  return {
    cancel: () => {
      isCancelled = true;
    },
  };
}
