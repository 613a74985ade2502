// The counts of all workers, those that died included, as one page of Prometheus text.

import type { RoutePlanEntry, Snapshot } from '../../policies/plan.ts';
import type { CounterName, MetricsDelta } from './metrics.ts';
import { histogram, type Labelled, PromText } from './prom-text.ts';
import { FIRST_COUNTER, SECOND_COUNTER, type SeriesDelta } from './series.ts';

/** A thread that has not reported for this long has no open connections: it is gone. */
const STALE_MS = 5000;

const STATUS_LABELS = ['http_request_method', 'http_response_status_class', 'reason'];
const SERVER_LABELS = ['gateway', 'service', 'route', 'rule', ...STATUS_LABELS];
const CLIENT_LABELS = ['backend', ...STATUS_LABELS];

/** What the main thread knows itself. */
export interface Facts {
  readonly snapshot: Snapshot;
  readonly version: number;
  /** Unix time in ms at which `version` was published, 0 when nothing was. */
  readonly publishedAt: number;
  /** Objects that were refused, and findings that are errors. */
  readonly rejectedObjects: number;
  readonly accessLogDropped: number;
  /** Workers that serve `version`, and how many there should be. */
  readonly workersServing: number;
  readonly workers: number;
  readonly workersDied: number;
  readonly waypointVersion: string;
}

interface Gauges {
  readonly at: number;
  readonly connections: number;
  readonly activeRequests: number;
}

export class MetricsPage {
  readonly #server: Map<string, SeriesDelta> = new Map();
  readonly #client: Map<string, SeriesDelta> = new Map();
  readonly #counters: Map<CounterName, Map<string, number>> = new Map();
  readonly #gauges: Map<number, Gauges> = new Map();
  readonly #now: () => number;

  /** `now`: monotonic ms. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Adds what a worker counted since its last delta. */
  add(delta: MetricsDelta): void {
    for (const series of delta.server) merge(this.#server, series);
    for (const series of delta.client) merge(this.#client, series);
    for (const [name, reason, added] of delta.counters) this.count(name, reason, added);
    const { connections, activeRequests } = delta;
    this.#gauges.set(delta.thread, { at: this.#now(), connections, activeRequests });
  }

  /** What the main thread itself counts. */
  count(name: CounterName, reason: string, added: number): void {
    const reasons = this.#counters.get(name) ?? new Map<string, number>();
    reasons.set(reason, (reasons.get(reason) ?? 0) + added);
    this.#counters.set(name, reasons);
  }

  /** Prometheus text format 0.0.4. Series of routes, Services and backends that are configured no longer are dropped. */
  render(facts: Facts): string {
    this.#prune(facts.snapshot);
    const out = new PromText();
    this.#traffic(out);
    this.#connections(out);
    configuration(out, facts);
    processMetrics(out);
    return out.toString();
  }

  #traffic(out: PromText): void {
    const server = labelled(this.#server, SERVER_LABELS);
    const client = labelled(this.#client, CLIENT_LABELS);
    histogram(
      out,
      'http_server_request_duration_seconds',
      'From the head of a request to the end of its answer.',
      server,
    );
    histogram(
      out,
      'http_client_request_duration_seconds',
      'From the last try of a request to the head of its response.',
      client,
    );
    out.counter('waypoint_http_request_body_bytes_total', 'Request body bytes received.', server, FIRST_COUNTER);
    out.counter('waypoint_http_response_body_bytes_total', 'Response body bytes sent.', server, SECOND_COUNTER);
    out.counter('waypoint_upstream_retries_total', 'Tries after the first.', client, FIRST_COUNTER);
  }

  #connections(out: PromText): void {
    const limit = this.#now() - STALE_MS;
    let connections = 0;
    let active = 0;
    for (const [thread, gauges] of this.#gauges) {
      if (gauges.at < limit) this.#gauges.delete(thread);
      else {
        connections += gauges.connections;
        active += gauges.activeRequests;
      }
    }
    out.gauge('http_server_active_requests', 'Requests under way.', active);
    out.gauge('waypoint_connections', 'Client connections that are open.', connections);
    this.#counter(out, 'connections', 'Client connections accepted.');
    this.#counter(out, 'connections_refused', 'Client connections closed at once: too many were open.');
    this.#counter(out, 'parse_failures', 'Messages that were refused, by reason.');
    this.#counter(out, 'mirror_requests', 'Copies of requests sent to mirrors.');
    this.#counter(out, 'mirror_requests_dropped', 'Copies that were not sent or not answered, by reason.');
    this.#counter(out, 'retries', 'Tries that repeated another, by the condition that allowed it.');
    this.#counter(out, 'retries_refused', 'Failed tries that were not repeated, by reason.');
    this.#counter(out, 'circuit_overflows', 'Requests answered 503 at a limit, by limit.');
    this.#counter(out, 'ejections', 'Endpoints left out for a while, by cause.');
    this.#counter(out, 'jwks_fetches', 'Looks at the key sets of RequestAuthentications, by outcome.');
    this.#counter(out, 'tls_handshake_failures', 'Client connections that failed in their TLS handshake, by reason.');
    this.#counter(
      out,
      'proxy_protocol_failures',
      'Client connections that did not begin with a PROXY protocol header that is believed, by reason.',
    );
    this.#counter(out, 'authentication_failures', 'Requests answered 401, by what is wrong with their token.');
    this.#counter(out, 'authorization_denials', 'Requests answered 403, by policy and rule.');
    this.#counter(out, 'external_authorization', 'Verdicts of external authorizers, by provider.');
    this.#counter(out, 'rate_limit_verdicts', 'Verdicts of rate limit services, by service.');
    this.#counter(out, 'external_breakers', 'Turns of the breakers before outside services, by service and new state.');
    this.#counter(out, 'dns_queries', 'Queries to the DNS server, by result.');
    this.#counter(out, 'dns_forwards', 'Tries to ask resolvers for names that are not ours, by outcome.');
    this.#counter(out, 'shadow_decisions', 'What policies in mode Shadow would have changed, by kind.');
  }

  #counter(out: PromText, name: CounterName, help: string): void {
    const full = `waypoint_${name}_total`;
    out.head(full, help, 'counter');
    const reasons = this.#counters.get(name);
    if (reasons === undefined) out.sample(full, '', 0);
    else for (const [reason, count] of reasons) out.sample(full, reasonLabels(name, reason), count);
  }

