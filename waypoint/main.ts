// The composition root: files → resources → snapshot → workers, statuses → admin page; and a graceful end.

import { hasRemoteVips } from '../gateway-api/claims.ts';
import type { Statuses } from '../gateway-api/conditions.ts';
import { CredentialsDirectory } from '../gateway-api/credentials/directory.ts';
import { DEFAULT_ENVIRONMENT } from '../gateway-api/environment.ts';
import { FileSource } from '../gateway-api/files.ts';
import { KeptPorts } from '../gateway-api/kept-ports.ts';
import { type Environment, nextExpiry, type Translation, translate } from '../gateway-api/translate.ts';
import { EMPTY_SNAPSHOT, type Snapshot } from '../policies/plan.ts';
import { Alarm } from './alarm.ts';
import { BindGate } from './bind-gate.ts';
import { Names } from './cli/names.ts';
import { ConfigurationNews } from './cli/news.ts';
import { statusTable } from './cli/status-table.ts';
import type { RunOptions } from './config.ts';
import { WorkloadApi } from './credentials/workload-api.ts';
import { Fleet } from './fleet.ts';
import { HealthChecks } from './health-checks.ts';
import { healthNews } from './health-news.ts';
import { JwksFetcher } from './jwt/jwks-fetcher.ts';
import { LocalAddresses } from './local-addresses.ts';
import type { KeysNews } from './messages.ts';
import { type LookUp, NameResolver } from './name-resolver.ts';
import { type Admin, type AdminState, createAdmin } from './ops/admin.ts';
import { createLog, type Log } from './ops/log.ts';
import { LogSink } from './ops/log-sink.ts';
import { type Facts, MetricsPage } from './ops/metrics-page.ts';
import { systemLookup } from './system-lookup.ts';
import { VERSION } from './version.ts';

/** How long the start waits for the addresses of names outside, at the most. */
const FIRST_LOOKUP_MS = 2_000;

/** A waypoint that serves, as `run` returns it. */
export interface RunningWaypoint {
  /** `http://host:port` of the admin page, null when there is none. */
  readonly admin: string | null;
  /** `host:port` of the DNS server, null when there is none. */
  readonly dns: string | null;
  /** The worker threads, for whoever must see one die. */
  readonly workers: Fleet['threads'];
  /** Readiness fails at once, then listeners close, then connections end, each by the options' limits. */
  drain(): Promise<void>;
  /** Ends at once: connections are cut. */
  close(): Promise<void>;
}

/**
 * Starts a waypoint. Settles when the first configuration is served by every worker; what is wrong with the
 * configuration is told in the log, in statuses and findings, and never stops the rest. `lookUp` finds the addresses of
 * names outside.
 * @throws when nothing can run at all: the admin address is taken.
 */
export async function run(options: RunOptions, lookUp: LookUp = systemLookup): Promise<RunningWaypoint> {
  const waypoint = new Waypoint(options, lookUp);
  try {
    await waypoint.start();
  } catch (error) {
    await waypoint.close();
    throw error;
  }
  return waypoint;
}

/** Addresses that are named when serving begins. */
const MAX_GREETED = 8;

class Waypoint implements RunningWaypoint {
  admin: string | null = null;
  readonly #options: RunOptions;
  readonly #log: Log;
  readonly #news: ConfigurationNews;
  readonly #sink: LogSink = new LogSink(1);
  readonly #metrics: MetricsPage = new MetricsPage();
  readonly #fleet: Fleet;
  readonly #gate: BindGate = new BindGate(() => void this.#publish());
  /** Certificates begin and end without anybody's doing. */
  readonly #expiry: Alarm = new Alarm(() => void this.#publish());
  readonly #addresses: LocalAddresses = new LocalAddresses(() => void this.#publish());
  readonly #ports: KeptPorts;
  readonly #source: FileSource;
  readonly #credentials: CredentialsDirectory | null;
  readonly #workloadApi: WorkloadApi | null;
  readonly #checks: HealthChecks;
  readonly #jwks: JwksFetcher;
  readonly #outside: NameResolver;
  readonly #adminServer: Admin;
  #names: Names | null = null;
  #translation: Translation | null = null;
  #publishedAt = 0;
  #died = 0;
  #ready = false;
  #draining = false;

