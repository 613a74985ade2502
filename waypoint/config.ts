// Options of a running waypoint: flags, environment, defaults; plain data that crosses to the worker threads.

import { availableParallelism } from 'node:os';
import type { PathLevel } from '../routing/path.ts';
import { DNS_FLAGS, DNS_LISTEN } from './dns-flags.ts';
import { bytes, choice, count, duration, parseSocketAddress, type SocketAddress } from './flag-values.ts';
import { describeFlags, parseFlags } from './flags.ts';
import { IDENTITY_FLAGS } from './identity-flags.ts';
import type { AddressNamespace } from './redirect/client-namespaces.ts';
import { type PortRange, REDIRECT_FLAGS, STATE_DIR } from './redirect-flags.ts';
import { PLACE_FLAGS, SOURCE_FLAGS } from './source-flags.ts';

/** Bounds on what a peer may make the waypoint hold or wait for; each is exact at N and N+1. */
export interface Limits {
  /** Request line and fields with their line ends; beyond it 431. */
  readonly requestHeadBytes: number;
  readonly requestFields: number;
  /** Beyond it 414. */
  readonly requestTargetBytes: number;
  /** Beyond these the upstream is answered for with 502. */
  readonly responseHeadBytes: number;
  readonly responseFields: number;
  /** 1xx responses before the final one. */
  readonly interimResponses: number;
  /** From the first byte of a request head to its last. */
  readonly requestHeadTimeoutMs: number;
  /** Longest silence within a request or response body. */
  readonly bodyIdleTimeoutMs: number;
  /** Longest time in which a peer takes none of the bytes meant for it. */
  readonly writeIdleTimeoutMs: number;
  /** Silence between two requests of one connection. */
  readonly keepAliveTimeoutMs: number;
  /** Silence in both directions of a tunnel (an accepted upgrade). */
  readonly tunnelIdleTimeoutMs: number;
  /** Client connections of one worker; at this number accepting pauses. */
  readonly connections: number;
  /** Body bytes held for one stream before its source is paused. */
  readonly bufferBytes: number;
  /** Request body kept for another try or a copy; a longer one is neither repeated nor mirrored. */
  readonly mirrorBodyBytes: number;
  readonly connectTimeoutMs: number;
  /** Silence after which an idle upstream connection is closed. */
  readonly upstreamIdleTimeoutMs: number;
  /** Idle connections kept for one endpoint by one worker. */
  readonly upstreamIdleConnections: number;
}

export const DEFAULT_LIMITS: Limits = {
  requestHeadBytes: 61_440,
  requestFields: 100,
  requestTargetBytes: 8192,
  responseHeadBytes: 61_440,
  responseFields: 200,
  interimResponses: 16,
  requestHeadTimeoutMs: 10_000,
  bodyIdleTimeoutMs: 60_000,
  writeIdleTimeoutMs: 60_000,
  keepAliveTimeoutMs: 75_000,
  tunnelIdleTimeoutMs: 3_600_000,
  connections: 10_000,
  bufferBytes: 262_144,
  mirrorBodyBytes: 65_536,
  connectTimeoutMs: 5000,
  upstreamIdleTimeoutMs: 15_000,
  upstreamIdleConnections: 256,
};

export type AccessLogFormat = 'json' | 'text' | 'off';
export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