  #prune(snapshot: Snapshot): void {
    const known = namesOf(snapshot);
    for (const [key, { labels }] of this.#server) {
      const [gateway = '', service = '', route = ''] = labels;
      const gone =
        !known.gateways.has(gateway) ||
        (service !== '' && !snapshot.services.has(service)) ||
        (route !== '' && !known.routes.has(route));
      if (gone) this.#server.delete(key);
    }
    for (const [key, { labels }] of this.#client) {
      if (!snapshot.backends.has(labels[0] ?? '')) this.#client.delete(key);
    }
  }
}

/** Counters whose reasons are several labels, one a line. */
const LABELS: { readonly [N in CounterName]?: readonly string[] } = {
  authorization_denials: ['policy', 'rule'],
  external_authorization: ['provider', 'verdict'],
  rate_limit_verdicts: ['service', 'verdict'],
  external_breakers: ['service', 'state'],
};
const REASON: readonly string[] = ['reason'];

function reasonLabels(name: CounterName, reason: string): string {
  if (reason === '') return '';
  const values = reason.split('\n');
  const labels = (LABELS[name] ?? REASON).map(
    (label, at) => `${label}="${(values[at] ?? '').replace(/[\\"\n]/g, escaped)}"`,
  );
  return `{${labels.join(',')}}`;
}

function merge(into: Map<string, SeriesDelta>, { labels, values }: SeriesDelta): void {
  const key = labels.join('\0');
  const sum = into.get(key);
  if (sum === undefined) into.set(key, { labels, values: values.slice() });
  else for (let at = 0; at < values.length; at++) sum.values[at]! += values[at]!;
}

function labelled(series: ReadonlyMap<string, SeriesDelta>, names: readonly string[]): readonly Labelled[] {
  return [...series.values()].map(({ labels, values }) => ({
    labels: names.map((name, at) => `${name}="${(labels[at] ?? '').replace(/[\\"\n]/g, escaped)}"`).join(','),
    values,
  }));
}

function escaped(char: string): string {
  return char === '\n' ? '\\n' : `\\${char}`;
}

function namesOf(snapshot: Snapshot): { gateways: Set<string>; routes: Set<string> } {
  const gateways = new Set<string>();
  for (const bind of snapshot.binds.values()) gateways.add(bind.gateway);
  const routes = new Set<string>();
  for (const service of snapshot.services.values()) routes.add(service.fallback.route);
  for (const table of snapshot.tables.values()) for (const entry of table.entries.values()) routes.add(routeOf(entry));
  return { gateways, routes };
}

function routeOf(entry: RoutePlanEntry): string {
  return `${entry.namespace}/${entry.name}`;
}

function configuration(out: PromText, facts: Facts): void {
  const { snapshot } = facts;
  const published = facts.publishedAt / 1000;
  const objects = {
    binds: snapshot.binds,
    services: snapshot.services,
    tables: snapshot.tables,
    backends: snapshot.backends,
  };
  out.gauge('waypoint_config_version', 'Version of the configuration that was published last.', facts.version);
  out.gauge('waypoint_config_last_reload_timestamp_seconds', 'When that was, in Unix time.', published);
  out.gauge('waypoint_config_rejected_objects', 'Errors in the configuration now.', facts.rejectedObjects);
  out.head('waypoint_config_objects', 'Parts of the configuration that is served.', 'gauge');
  for (const [kind, map] of Object.entries(objects))
    out.sample('waypoint_config_objects', `{kind="${kind}"}`, map.size);
  out.gauge('waypoint_workers', 'Worker threads that there should be.', facts.workers);
  out.gauge('waypoint_workers_serving', 'Worker threads that serve the last version.', facts.workersServing);
  out.head('waypoint_workers_died_total', 'Worker threads that died and were replaced.', 'counter');
  out.sample('waypoint_workers_died_total', '', facts.workersDied);
  out.head('waypoint_access_log_dropped_total', 'Lines of the access log that nobody took in time.', 'counter');
  out.sample('waypoint_access_log_dropped_total', '', facts.accessLogDropped);
  out.head('waypoint_build_info', 'Always 1.', 'gauge');
  out.sample('waypoint_build_info', `{version="${facts.waypointVersion}",node="${process.versions.node}"}`, 1);
}

function processMetrics(out: PromText): void {
  const { user, system } = process.cpuUsage();
  out.head('process_cpu_seconds_total', 'CPU time of the process, all threads.', 'counter');
  out.sample('process_cpu_seconds_total', '', (user + system) / 1_000_000);
  out.gauge('process_resident_memory_bytes', 'Resident memory of the process.', process.memoryUsage.rss());
  out.gauge('process_start_time_seconds', 'When the process began, in Unix time.', performance.timeOrigin / 1000);
}
