// One request and its answer: the object that walks through serve, attempt and relay, and ends in the access log.

import type { BackendShare, BindPlan, ListenerPlan, ServicePlan } from '../policies/plan.ts';
import type { FilterContext } from '../policies/policy.ts';
import type { Endpoint } from '../routing/endpoint.ts';
import type { Backend } from '../routing/registry.ts';
import type { Peer } from '../routing/request.ts';
import type { Attempt } from './attempt.ts';
import { type Copy, sendCopies } from './copies.ts';
import type { Downstream } from './downstream/connection.ts';
import type { Http1RequestHead } from './http1/request-head.ts';
import type { LivePlan } from './live-plan.ts';
import type { LiveSnapshot } from './live-snapshot.ts';
import type { RequestBody } from './request-body.ts';
import type { Worker } from './worker-context.ts';

export class Exchange implements FilterContext {
  readonly worker: Worker;
  readonly downstream: Downstream;
  readonly head: Http1RequestHead;
  readonly peer: Peer;
  readonly bind: BindPlan;
  /** The configuration this request runs under, from its first step to its last. */
  readonly snapshot: LiveSnapshot;
  readonly listenerPort: number;
  /** `x-request-id`, the client's or made here. */
  id = '';
  /** `id` came with the request, in a field that is forwarded as it is. */
  clientId = false;
  service: ServicePlan | null = null;
  listener: ListenerPlan | null = null;
  plan: LivePlan | null = null;
  matchedPrefix: string | null = null;
  backend: Backend | null = null;
  /** The endpoint of the last try. */
  endpoint: Endpoint | null = null;
  attempt: Attempt | null = null;
  /** null: the request has no body. */
  readonly body: RequestBody | null;
  /** Mirrors waiting for the whole body; null when none. */
  copies: Copy[] | null = null;
  /** The head as it goes upstream, made at the first try. */
  upstreamHead = '';
  /** Filters of the chosen backendRef; those of the rule are in the plan. */
  share: BackendShare | null = null;
  /** Upstream tries begun. */
  tries = 0;
  /** Final status sent to the client; 0 when none was. */
  status = 0;
  /** Envoy's response flag, '' when nothing went wrong. */
  flag = '';
  /** Machine-readable reason beside the flag: `no_route`, `redirect`, `bare_lf`, ... */
  reason = '';
  /** What was tried, on what, and the next step: for the log only, never for the client. */
  detail = '';
  /** Body bytes received from the client and sent to it (no heads, no framing). */
  requestBytes = 0;
  responseBytes = 0;
  /** Monotonic ms (performance.now). */
  readonly startedAt: number;
  /** When the last try began, and when its response head arrived; 0 when never. */
  upstreamAt = 0;
  responseAt = 0;
  endedAt = 0;
  /** A response head has left for the client: nothing can be retried or replaced now. */
  answered = false;
  done = false;

  constructor(downstream: Downstream, snapshot: LiveSnapshot, startedAt: number) {
    this.worker = downstream.worker;
    this.downstream = downstream;
    this.body = downstream.body;
    this.head = downstream.parser.head;
    this.peer = downstream.peer;
    // The listener as the snapshot has it now: a connection may be older than the routes it is asked for.
    this.bind = snapshot.binds.get(downstream.bind.id) ?? downstream.bind;
    this.listenerPort = downstream.bind.port;
    this.snapshot = snapshot;
    this.startedAt = startedAt;
  }

  /** A piece of the request body arrived; it is valid during the call only. */
  takeBody(data: Buffer): void {
    const body = this.body as RequestBody;
    if (this.answered && this.attempt === null) return;
    if (this.attempt?.ready) {
      body.sent(data);
      if (!this.attempt.pass(data)) this.downstream.pause();
      return;
    }
    body.wait(data);
    if (body.held >= this.worker.limits.bufferBytes) this.downstream.pause();
  }

  /** The request body is complete. */
  endBody(): void {
    this.attempt?.endBody();
    if (this.copies !== null) sendCopies(this);
  }

  /** Gives up the try in flight, if any; the endpoint sees a reset. */
  cancelAttempt(): void {
    this.attempt?.cancel();
    this.attempt = null;
  }
}