export interface RunOptions {
  /** Files and directories of resources, in the order given. */
  readonly config: readonly string[];
  /** Address that Gateway listeners bind where their Gateway names none. */
  readonly bind: string;
  readonly workers: number;
  readonly admin: SocketAddress | null;
  /** Serve only this Gateway, `namespace/name`. */
  readonly gateway: string | null;
  readonly accessLog: AccessLogFormat;
  /** Where the last good configuration is kept. */
  readonly stateDir: string | null;
  /** The zone this process runs in, for locality-aware balancing. */
  readonly zone: string | null;
  /** Signs session tokens; the replicas of a waypoint share it. null: made at start. */
  readonly sessionKey: string | null;
  readonly logLevel: LogLevel;
  readonly clusterDomain: string;
  readonly pathNormalization: PathLevel;
  /** CIDRs of peers whose `x-forwarded-*` is kept and extended. */
  readonly trustedProxies: readonly string[];
  /** SPIFFE trust domain of this process, and those that mean the same. */
  readonly trustDomain: string;
  readonly trustDomainAliases: readonly string[];
  /** Directory of certificates, one sub-directory each: `tls.crt`, `tls.key`, `ca.crt`. */
  readonly credentials: string | null;
  /** Path of the socket of the SPIFFE Workload API. */
  readonly spiffeEndpointSocket: string | null;
  /** CIDRs of peers that are believed on listeners of protocol waypoint.dev/PROXY. */
  readonly proxyProtocolFrom: readonly string[];
  readonly allowExternalName: boolean;
  /** CIDRs that names outside may lead to though they are loopback or link-local. */
  readonly egressAllow: readonly string[];
  /** Remote key sets are fetched again after this time, and used for so much longer when that fails. */
  readonly jwksRefreshMs: number;
  readonly jwksStaleMs: number;
  /** Each port of an enrolled Service gets one of these of its own; null: none does. */
  readonly servicePorts: PortRange | null;
  /** In which namespaces clients live that show no identity. */
  readonly clientNamespaces: readonly AddressNamespace[];
  /** Where the DNS server listens; null: there is none. */
  readonly dns: SocketAddress | null;
  /** Resolvers for names that are not ours; null: those of resolv.conf; empty: none. */
  readonly dnsUpstream: readonly SocketAddress[] | null;
  /** CIDRs of clients that may ask for such names too; this host always may. */
  readonly dnsClients: readonly string[];
  /** Queries per second of one client. */
  readonly dnsRate: number;
  /** Between failing readiness and closing the listeners. */
  readonly drainDelayMs: number;
  /** From the signal to the end of whatever is still in flight. */
  readonly drainTimeoutMs: number;
  readonly limits: Limits;
}

const RUN_FLAGS = {
  ...SOURCE_FLAGS,
  workers: count(1, 1024, { help: 'worker threads', initial: availableParallelism(), shown: 'one per CPU' }),
  admin: {
    arg: 'host:port|off',
    help: 'admin pages and metrics',
    expects: "host:port or 'off'",
    initial: { host: '127.0.0.1', port: 15_000 } as SocketAddress | null,
    shown: '127.0.0.1:15000',
    parse: (text: string): SocketAddress | null | undefined => (text === 'off' ? null : parseSocketAddress(text)),
  },
  accessLog: choice<AccessLogFormat>(['json', 'text', 'off'], {
    help: 'a line per request on stdout',
    initial: 'json',
  }),
  stateDir: STATE_DIR,
  ...PLACE_FLAGS,
  logLevel: choice<LogLevel>(['error', 'warn', 'info', 'debug'], { help: 'operator log on stderr', initial: 'info' }),
  ...IDENTITY_FLAGS,
  ...REDIRECT_FLAGS,
  dns: DNS_LISTEN,
  ...DNS_FLAGS,
  drainDelay: duration(0, { help: 'goes on accepting after SIGTERM', initial: 5000 }),
  drainTimeout: duration(0, { help: 'until requests in flight are cut after SIGTERM', initial: 25_000 }),
};

const LIMIT_FLAGS = {
  maxRequestHeadBytes: bytes({ help: 'request line and fields; else 431', initial: DEFAULT_LIMITS.requestHeadBytes }),
  maxRequestFields: count(1, 10_000, { help: 'header fields; else 431', initial: DEFAULT_LIMITS.requestFields }),
  maxRequestTargetBytes: bytes({ help: 'request target; else 414', initial: DEFAULT_LIMITS.requestTargetBytes }),
  maxResponseHeadBytes: bytes({ help: 'status line and fields; else 502', initial: DEFAULT_LIMITS.responseHeadBytes }),
  maxResponseFields: count(1, 10_000, { help: 'header fields; else 502', initial: DEFAULT_LIMITS.responseFields }),
  maxInterimResponses: count(0, 1000, { help: '1xx responses; else 502', initial: DEFAULT_LIMITS.interimResponses }),
  requestHeadTimeout: duration(1, { help: 'a whole request head', initial: DEFAULT_LIMITS.requestHeadTimeoutMs }),
  bodyIdleTimeout: duration(1, { help: 'silence within a body', initial: DEFAULT_LIMITS.bodyIdleTimeoutMs }),
  writeIdleTimeout: duration(1, { help: 'a peer that takes no bytes', initial: DEFAULT_LIMITS.writeIdleTimeoutMs }),
  keepAliveTimeout: duration(1, { help: 'silence between requests', initial: DEFAULT_LIMITS.keepAliveTimeoutMs }),
  tunnelIdleTimeout: duration(1, { help: 'silence in an upgrade', initial: DEFAULT_LIMITS.tunnelIdleTimeoutMs }),
  maxConnections: count(1, 1_000_000, { help: 'client connections, per worker', initial: DEFAULT_LIMITS.connections }),
  bufferBytes: bytes({ help: 'held per stream for a slow reader', initial: DEFAULT_LIMITS.bufferBytes }),
  mirrorBodyBytes: bytes({
    help: 'request body kept for a retry or a mirror',
    initial: DEFAULT_LIMITS.mirrorBodyBytes,
  }),
  connectTimeout: duration(1, { help: 'connecting to an endpoint', initial: DEFAULT_LIMITS.connectTimeoutMs }),
  upstreamIdleTimeout: duration(1, {
    help: 'unused upstream connection',
    initial: DEFAULT_LIMITS.upstreamIdleTimeoutMs,
  }),
  maxUpstreamIdleConnections: count(0, 100_000, {
    help: 'unused connections, per endpoint and worker',
    initial: DEFAULT_LIMITS.upstreamIdleConnections,
  }),
};

