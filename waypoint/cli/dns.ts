// `waypoint dns`: the names of enrolled Services from a process of its own, or as configuration for another DNS server.

import { hasRemoteVips } from '../../gateway-api/claims.ts';
import { DEFAULT_ENVIRONMENT } from '../../gateway-api/environment.ts';
import { FileSource } from '../../gateway-api/files.ts';
import { KeptPorts } from '../../gateway-api/kept-ports.ts';
import { type Translation, translate } from '../../gateway-api/translate.ts';
import { DEFAULT_LIMITS, type LogLevel } from '../config.ts';
import { DNS_FLAGS, type DnsFlags } from '../dns-flags.ts';
import { choice, parseSocketAddress, type SocketAddress } from '../flag-values.ts';
import { type Flag, parseFlags } from '../flags.ts';
import { LocalAddresses } from '../local-addresses.ts';
import { type AdminState, createAdmin } from '../ops/admin.ts';
import { createLog, type Log } from '../ops/log.ts';
import { MetricsPage } from '../ops/metrics-page.ts';
import { REDIRECT_FLAGS, type RedirectFlags } from '../redirect-flags.ts';
import { SOURCE_FLAGS, type SourceFlags } from '../source-flags.ts';
import { VERSION } from '../version.ts';
import { leftOut } from './left-out.ts';
import { addressesOfHost, Names } from './names.ts';
import { ConfigurationNews } from './news.ts';
import { statusTable } from './status-table.ts';
import { usageErrors } from './usage-errors.ts';
import { zoneServices } from './zone-services.ts';

type PrintFormat = 'coredns' | 'hosts' | 'dnsmasq';
type Print = PrintFormat | 'nothing';

type Flags = Omit<SourceFlags, 'pathNormalization'> &
  DnsFlags &
  Pick<RedirectFlags, 'servicePorts'> & {
    readonly listen: Flag<SocketAddress>;
    readonly print: Flag<Print>;
    readonly stateDir: Flag<string | null>;
    readonly admin: Flag<SocketAddress | null>;
    readonly logLevel: Flag<LogLevel>;
  };

type Values = { readonly [K in keyof Flags]: Flags[K] extends Flag<infer T> ? T : never };

const { config, bind, gateway, clusterDomain } = SOURCE_FLAGS;
const { servicePorts } = REDIRECT_FLAGS;

export const DNS_COMMAND_FLAGS: Flags = {
  config,
  listen: {
    arg: 'host:port',
    help: 'where it answers, over UDP and TCP',
    expects: 'host:port',
    initial: { host: '127.0.0.1', port: 15_053 },
    shown: '127.0.0.1:15053',
    parse: parseSocketAddress,
  },
  ...DNS_FLAGS,
  print: {
    ...choice<Print>(['coredns', 'hosts', 'dnsmasq'], {
      help: 'prints configuration for it instead',
      initial: 'nothing',
    }),
    shown: '',
  },
  ...{ bind, gateway, clusterDomain, servicePorts },
  stateDir: {
    arg: 'dir',
    help: 'that of waypoint run: the ports it allocated to Services',
    expects: 'a directory',
    initial: null,
    shown: '',
    parse: (text) => (text === '' ? undefined : text),
  },
  admin: {
    arg: 'host:port|off',
    help: 'admin pages and metrics',
    expects: "host:port or 'off'",
    initial: null,
    shown: 'off',
    parse: (text) => (text === 'off' ? null : parseSocketAddress(text)),
  },
  logLevel: choice<LogLevel>(['error', 'warn', 'info', 'debug'], { help: 'operator log on stderr', initial: 'info' }),
};

