// One look at an endpoint, the way requests would reach it: with the same introduction and the same TLS.

import { connect, type Socket } from 'node:net';
import type { Agent } from 'undici';
import type { HealthCheckPlan } from '../policies/health-check.ts';
import type { BackendPlan, CredentialPlan, EndpointPlan } from '../policies/plan.ts';
import type { ProxyProtocol } from '../policies/traffic.ts';
import { proxyHeader } from './redirect/proxy-header.ts';
import type { BackendTls } from './tls/backend-tls.ts';

type Credentials = ReadonlyMap<string, CredentialPlan>;

/** How the endpoints of one backend are looked at, for as long as they are spoken to in this way. */
export class HealthProbe {
  readonly #backend: BackendPlan;
  readonly #credentials: Credentials;
  readonly #proxyProtocol: ProxyProtocol | null;
  #secure: BackendTls | null = null;
  #agent: Agent | null = null;

  constructor(backend: BackendPlan, credentials: Credentials) {
    this.#backend = backend;
    this.#credentials = credentials;
    this.#proxyProtocol = proxyProtocolOf(backend);
  }

  holdsFor(backend: BackendPlan, credentials: Credentials): boolean {
    const { tls, external, authority } = this.#backend;
    const isSame = external === backend.external && authority === backend.authority && tls === backend.tls;
    const isReadable = tls === null || credentials === this.#credentials;
    return isSame && isReadable && this.#proxyProtocol === proxyProtocolOf(backend);
  }

  get external(): boolean {
    return this.#backend.external;
  }

  looks(endpoint: EndpointPlan, plan: HealthCheckPlan): Promise<boolean> {
    return plan.kind === 'tcp' ? connects(endpoint, plan.timeoutMs) : this.#answers(endpoint, plan);
  }

  async close(): Promise<void> {
    await this.#agent?.destroy();
  }

  async #answers(endpoint: EndpointPlan, plan: HealthCheckPlan): Promise<boolean> {
    // Loaded only where somebody checks: its import costs more than the rest of the main thread.
    const undici = await import('undici');
    await this.#encrypt();
    this.#agent ??= new undici.Agent({ pipelining: 0, connect: this.#connector(plan.timeoutMs) });
    const { authority } = this.#backend;
    try {
      const { statusCode, body } = await undici.request(`http://${addressOf(endpoint)}${plan.path}`, {
        dispatcher: this.#agent,
        headers: { 'user-agent': 'waypoint-health-check', ...(authority === null ? {} : { host: authority }) },
        signal: AbortSignal.timeout(plan.timeoutMs),
      });
      await body.dump();
      return plan.expectedStatuses.includes(statusCode);
    } catch {
      return false;
    }
  }

  async #encrypt(): Promise<void> {
    const { tls } = this.#backend;
    if (tls === null || this.#secure !== null) return;
    const { BackendTls } = await import('./tls/backend-tls.ts');
    this.#secure ??= new BackendTls(tls, this.#credentials);
  }

  #connector(timeout: number): NonNullable<Agent.Options['connect']> {
    return ({ hostname, port }, callback) => {
      // undici keeps the brackets of an IPv6 address.
      const raw = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port), timeout });
      let socket: Socket = raw;
      const failed = (error: Error): void => callback(error, null);
      raw.once('timeout', () => socket.destroy(new Error('timed out')));
      raw.once('error', failed);
      raw.once('connect', () => {
        raw.off('error', failed);
        introduce(raw, this.#proxyProtocol);
        try {
          socket = this.#handshake(raw, (error) => {
            raw.setTimeout(0);
            if (error === null) callback(null, socket);
            else callback(error, null);
          });
        } catch (error) {
          raw.destroy();
          failed(error as Error);
        }
      });
    };
  }

  /** `done`: the socket may be spoken over, or why not; once. */
  #handshake(raw: Socket, done: (error: Error | null) => void): Socket {
    const secure = this.#secure;
    if (secure === null) {
      process.nextTick(done, null);
      return raw;
    }
    const socket = secure.connect(raw, { socket: raw });
    socket.once('error', done);
    socket.once('secureConnect', () => {
      socket.off('error', done);
      const problem = secure.problem(socket);
      if (problem === '') {
        done(null);
        return;
      }
      socket.destroy();
      done(new Error(problem));
    });
    return socket;
  }
}

export function addressOf({ address, port }: Pick<EndpointPlan, 'address' | 'port'>): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** What connections of requests begin with, and so these. */
function proxyProtocolOf({ policy }: BackendPlan): ProxyProtocol | null {
  return policy.enforced.connections?.proxyProtocol ?? null;
}

/** These connections are nobody's but our own. */
function introduce(socket: Socket, proxyProtocol: ProxyProtocol | null): void {
  if (proxyProtocol === null) return;
  const destination = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
  socket.write(proxyHeader(proxyProtocol === 'V1' ? 1 : 2, null, destination, []));
}

function connects({ address, port }: EndpointPlan, timeout: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout });
    const settle = (ok: boolean): void => {
      socket.destroy();
      resolve(ok);
    };
    socket.on('connect', () => settle(true));
    socket.on('timeout', () => settle(false));
    socket.on('error', () => settle(false));
  });
}
