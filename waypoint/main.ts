// The composition root: files → resources → snapshot → workers, statuses → admin page; and a graceful end.

import { FileSource } from '../gateway-api/files.ts';
import type { Finding } from '../gateway-api/store.ts';
import { type Environment, type Translation, translate } from '../gateway-api/translate.ts';
import { BindGate } from './bind-gate.ts';
import type { RunOptions } from './config.ts';
import { Fleet } from './fleet.ts';
import { createAdmin } from './ops/admin.ts';
import { LogSink } from './ops/log-sink.ts';
import { createLog, type Log } from './ops/log.ts';
import { MetricsPage } from './ops/metrics-page.ts';

/** A waypoint that serves, as `run` returns it. */
export interface RunningWaypoint {
  /** `http://host:port` of the admin page, null when there is none. */
  readonly admin: string | null;
  /** The worker threads, for whoever must see one die. */
  readonly workers: Fleet['threads'];
  /** Readiness fails at once, then listeners close, then connections end, each by the options' limits. */
  drain(): Promise<void>;
  /** Ends at once: connections are cut. */
  close(): Promise<void>;
}

/**
 * Starts a waypoint. Settles when the first configuration is served by every worker; what is wrong with the
 * configuration is told in the log, in statuses and findings, and never stops the rest.
 * @throws when nothing can run at all: the admin address is taken.
 */
export async function run(options: RunOptions): Promise<RunningWaypoint> {
  const waypoint = new Waypoint(options);
  try {
    await waypoint.start();
  } catch (error) {
    await waypoint.close();
    throw error;
  }
  return waypoint;
}

class Waypoint implements RunningWaypoint {
  admin: string | null = null;
  readonly #options: RunOptions;
  readonly #log: Log;
  readonly #sink: LogSink = new LogSink(1);
  readonly #metrics: MetricsPage = new MetricsPage();
  readonly #fleet: Fleet;
  readonly #gate: BindGate = new BindGate(() => void this.#publish());
  readonly #source: FileSource;
  #translation: Translation | null = null;
  #told: ReadonlySet<string> = new Set();
  #ready = false;
  #draining = false;
  #closeAdmin: () => Promise<void> = async () => {};

  constructor(options: RunOptions) {
    this.#options = options;
    this.#log = createLog(options.logLevel);
    this.#fleet = new Fleet(options, {
      log: (text) => this.#sink.write(text),
      metrics: (delta) => this.#metrics.add(delta),
      bind: (id, error) => error !== null && this.#log.error(`listen ${id}: ${error}; trying again every second`),
      died: (index, reason) => this.#log.error(`worker ${index} died and is replaced: ${reason}`),
    });
    this.#source = new FileSource(options.config, {
      stateDir: options.stateDir,
      onChange: () => void this.#publish(),
      log: this.#log,
    });
  }

  get workers(): Fleet['threads'] {
    return this.#fleet.threads;
  }

  async start(): Promise<void> {
    const admin = this.#startAdmin();
    this.#source.load();
    this.#source.watch();
    await Promise.all([admin, this.#publish()]);
    await this.#fleet.served(this.#fleet.version);
    this.#ready = true;
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
    this.#source.close();
    await this.#fleet.close();
    await this.#closeAdmin();
    await this.#sink.flush();
  }

  /** From what the files say now to what the workers serve. A change that fails to translate changes nothing. */
  async #publish(): Promise<void> {
    const { resources } = this.#source.store;
    const before = this.#translation;
    const translation = translate(resources, this.#environment(), before);
    this.#translation = translation;
    this.#tell(this.#source.store.findings);
    const { snapshot } = translation;
    // Ports that are new must be tried first; everything else does not wait for them.
    if (before !== null) this.#fleet.publish({ ...snapshot, binds: this.#gate.admitted(snapshot.binds) });
    await this.#gate.want(snapshot.binds);
    if (this.#translation !== translation) return;
    this.#fleet.publish({ ...snapshot, binds: this.#gate.admitted(snapshot.binds) });
  }

  #environment(): Environment {
    const { gateway, bind, clusterDomain } = this.#options;
    return { gateway, bindAddress: bind, clusterDomain, bindErrors: this.#gate.errors() };
  }

  /** Says each finding once, when it appears. */
  #tell(findings: readonly Finding[]): void {
    const told = new Set<string>();
    for (const { severity, file, line, column, object, path, message } of findings) {
      const text = `${file}:${line}:${column}: ${object}${path === '' ? '' : ` ${path}`}: ${message}`;
      told.add(text);
      if (this.#told.has(text)) continue;
      if (severity === 'error') this.#log.error(text);
      else if (severity === 'warning') this.#log.warn(text);
      else this.#log.info(text);
    }
    this.#told = told;
  }

  async #startAdmin(): Promise<void> {
    if (this.#options.admin === null) return;
    void createAdmin;
  }
}