/** Options from the arguments behind `waypoint run`; or every mistake in them, as lines for the user. */
export function parseRunOptions(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): { options: RunOptions } | { errors: string[] } {
  // Under this name every SPIFFE agent tells its workloads (SPIFFE Workload Endpoint section 4).
  const told = { WAYPOINT_SPIFFE_ENDPOINT_SOCKET: env['SPIFFE_ENDPOINT_SOCKET'], ...env };
  const { values, positionals, errors: mistakes, given } = parseFlags({ ...RUN_FLAGS, ...LIMIT_FLAGS }, argv, told);
  const errors = [...mistakes];
  for (const word of positionals) errors.push(`unexpected argument '${word}' (files are given with --config)`);
  if (!given.has('config')) errors.push('--config is missing: name at least one file or directory of resources');
  const { drainDelay, drainTimeout } = values;
  if (drainTimeout < drainDelay) errors.push('--drain-timeout must not be shorter than --drain-delay');
  if (errors.length > 0) return { errors };
  const { config, bind, workers, admin, gateway, accessLog, stateDir, logLevel } = values;
  const { clusterDomain, pathNormalization, trustedProxies, zone, sessionKey } = values;
  const { trustDomain, trustDomainAliases, credentials, spiffeEndpointSocket } = values;
  const { proxyProtocolFrom, allowExternalName, egressAllow, servicePorts, clientNamespaces } = values;
  const { dns, dnsUpstream, dnsClients, dnsRate, jwksRefresh, jwksStale } = values;
  return {
    options: {
      ...{ config, bind, workers, admin, gateway, accessLog, stateDir, logLevel },
      ...{ clusterDomain, pathNormalization, trustedProxies, zone, sessionKey },
      ...{ trustDomain, trustDomainAliases, credentials, spiffeEndpointSocket },
      ...{ proxyProtocolFrom, allowExternalName, egressAllow, servicePorts, clientNamespaces },
      ...{ dns, dnsUpstream, dnsClients, dnsRate },
      ...{ jwksRefreshMs: jwksRefresh, jwksStaleMs: jwksStale },
      drainDelayMs: drainDelay,
      drainTimeoutMs: drainTimeout,
      limits: limitsFrom(values),
    },
  };
}

function limitsFrom(values: { readonly [K in keyof typeof LIMIT_FLAGS]: number }): Limits {
  return {
    requestHeadBytes: values.maxRequestHeadBytes,
    requestFields: values.maxRequestFields,
    requestTargetBytes: values.maxRequestTargetBytes,
    responseHeadBytes: values.maxResponseHeadBytes,
    responseFields: values.maxResponseFields,
    interimResponses: values.maxInterimResponses,
    requestHeadTimeoutMs: values.requestHeadTimeout,
    bodyIdleTimeoutMs: values.bodyIdleTimeout,
    writeIdleTimeoutMs: values.writeIdleTimeout,
    keepAliveTimeoutMs: values.keepAliveTimeout,
    tunnelIdleTimeoutMs: values.tunnelIdleTimeout,
    connections: values.maxConnections,
    bufferBytes: values.bufferBytes,
    mirrorBodyBytes: values.mirrorBodyBytes,
    connectTimeoutMs: values.connectTimeout,
    upstreamIdleTimeoutMs: values.upstreamIdleTimeout,
    upstreamIdleConnections: values.maxUpstreamIdleConnections,
  };
}

/** The flags of `waypoint run` for its help. */
export function describeRunFlags(): string {
  return `${describeFlags(RUN_FLAGS)}\nLimits:\n${describeFlags(LIMIT_FLAGS)}`;
}
