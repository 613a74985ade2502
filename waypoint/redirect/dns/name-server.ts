// The DNS server of a waypoint: UDP and TCP on one address, the names of enrolled Services, resolvers for all others.

import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import type { SocketAddress } from '../../flag-values.ts';
import type { Log } from '../../ops/log.ts';
import { FloodLimits, mayForward } from './clients.ts';
import { Forwarder, type ForwardLimits, type ForwardOutcome } from './forwarder.ts';
import { ResolvConf } from './resolv-conf.ts';
import { type QueryResult, Responder } from './responder.ts';
import { DEFAULT_TCP_LIMITS, type TcpLimits, TcpServer } from './tcp-server.ts';
import { UdpServer } from './udp-server.ts';
import type { Zone } from './zone.ts';

export interface NameServerOptions {
  readonly listen: SocketAddress;
  /** How the operator says where it listens: `--dns`. */
  readonly flag: string;
  /** null: those of resolv.conf, followed as it changes. */
  readonly upstream: readonly SocketAddress[] | null;
  /** CIDRs of clients, beside this host, for which other names are looked up. */
  readonly clients: readonly string[];
  /** Queries per second of one client. */
  readonly rate: number;
  readonly log: Log;
  readonly count: (counter: 'dns_queries' | 'dns_forwards', reason: QueryResult | ForwardOutcome) => void;
  readonly resolvConf?: string;
  readonly tcpLimits?: TcpLimits;
  readonly forwardLimits?: ForwardLimits;
}

/** Where nobody says how many seconds apart, the log says no more often than this that resolvers do not answer. */
const COMPLAINT_MS = 30_000;
/** The system chooses a TCP port, which UDP may not have. */
const PORT_TRIES = 10;

export class NameServer {
  /** `host:port` in use. */
  address = '';
  readonly #options: NameServerOptions;
  readonly #forwarder: Forwarder;
  readonly #responder: Responder;
  readonly #resolvConf: ResolvConf;
  readonly #count: (result: QueryResult) => void;
  #floods: FloodLimits;
  #udp: UdpServer | null = null;
  #tcp: TcpServer | null = null;
  #isSelf: (resolver: SocketAddress) => boolean = () => false;
  #isAnswered = true;
  #complainedAt = Number.NEGATIVE_INFINITY;

  constructor(options: NameServerOptions) {
    this.#options = options;
    this.#resolvConf = new ResolvConf(options.resolvConf);
    this.#count = (result) => options.count('dns_queries', result);
    this.#forwarder = new Forwarder({
      resolvers: () => this.#resolvers(),
      count: (outcome) => this.#forwarded(outcome),
      ...(options.forwardLimits === undefined ? {} : { limits: options.forwardLimits }),
    });
    this.#floods = new FloodLimits(options.rate);
    this.#responder = new Responder({
      forwarder: this.#forwarder,
      mayForward: mayForward(options.clients),
      count: this.#count,
    });
  }

  /** @throws with the next step in its message. */
  async listen(): Promise<void> {
    const { host, port } = this.#options.listen;
    try {
      const { address, family } = await lookup(host);
      const used = await this.#open(address, family as 4 | 6, port);
      this.address = family === 6 ? `[${address}]:${used}` : `${address}:${used}`;
      this.#isSelf = selfAt(address, used);
    } catch (error) {
      await this.close();
      throw new Error(this.#explained(error as NodeJS.ErrnoException));
    }
    const own = this.#options.upstream?.find(this.#isSelf);
    if (own !== undefined) {
      await this.close();
      throw new Error(`dns ${this.address}: --dns-upstream ${own.host}:${own.port} is this very server: name another`);
    }
  }

  /** From now on these are the names that it answers for. */
  publish(zone: Zone): void {
    if (this.#responder.zone === null) this.#options.log.info(`dns ${this.address}: ${this.#described(zone)}`);
    this.#responder.zone = zone;
  }

  async close(): Promise<void> {
    this.#forwarder.close();
    this.#udp?.close();
    await this.#tcp?.close();
    this.#udp = null;
    this.#tcp = null;
  }

  async #open(address: string, family: 4 | 6, port: number): Promise<number> {
    for (let tries = 1; ; tries++) {
      const { tcpLimits: limits = DEFAULT_TCP_LIMITS } = this.#options;
      const [responder, floods, count] = [this.#responder, this.#floods, this.#count];
      const tcp = new TcpServer({ responder, floods, count, limits });
      const udp = new UdpServer(family, responder, floods, count);
      try {
        const used = await tcp.listen(address, port);
        this.#tcp = tcp;
        await udp.listen(address, used);
        this.#udp = udp;
        return used;
      } catch (error) {
        udp.close();
        await this.#tcp?.close();
        this.#tcp = null;
        if (port !== 0 || tries === PORT_TRIES) throw error;
      }
    }
  }

  /** Those of resolv.conf that are not this server itself, so that no question goes round in a circle. */
  #resolvers(): readonly SocketAddress[] {
    const { upstream } = this.#options;
    return upstream ?? this.#resolvConf.resolvers(performance.now()).filter((resolver) => !this.#isSelf(resolver));
  }

  #forwarded(outcome: ForwardOutcome): void {
    this.#options.count('dns_forwards', outcome);
    if (outcome !== 'answered' && outcome !== 'unanswered') return;
    const isAnswered = outcome === 'answered';
    if (isAnswered === this.#isAnswered) return;
    const now = performance.now();
    if (isAnswered) this.#options.log.info(`dns ${this.address}: resolvers answer again`);
    else if (now - this.#complainedAt < COMPLAINT_MS) return;
    else {
      this.#complainedAt = now;
      const asked = this.#resolvers().map(({ host, port }) => `${host}:${port}`);
      this.#options.log.warn(
        `dns ${this.address}: no answer from ${asked.join(', ')}: other names are SERVFAIL, those of enrolled Services are answered (name a resolver with --dns-upstream)`,
      );
    }
    this.#isAnswered = isAnswered;
  }

  #described(zone: Zone): string {
    const resolvers = this.#resolvers().map(({ host, port }) => `${host}:${port}`);
    const others = resolvers.length === 0 ? 'others are refused' : `others are asked at ${resolvers.join(', ')}`;
    return `${zone.size} names of enrolled Services, ${others}`;
  }

  #explained({ code, message }: NodeJS.ErrnoException): string {
    const { flag, listen } = this.#options;
    const place = `dns ${listen.host}:${listen.port}`;
    switch (code) {
      case 'EADDRINUSE':
        return `${place}: the port is taken (choose another with ${flag}; ss -lunpt 'sport = :${listen.port}' says by whom)`;
      case 'EACCES':
        return `${place}: ports below 1024 need a right that this process lacks (choose another with ${flag}, or: sysctl -w net.ipv4.ip_unprivileged_port_start=${listen.port})`;
      case 'EADDRNOTAVAIL':
        return `${place}: this host does not have the address (choose another with ${flag}, or: ip addr add ${listen.host} dev lo)`;
      default:
        return `${place}: ${message} (choose another with ${flag})`;
    }
  }
}

/** Whether a question to this resolver would come back. */
function selfAt(address: string, port: number): (resolver: SocketAddress) => boolean {
  const isAny = address === '0.0.0.0' || address === '::';
  return (resolver) => resolver.port === port && (resolver.host === address || (isAny && isHere(resolver.host)));
}

function isHere(host: string): boolean {
  if (host.startsWith('127.') || host === '0.0.0.0' || host === '::') return true;
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === host));
}
