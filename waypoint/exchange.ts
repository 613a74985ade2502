// One request and its answer: the object that walks through serve, attempt and relay, and ends in the access log.

import type { VerifiedToken } from '../policies/authentication.ts';
import type { AccessContext } from '../policies/authorization.ts';
import type { HeaderLine } from '../policies/header-edits.ts';
import type { BackendShare, BindPlan, ListenerPlan, ServicePlan } from '../policies/plan.ts';
import type { Session } from '../policies/session.ts';
import type { PickContext } from '../routing/balancer.ts';
import type { Endpoint } from '../routing/endpoint.ts';
import type { Outcome } from '../routing/outcome.ts';
import type { Backend } from '../routing/registry.ts';
import type { Peer } from '../routing/request.ts';
import type { Attempt } from './attempt.ts';
import { type Copy, sendCopies } from './copies.ts';
import type { Downstream } from './downstream/connection.ts';
import type { Waiting } from './external/external-auth.ts';
import { remoteAddress } from './forwarding.ts';
import type { Guard } from './guard/guards.ts';
import type { Http1RequestHead } from './http1/request-head.ts';
import type { LivePlan } from './live-plan.ts';
import { type LivePolicies, NO_POLICIES } from './live-policy.ts';
import type { LiveSnapshot } from './live-snapshot.ts';
import type { RequestBody } from './request-body.ts';
import type { BackendState } from './upstream/backend-state.ts';
import type { Worker } from './worker-context.ts';

const NONE_TRIED: readonly Endpoint[] = [];

export class Exchange implements AccessContext, PickContext {
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
  /** The first of two tries that run beside each other (hedging); `attempt` is the second. */
  rival: Attempt | null = null;
  /** Of the chosen share, or of the rule where none is chosen. */
  policies: LivePolicies = NO_POLICIES;
  /** Whose limits count this request, until it ends. */
  admittedBy: BackendState | null = null;
  /** What guards it; null: nothing. */
  guard: Guard | null = null;
  /** An outside service, or the keys of a token, that it waits for. */
  waiting: Waiting | null = null;
  token: VerifiedToken | null = null;
  /** The policy that turned it away, and which of its rules; '' when none did. */
  deniedBy = '';
  deniedRule = '';
  /** AUDIT policies that it matched, separated by commas. */
  audited = '';
  /** The filters of the rule have run; `filterAt` counts on in those of the share. */
  ruleFiltered = false;
  filterAt = 0;
  /** Fields that outside services give the answer; null: none. */
  responseHeaders: HeaderLine[] | null = null;
  /** Called when the body is whole, or holds this many bytes. */
  #bodyAwaited: (() => void) | null = null;
  #bodyBytes = 0;
  /** A wait between two tries, or a delay on purpose. */
  pause: NodeJS.Timeout | null = null;
  /** The session that the request belongs to; null: none yet. */
  session: Session | null = null;
  /** A cookie of our own for the answer; '' for none. */
  setCookie = '';
  /** The last decision about another try; '' when none was made. */
  retryReason = '';
  /** What policies in mode Shadow would have done: `kind:detail`; '' when nothing. */
  shadow = '';
  // What a choice of endpoint looks at (PickContext).
  now = 0;
  avoid: Endpoint | null = null;
  tried: readonly Endpoint[] = NONE_TRIED;
  hash = 0;
  /** null: the request has no body. */
  readonly body: RequestBody | null;
  /** Mirrors waiting for the whole body; null when none. */
  copies: Copy[] | null = null;
  /** `x-forwarded-for` as it goes upstream from a trusted proxy; '' until it was made. */
  forwardedFor = '';
  /** The head as it goes upstream, made at the first try. */
  upstreamHead = '';
  /** The chosen backendRef; null while none is chosen. */
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
    if (this.#bodyAwaited !== null && body.held > this.#bodyBytes) this.#bodyHolds();
    if (body.held >= this.worker.limits.bufferBytes) this.downstream.pause();
  }

  /** The request body is complete. */
  endBody(): void {
    if (this.#bodyAwaited !== null) this.#bodyHolds();
    this.attempt?.endBody();
    if (this.copies !== null) sendCopies(this);
  }

  /** Calls `then` once the body is whole or more than `bytes` of it are here: at once, where that is so already. */
  whenBodyHolds(bytes: number, then: () => void): void {
    const body = this.body as RequestBody;
    // More is never held for one stream.
    this.#bodyBytes = Math.min(bytes, this.worker.limits.bufferBytes - 1);
    this.#bodyAwaited = then;
    if (body.complete || body.held > this.#bodyBytes) this.#bodyHolds();
    else this.downstream.askForBody(this);
  }

  /** The answer carries this field too, whoever gives it. */
  addResponseHeader(line: HeaderLine): void {
    this.responseHeaders ??= [];
    this.responseHeaders.push(line);
  }

  /** The client, as the hops that are trusted tell it. */
  get remoteAddress(): string {
    return remoteAddress(this);
  }

  get destinationPort(): number {
    return this.service?.port ?? this.peer.localPort;
  }

  #bodyHolds(): void {
    const then = this.#bodyAwaited as () => void;
    this.#bodyAwaited = null;
    then();
  }

  get random(): () => number {
    return this.worker.random;
  }

  get zone(): string | null {
    return this.worker.zone;
  }

  /** The next choice prefers an endpoint that was not tried yet. */
  avoidNow(endpoint: Endpoint): void {
    if (this.avoid !== null) this.tried = [...this.tried, this.avoid];
    this.avoid = endpoint;
  }

  /** Gives up the tries in flight, if any; the endpoints see a reset. */
  cancelAttempt(outcome: Outcome = 'client-gone'): void {
    if (this.pause !== null) this.#endPause();
    this.waiting?.cancel();
    this.waiting = null;
    this.#bodyAwaited = null;
    this.rival?.cancel(outcome);
    this.rival = null;
    this.attempt?.cancel(outcome);
    this.attempt = null;
  }

  /** A try has failed; true: another one still runs beside it. */
  drop(attempt: Attempt): boolean {
    if (this.rival === null) {
      this.attempt = null;
      return false;
    }
    if (this.attempt === attempt) this.attempt = this.rival;
    this.rival = null;
    this.endpoint = this.attempt?.endpoint ?? null;
    return true;
  }

  /** This try answers: one that ran beside it is given up. */
  settleOn(attempt: Attempt): void {
    if (this.rival === null) return;
    const other = this.attempt === attempt ? this.rival : this.attempt;
    this.rival = null;
    this.attempt = attempt;
    this.endpoint = attempt.endpoint;
    other?.cancel('client-gone');
  }

  /** A policy in mode Shadow would have decided otherwise. */
  noteShadow(kind: string, detail: string): void {
    this.shadow += `${this.shadow === '' ? '' : ' '}${kind}:${detail}`;
    this.worker.metrics.count('shadow_decisions', kind);
  }

  /** A wait between two tries holds a place among the retries under way. */
  #endPause(): void {
    if (this.pause !== null) clearTimeout(this.pause);
    this.pause = null;
    if (this.tries > 0) this.admittedBy?.circuit.release('retries');
  }
}
