// One request and its answer: the object that walks through serve, attempt and relay, and ends in the access log.

import type { BindPlan, ListenerPlan, ServicePlan } from '../policies/plan.ts';
import type { FilterContext } from '../policies/policy.ts';
import type { Endpoint } from '../routing/endpoint.ts';
import type { Backend } from '../routing/registry.ts';
import type { Peer } from '../routing/request.ts';
import type { Attempt } from './attempt.ts';
import type { Downstream } from './downstream/connection.ts';
import type { Http1RequestHead } from './http1/request-head.ts';
import type { LiveSnapshot } from './live-snapshot.ts';
import type { LivePlan } from './live-plan.ts';

export class Exchange implements FilterContext {
  readonly downstream: Downstream;
  readonly head: Http1RequestHead;
  readonly peer: Peer;
  readonly bind: BindPlan;
  /** The configuration this request runs under, from its first step to its last. */
  readonly snapshot: LiveSnapshot;
  readonly listenerPort: number;
  /** `x-request-id`, the client's or made here. */
  id = '';
  service: ServicePlan | null = null;
  listener: ListenerPlan | null = null;
  plan: LivePlan | null = null;
  matchedPrefix: string | null = null;
  backend: Backend | null = null;
  /** The endpoint of the last try. */
  endpoint: Endpoint | null = null;
  attempt: Attempt | null = null;
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
    this.downstream = downstream;
    this.head = downstream.parser.head;
    this.peer = downstream.peer;
    this.bind = downstream.bind;
    this.listenerPort = downstream.bind.port;
    this.snapshot = snapshot;
    this.startedAt = startedAt;
  }
}