  constructor(options: RunOptions, lookUp: LookUp) {
    this.#options = options;
    this.#log = createLog(options.logLevel);
    this.#news = new ConfigurationNews(this.#log);
    this.#fleet = new Fleet(options, {
      log: (text, dropped) => {
        this.#sink.dropped += dropped;
        this.#sink.write(text);
      },
      metrics: (delta) => this.#metrics.add(delta),
      bind: (id, error) => error !== null && this.#log.error(`listen ${id}: ${error}; trying again every second`),
      ejected: ({ backend, endpoint, cause, forMs }) =>
        this.#log.warn(
          `${backend}: ${endpoint} is left out for ${Math.round(forMs / 1000)} s: ${cause.replaceAll('_', ' ')}`,
        ),
      keysWanted: (uri) => this.#jwks.want(uri),
      died: (index, reason) => {
        this.#died++;
        this.#log.error(`worker ${index} died and is replaced: ${reason}`);
      },
    });
    const tell = { fleet: this.#fleet, log: this.#log, metrics: this.#metrics };
    this.#checks = new HealthChecks(healthNews(tell), options);
    this.#source = new FileSource(options.config, {
      stateDir: options.stateDir,
      onChange: () => void this.#publish(),
      log: this.#log,
    });
    this.#ports = new KeptPorts(options.stateDir, (message) => this.#log.warn(message));
    const { credentials, spiffeEndpointSocket } = options;
    const trustDomains = [options.trustDomain, ...options.trustDomainAliases];
    const told = { onChange: () => void this.#publish(), log: this.#log, trustDomains };
    this.#credentials = credentials === null ? null : new CredentialsDirectory(credentials, told);
    this.#workloadApi = spiffeEndpointSocket === null ? null : new WorkloadApi(spiffeEndpointSocket, told);
    const news = (keys: readonly KeysNews[]): void => this.#fleet.tellKeys(keys);
    const looked = (outcome: string): void => this.#metrics.count('jwks_fetches', outcome, 1);
    this.#jwks = new JwksFetcher({ news, looked, changed: () => void this.#publish(), log: this.#log }, options);
    this.#outside = new NameResolver({ lookUp, changed: () => void this.#publish(), log: this.#log });
    this.#adminServer = createAdmin(this.#adminState());
  }

  get dns(): string | null {
    return this.#names?.address ?? null;
  }

  get workers(): Fleet['threads'] {
    return this.#fleet.threads;
  }

  async start(): Promise<void> {
    const { admin } = this.#options;
    // Before anything is read: a taken address is a mistake in the flags, told at once.
    if (admin !== null) this.admin = `http://${await this.#adminServer.listen(admin)}`;
    await this.#startNames();
    this.#credentials?.load();
    this.#credentials?.watch();
    // What needs its certificates is served when it has answered; the rest does not wait.
    this.#workloadApi?.start();
    if (this.#options.servicePorts !== null) this.#ports.load();
    this.#source.load();
    this.#source.watch();
    await this.#publish();
    await this.#outside.answered(FIRST_LOOKUP_MS);
    await this.#fleet.served(this.#fleet.version);
    this.#ready = true;
    this.#log.info(this.#greeting());
  }

  /** The first thing that somebody wants to know who has just started it. */
  #greeting(): string {
    const addresses = [...this.#gate.admitted(this.#snapshot.binds).values()].map(
      ({ id, protocol }) => `${id} (${protocol})`,
    );
    const shown = addresses.slice(0, MAX_GREETED).join(', ') || 'nothing: no Gateway has a listener that serves';
    const more = addresses.length > MAX_GREETED ? ` and ${addresses.length - MAX_GREETED} more` : '';
    return `serving ${shown}${more}; admin ${this.admin ?? 'off'}`;
  }

  async drain(): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    const { drainDelayMs, drainTimeoutMs } = this.#options;
    await new Promise((resolve) => setTimeout(resolve, drainDelayMs));
    await this.#fleet.drain(Math.max(0, drainTimeoutMs - drainDelayMs));
    await this.close();
  }

  async close(): Promise<void> {
    this.#ready = false;
    this.#gate.close();
    this.#expiry.close();
    this.#addresses.close();
    this.#outside.close();
    this.#source.close();
    this.#credentials?.close();
    this.#workloadApi?.close();
    await this.#names?.close();
    await this.#checks.close();
    await this.#jwks.close();
    await this.#fleet.close();
    await this.#adminServer.close();
    await this.#sink.flush();
  }

  async #startNames(): Promise<void> {
    const { dns, dnsUpstream: upstream, dnsClients: clients, dnsRate: rate, clusterDomain } = this.#options;
    if (dns === null) return;
    const count = (...counted: ['dns_queries' | 'dns_forwards', string]): void => this.#metrics.count(...counted, 1);
    const place = { listen: dns, flag: '--dns', upstream, clients, rate };
    this.#names = await Names.start({ ...place, clusterDomain, log: this.#log, count });
  }

  /** From what the files say now to what the workers serve; what did not change is neither translated nor posted again. */
  async #publish(): Promise<void> {
    const before = this.#translation;
    const translation = translate(this.#source.store.resources, this.#environment(), before);
    this.#translation = translation;
    this.#expiry.set(nextExpiry(translation));
    this.#addresses.follow(hasRemoteVips(translation.state.holders) ? 'watch' : 'none');
    // On disk before anybody can be led there.
    if (this.#options.servicePorts !== null) this.#ports.keep(translation.state.ports);
    this.#news.tellFindings(this.#source.store.findings);
    const { snapshot, statuses } = translation;
    // Addresses that are new must be tried first; everything else does not wait for them.
    if (before !== null) this.#post(snapshot);
    await this.#gate.want(snapshot.binds);
    if (this.#translation !== translation) return;
    this.#post(snapshot);
    this.#names?.follow(translation);
    // Behind the posting too: an answer publishes again, and that must find the addresses tried.
    this.#outside.follow(translation.state.outsideNames.values());
    // Behind the posting: nobody who reads a log is in that much of a hurry.
    this.#news.tellStatuses(statuses);
    this.#checks.follow(snapshot);
    this.#jwks.follow(snapshot.access);
  }

  #post(snapshot: Snapshot): void {
    const before = this.#fleet.version;
    if (this.#fleet.publish({ ...snapshot, binds: this.#gate.admitted(snapshot.binds) }) !== before) {
      this.#publishedAt = Date.now();
    }
  }

  #environment(): Environment {
    const { gateway, bind, clusterDomain, trustDomain, trustDomainAliases, allowExternalName } = this.#options;
    const { servicePorts } = this.#options;
    return {
      ...DEFAULT_ENVIRONMENT,
      ...{ gateway, bindAddress: bind, clusterDomain, bindErrors: this.#gate.errors(), now: Date.now() },
      trustDomains: [trustDomain, ...trustDomainAliases],
      // Where a directory has the name of one that the Workload API gives, the API is asked for it.
      credentials: new Map([...(this.#credentials?.credentials ?? []), ...(this.#workloadApi?.credentials ?? [])]),
      ...{ allowExternalName, addresses: this.#outside.addresses },
      jwksErrors: this.#jwks.errors(),
      localAddresses: this.#addresses.current,
      servicePorts: servicePorts && { ...servicePorts, kept: this.#ports.current },
    };
  }

  #adminState(): AdminState {
    return {
      explainOptions: { ...this.#options, sessionKey: this.#fleet.sessionKey },
      knownKeys: () => this.#jwks.known(),
      readiness: () => this.#readiness(),
      metrics: async () => {
        await this.#fleet.collect();
        return this.#metrics.render(this.#facts());
      },
      config: () => ({ version: this.#fleet.servedVersion, snapshot: this.#snapshot }),
      statuses: () => this.#statuses,
      statusTable: () => statusTable(this.#statuses),
      backends: () => this.#fleet.collect(),
    };
  }

  #readiness(): string | null {
    if (this.#draining) return 'draining';
    return this.#ready ? null : 'the first configuration is not served yet';
  }

  get #snapshot(): Snapshot {
    return this.#translation?.snapshot ?? EMPTY_SNAPSHOT;
  }

  get #statuses(): Statuses {
    return this.#translation?.statuses ?? new Map();
  }

  #facts(): Facts {
    const errors = this.#source.store.findings.filter(({ severity }) => severity === 'error');
    return {
      snapshot: this.#snapshot,
      version: this.#fleet.version,
      publishedAt: this.#publishedAt,
      rejectedObjects: errors.length,
      accessLogDropped: this.#sink.dropped,
      workersServing: this.#fleet.serving,
      workers: this.#options.workers,
      workersDied: this.#died,
      waypointVersion: VERSION,
    };
  }
}
