// What a worker counts: cheap on the way of a request, handed over as differences once a second.

import { threadId } from 'node:worker_threads';
import type { Exchange } from '../exchange.ts';
import { BUCKETS, bucketOf } from './buckets.ts';

/** Values of a series behind its buckets: sum of seconds, then what `SeriesKind` says. */
export const SUM: number = BUCKETS;
export const REQUEST_BYTES: number = BUCKETS + 1;
export const RESPONSE_BYTES: number = BUCKETS + 2;
export const RETRIES: number = BUCKETS + 1;
const LENGTH: number = BUCKETS + 3;

/** Labels in the order of SERVER_LABELS or CLIENT_LABELS, and what was added since the last delta. */
export interface SeriesDelta {
  readonly labels: readonly string[];
  readonly values: Float64Array;
}

export const SERVER_LABELS: readonly string[] = [
  'gateway',
  'service',
  'route',
  'rule',
  'http_request_method',
  'http_response_status_class',
  'reason',
];
export const CLIENT_LABELS: readonly string[] = [
  'backend',
  'http_request_method',
  'http_response_status_class',
  'reason',
];

/** Plain data; counters say what was added, gauges what is. */
export interface MetricsDelta {
  readonly thread: number;
  readonly server: readonly SeriesDelta[];
  readonly client: readonly SeriesDelta[];
  /** By name and reason, `parse_failures` `bare_lf`. */
  readonly counters: readonly (readonly [name: CounterName, reason: string, added: number])[];
  readonly connections: number;
  readonly activeRequests: number;
}

export type CounterName =
  | 'connections'
  | 'connections_refused'
  | 'parse_failures'
  | 'mirror_requests'
  | 'mirror_requests_dropped';

/** Anything else is `_OTHER` (OpenTelemetry HTTP semantic conventions): methods are the client's to invent. */
const METHODS: ReadonlySet<string> = new Set([
  ...['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE'],
]);
const CLASSES = ['', '1xx', '2xx', '3xx', '4xx', '5xx'];

/** One set of labels; found again by comparing the few parts that vary under one plan. */
class Series implements SeriesDelta {
  readonly owner: string;
  readonly method: string;
  readonly statusClass: string;
  readonly reason: string;
  readonly labels: readonly string[];
  values: Float64Array = new Float64Array(LENGTH);
  dirty = false;

  constructor(owner: string, x: Exchange, statusClass: string, labels: readonly string[]) {
    this.owner = owner;
    this.method = x.head.method;
    this.statusClass = statusClass;
    this.reason = x.reason;
    this.labels = labels;
  }
}

/** The series of one LivePlan by Service and by backend; they are collected with the plan they hang on. */
class PlanSeries {
  readonly server: Map<string, Series[]> = new Map();
  readonly client: Map<string, Series[]> = new Map();
}

export class WorkerMetrics {
  readonly #unrouted: Map<string, PlanSeries> = new Map();
  #dirtyServer: Series[] = [];
  #dirtyClient: Series[] = [];
  readonly #counters: Map<CounterName, Map<string, number>> = new Map();
  #connections = 0;
  #active = 0;

  /** An exchange began; every one of them ends in `requestDone`. */
  requestStarted(): void {
    this.#active++;
  }

  requestDone(x: Exchange): void {
    this.#active--;
    const series = this.#seriesOf(x);
    const server = find(series.server, x.service === null ? '' : x.service.id, x, x.status) ?? newServer(series, x);
    observe(server, this.#dirtyServer, (x.endedAt - x.startedAt) / 1000);
    server.values[REQUEST_BYTES]! += x.requestBytes;
    server.values[RESPONSE_BYTES]! += x.responseBytes;
    if (x.tries === 0 || x.backend === null) return;
    const answered = x.responseAt >= x.upstreamAt;
    const status = answered ? x.status : 0;
    const client = find(series.client, x.backend.id, x, status) ?? newClient(series, x, status);
    observe(client, this.#dirtyClient, ((answered ? x.responseAt : x.endedAt) - x.upstreamAt) / 1000);
    client.values[RETRIES]! += x.tries - 1;
  }

  connectionOpened(): void {
    this.#connections++;
    this.#count('connections', '');
  }

  connectionClosed(): void {
    this.#connections--;
  }

  /** More connections than the limit. */
  connectionRefused(): void {
    this.#count('connections_refused', '');
  }

  /** `reason` is one of the parsers' bounded set. */
  parseFailed(reason: string): void {
    this.#count('parse_failures', reason);
  }

  mirrorSent(): void {
    this.#count('mirror_requests', '');
  }

  mirrorDropped(reason: string): void {
    this.#count('mirror_requests_dropped', reason);
  }

  /** Everything since the last call; to be posted or lost. */
  takeDelta(): MetricsDelta {
    const counters: [CounterName, string, number][] = [];
    for (const [name, reasons] of this.#counters) {
      for (const [reason, added] of reasons) counters.push([name, reason, added]);
      reasons.clear();
    }
    const server = taken(this.#dirtyServer);
    const client = taken(this.#dirtyClient);
    this.#dirtyServer = [];
    this.#dirtyClient = [];
    return { thread: threadId, server, client, counters, connections: this.#connections, activeRequests: this.#active };
  }

  #count(name: CounterName, reason: string): void {
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

function find(byOwner: Map<string, Series[]>, owner: string, x: Exchange, status: number): Series | undefined {
  const list = byOwner.get(owner);
  if (list === undefined) return undefined;
  const { method } = x.head;
  const { reason } = x;
  const statusClass = classOf(status);
  for (let at = 0; at < list.length; at++) {
    const series = list[at]!;
    if (series.statusClass === statusClass && series.method === method && series.reason === reason) return series;
  }
  return undefined;
}
