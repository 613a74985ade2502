// What a worker counts: cheap on the way of a request, handed over as differences once a second.

import { threadId } from 'node:worker_threads';
import type { Exchange } from '../exchange.ts';
import { FIRST_COUNTER, SECOND_COUNTER, type Series, type SeriesDelta, SeriesList } from './series.ts';

/** Plain data: counters say what was added, gauges what is. */
export interface MetricsDelta {
  readonly thread: number;
  /** By SERVER_LABELS; the counters are request and response body bytes. */
  readonly server: readonly SeriesDelta[];
  /** By CLIENT_LABELS; the first counter is tries after the first. */
  readonly client: readonly SeriesDelta[];
  readonly counters: readonly (readonly [name: CounterName, reason: string, added: number])[];
  readonly connections: number;
  readonly activeRequests: number;
}

export type CounterName =
  | 'connections'
  | 'connections_refused'
  | 'parse_failures'
  | 'mirror_requests'
  | 'mirror_requests_dropped'
  | 'retries'
  | 'retries_refused'
  | 'circuit_overflows'
  | 'ejections'
  | 'shadow_decisions'
  | 'jwks_fetches'
  | 'tls_handshake_failures'
  | 'proxy_protocol_failures'
  | 'authentication_failures'
  | 'authorization_denials'
  | 'dns_queries'
  | 'dns_forwards'
  | 'external_authorization'
  | 'rate_limit_verdicts'
  | 'external_breakers';

/** OpenTelemetry HTTP semantic conventions: any other is `_OTHER`, since methods are the client's to invent. */
const METHODS: ReadonlySet<string> = new Set([
  ...['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE'],
]);
const CLASSES: readonly string[] = ['', '1xx', '2xx', '3xx', '4xx', '5xx'];

/** The series of one route plan by Service and by backend; they are let go with the plan they hang on. */
class PlanSeries {
  readonly server: Map<string, SeriesList> = new Map();
  readonly client: Map<string, SeriesList> = new Map();
}

export class WorkerMetrics {
  /** Of requests that no plan took, by Gateway. */
  readonly #unrouted: Map<string, PlanSeries> = new Map();
  readonly #counters: Map<CounterName, Map<string, number>> = new Map();
  #server: Series[] = [];
  #client: Series[] = [];
  #connections = 0;
  #active = 0;

  /** An exchange began; every one of them ends in `requestDone`. */
  requestStarted(): void {
    this.#active++;
  }

  requestDone(x: Exchange): void {
    this.#active--;
    const series = this.#seriesOf(x);
    const method = METHODS.has(x.head.method) ? x.head.method : '_OTHER';
    const server = serverList(series, x).find(method, classOf(x.status), x.reason);
    mark(server, this.#server);
    server.observe((x.endedAt - x.startedAt) / 1000);
    server.values[FIRST_COUNTER]! += x.requestBytes;
    server.values[SECOND_COUNTER]! += x.responseBytes;
    if (x.tries === 0 || x.backend === null) return;
    const answered = x.responseAt >= x.upstreamAt;
    const client = clientList(series, x.backend.id).find(method, classOf(answered ? x.status : 0), x.reason);
    mark(client, this.#client);
    client.observe(((answered ? x.responseAt : x.endedAt) - x.upstreamAt) / 1000);
    client.values[FIRST_COUNTER]! += x.tries - 1;
  }

  connectionOpened(): void {
    this.#connections++;
    this.count('connections', '');
  }

  connectionClosed(): void {
    this.#connections--;
  }

  /** There were as many as the limit allows. */
  connectionRefused(): void {
    this.count('connections_refused', '');
  }

  /** A client did not get through its TLS handshake. */
  handshakeFailed(reason: string): void {
    this.count('tls_handshake_failures', reason);
  }

  /** A connection did not begin with a PROXY protocol header that is believed. */
  introductionFailed(reason: string): void {
    this.count('proxy_protocol_failures', reason);
  }

  /** `reason` is one of the parsers' bounded set. */
  parseFailed(reason: string): void {
    this.count('parse_failures', reason);
  }

  mirrorSent(): void {
    this.count('mirror_requests', '');
  }

  mirrorDropped(reason: string): void {
    this.count('mirror_requests_dropped', reason);
  }

  /** Everything since the last call; to be posted or lost. */
  takeDelta(): MetricsDelta {
    const counters: [CounterName, string, number][] = [];
    for (const [name, reasons] of this.#counters) {
      for (const [reason, added] of reasons) counters.push([name, reason, added]);
      reasons.clear();
    }
    const server = this.#server.map((series) => series.take());
    const client = this.#client.map((series) => series.take());
    this.#server = [];
    this.#client = [];
    return { thread: threadId, server, client, counters, connections: this.#connections, activeRequests: this.#active };
  }

  /** One more; `reason` is one of a bounded set. */
  count(name: CounterName, reason: string): void {
    let reasons = this.#counters.get(name);
    if (reasons === undefined) {
      reasons = new Map();
      this.#counters.set(name, reasons);
    }
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }

  #seriesOf(x: Exchange): PlanSeries {
    const { plan } = x;
    if (plan !== null) {
      plan.series ??= new PlanSeries();
      return plan.series as PlanSeries;
    }
    let series = this.#unrouted.get(x.bind.gateway);
    if (series === undefined) {
      series = new PlanSeries();
      this.#unrouted.set(x.bind.gateway, series);
    }
    return series;
  }
}

function serverList(series: PlanSeries, x: Exchange): SeriesList {
  const service = x.service === null ? '' : x.service.id;
  let list = series.server.get(service);
  if (list === undefined) {
    const plan = x.plan?.plan;
    list = new SeriesList([x.bind.gateway, service, plan?.route ?? '', plan?.rule ?? '']);
    series.server.set(service, list);
  }
  return list;
}

function clientList(series: PlanSeries, backend: string): SeriesList {
  let list = series.client.get(backend);
  if (list === undefined) {
    list = new SeriesList([backend]);
    series.client.set(backend, list);
  }
  return list;
}

/** Only series that changed are handed over. */
function mark(series: Series, dirty: Series[]): void {
  if (series.dirty) return;
  series.dirty = true;
  dirty.push(series);
}

/** `2xx`; '' where there was no status. */
function classOf(status: number): string {
  return CLASSES[Math.trunc(status / 100)] ?? '';
}