export async function dnsCommand(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  // WAYPOINT_ADMIN is where `run` listens.
  const { values, positionals, errors, given } = parseFlags(DNS_COMMAND_FLAGS, args, {
    ...env,
    WAYPOINT_ADMIN: undefined,
  });
  const mistakes = [...errors, ...positionals.map((word) => `unexpected argument '${word}'`)];
  if (values.config.length === 0)
    mistakes.push('--config is missing: name at least one file or directory of resources');
  if (mistakes.length > 0) return usageErrors('dns', mistakes);
  const service = new NameService(values);
  if (values.print !== 'nothing') {
    const host = given.has('listen') ? values.listen.host : '0.0.0.0';
    process.stdout.write(await service.print(values.print, host));
    return 0;
  }
  const ended = new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
  });
  try {
    await service.start();
    await ended;
  } catch (error) {
    process.stderr.write(`waypoint: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
  await service.close();
  return process.exitCode === 1 ? 1 : 0;
}

class NameService {
  readonly #values: Values;
  readonly #log: Log;
  readonly #news: ConfigurationNews;
  readonly #metrics: MetricsPage = new MetricsPage();
  readonly #addresses: LocalAddresses = new LocalAddresses(() => this.#follow());
  readonly #ports: KeptPorts;
  readonly #source: FileSource;
  readonly #admin: ReturnType<typeof createAdmin>;
  #names: Names | null = null;
  #translation: Translation | null = null;
  #version = 0;
  #publishedAt = 0;

  constructor(values: Values) {
    this.#values = values;
    this.#log = createLog(values.logLevel);
    this.#news = new ConfigurationNews(this.#log);
    this.#ports = new KeptPorts(values.stateDir, (message) => this.#log.warn(message));
    this.#source = new FileSource(values.config, {
      stateDir: null,
      onChange: () => this.#follow(),
      log: this.#log,
    });
    this.#admin = createAdmin(this.#adminState());
  }

  async start(): Promise<void> {
    const { listen, admin, clusterDomain: domain } = this.#values;
    const { dnsUpstream: upstream, dnsClients: clients, dnsRate: rate } = this.#values;
    const count = (...counted: ['dns_queries' | 'dns_forwards', string]): void => this.#metrics.count(...counted, 1);
    if (admin !== null) await this.#admin.listen(admin);
    const place = { listen, flag: '--listen', upstream, clients, rate };
    this.#names = await Names.start({ ...place, clusterDomain: domain, log: this.#log, count });
    this.#source.load();
    this.#source.watch();
    this.#follow();
  }

  async print(format: PrintFormat, host: string): Promise<string> {
    this.#source.load();
    const warning = leftOut(this.#source.store.findings);
    if (warning !== '') process.stderr.write(`waypoint dns: ${warning}\n`);
    const { printNames } = await import('../redirect/dns/print.ts');
    const services = zoneServices(this.#translate(), addressesOfHost(host));
    return printNames(format, services, this.#values.clusterDomain);
  }

  async close(): Promise<void> {
    this.#source.close();
    this.#addresses.close();
    await this.#names?.close();
    await this.#admin.close();
  }

  #follow(): void {
    const translation = this.#translate();
    if (this.#translation?.snapshot !== translation.snapshot) this.#version++;
    this.#translation = translation;
    this.#publishedAt = Date.now();
    this.#addresses.follow(hasRemoteVips(translation.state.holders) ? 'watch' : 'none');
    this.#names?.follow(translation);
    this.#news.tellFindings(this.#source.store.findings);
  }

  /** As `waypoint run` would with the same flags, but for what only trying to listen shows. */
  #translate(): Translation {
    const { bind: bindAddress, gateway: only, clusterDomain: domain, servicePorts: range } = this.#values;
    // Only read here: the waypoint allocates.
    if (range !== null) this.#ports.load();
    const environment = {
      ...DEFAULT_ENVIRONMENT,
      ...{ gateway: only, bindAddress, clusterDomain: domain, now: Date.now() },
      localAddresses: this.#addresses.current,
      servicePorts: range && { ...range, kept: this.#ports.current },
    };
    return translate(this.#source.store.resources, environment, this.#translation);
  }

  #adminState(): AdminState {
    const snapshot = (): Translation['snapshot'] => this.#translation!.snapshot;
    const statuses = (): Translation['statuses'] => this.#translation?.statuses ?? new Map();
    return {
      explainOptions: { limits: DEFAULT_LIMITS, pathNormalization: 'merge-slashes', zone: null, sessionKey: null },
      readiness: () => (this.#translation === null ? 'the first configuration is not read yet' : null),
      metrics: async () =>
        this.#metrics.render({
          ...{ snapshot: snapshot(), version: this.#version, publishedAt: this.#publishedAt },
          rejectedObjects: this.#source.store.findings.filter(({ severity }) => severity === 'error').length,
          ...{ accessLogDropped: 0, workersServing: 0, workers: 0, workersDied: 0, waypointVersion: VERSION },
        }),
      config: () => ({ version: this.#version, snapshot: snapshot() }),
      statuses,
      statusTable: () => statusTable(statuses()),
      backends: async () => [],
    };
  }
}
