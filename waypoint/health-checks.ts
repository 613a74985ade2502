// Active health checks: made once for all workers, on the main thread, of every endpoint whose Service asks for them.

import { connect, type Socket } from 'node:net';
import type { Agent } from 'undici';
import { type HealthCheckPlan, HealthState } from '../policies/health-check.ts';
import type { BackendPlan, EndpointPlan } from '../policies/plan.ts';
import type { ProxyProtocol } from '../policies/traffic.ts';
import type { HealthVerdict } from './messages.ts';
import { proxyHeader } from './redirect/proxy-header.ts';

export interface HealthEvents {
  /** What the checks say has changed: it is in force from now on. */
  verdict(verdict: HealthVerdict): void;
  /** The same where the policy is in mode Shadow: told, and not in force. */
  shadow(verdict: HealthVerdict): void;
}

interface Watched {
  readonly backend: string;
  readonly endpoint: EndpointPlan;
  readonly mode: 'enforced' | 'shadow';
  readonly state: HealthState;
  plan: HealthCheckPlan;
  /** What connections of requests begin with, and so these. */
  proxyProtocol: ProxyProtocol | null;
  timer: NodeJS.Timeout | null;
}

export class HealthChecks {
  readonly #events: HealthEvents;
  readonly #watched: Map<string, Watched> = new Map();
  readonly #agents: Map<ProxyProtocol | null, Agent> = new Map();
  #closed = false;

  constructor(events: HealthEvents) {
    this.#events = events;
  }

  /** Takes over what is to be checked; opinions of endpoints that stay are kept, those that go are healthy again. */
  follow(backends: ReadonlyMap<string, BackendPlan>): void {
    const wanted = new Set<string>();
    for (const backend of backends.values()) {
      const { enforced, shadow } = backend.policy;
      if (enforced.healthCheck !== null) this.#watchAll(backend, enforced.healthCheck, 'enforced', wanted);
      else if (shadow !== null && shadow.healthCheck !== null)
        this.#watchAll(backend, shadow.healthCheck, 'shadow', wanted);
    }
    for (const [key, watched] of this.#watched) if (!wanted.has(key)) this.#forget(key, watched);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { timer } of this.#watched.values()) if (timer !== null) clearTimeout(timer);
    this.#watched.clear();
    await Promise.all(this.#agents.values().map((agent) => agent.destroy()));
  }

  #watchAll(backend: BackendPlan, plan: HealthCheckPlan, mode: Watched['mode'], wanted: Set<string>): void {
    const proxyProtocol = backend.policy.enforced.connections?.proxyProtocol ?? null;
    for (const endpoint of backend.endpoints) {
      const key = `${mode} ${backend.id} ${addressOf(endpoint)}`;
      wanted.add(key);
      const known = this.#watched.get(key);
      if (known !== undefined) {
        known.plan = plan;
        known.proxyProtocol = proxyProtocol;
        continue;
      }
      const state = new HealthState();
      const watched: Watched = { backend: backend.id, endpoint, mode, state, plan, proxyProtocol, timer: null };
      this.#watched.set(key, watched);
      void this.#check(key, watched);
    }
  }

  #forget(key: string, watched: Watched): void {
    if (watched.timer !== null) clearTimeout(watched.timer);
    this.#watched.delete(key);
    if (!watched.state.healthy) this.#tell(watched, true);
  }

  async #check(key: string, watched: Watched): Promise<void> {
    const { plan } = watched;
    const ok = plan.kind === 'tcp' ? await connects(watched) : await this.#answers(watched, plan);
    if (this.#closed || this.#watched.get(key) !== watched) return;
    const change = watched.state.result(ok, plan);
    if (change !== null) this.#tell(watched, change === 'healthy');
    // Endpoints of one backend are not all asked at the same moment for ever.
    const wait = plan.intervalMs * (0.9 + Math.random() * 0.2);
    watched.timer = setTimeout(() => void this.#check(key, watched), wait).unref();
  }

  #tell({ backend, endpoint, mode }: Watched, healthy: boolean): void {
    const verdict = { backend, endpoint: addressOf(endpoint), healthy };
    if (mode === 'enforced') this.#events.verdict(verdict);
    else this.#events.shadow(verdict);
  }

  async #answers({ endpoint, proxyProtocol }: Watched, plan: HealthCheckPlan): Promise<boolean> {
    // Loaded only where somebody checks: its import costs more than the rest of the main thread.
    const undici = await import('undici');
    let agent = this.#agents.get(proxyProtocol);
    if (agent === undefined) {
      agent = new undici.Agent({ pipelining: 0, connect: connectorOf(proxyProtocol, plan.timeoutMs) });
      this.#agents.set(proxyProtocol, agent);
    }
    try {
      const { statusCode, body } = await undici.request(`http://${addressOf(endpoint)}${plan.path}`, {
        dispatcher: agent,
        headers: { 'user-agent': 'waypoint-health-check' },
        signal: AbortSignal.timeout(plan.timeoutMs),
      });
      await body.dump();
      return plan.expectedStatuses.includes(statusCode);
    } catch {
      return false;
    }
  }
}

function addressOf({ address, port }: EndpointPlan): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

type Connector = NonNullable<Agent.Options['connect']>;

function connectorOf(proxyProtocol: ProxyProtocol | null, timeout: number): Connector {
  if (proxyProtocol === null) return { timeout };
  return ({ hostname, port }, callback) => {
    // undici keeps the brackets of an IPv6 address.
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port), timeout });
    const failed = (error: Error): void => callback(error, null);
    socket.once('timeout', () => socket.destroy(new Error('timed out')));
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.off('error', failed).setTimeout(0);
      introduce(socket, proxyProtocol);
      callback(null, socket);
    });
  };
}

/** These connections are nobody's but our own. */
function introduce(socket: Socket, proxyProtocol: ProxyProtocol): void {
  const destination = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
  socket.write(proxyHeader(proxyProtocol === 'V1' ? 1 : 2, null, destination, []));
}

function connects({ endpoint: { address, port }, plan: { timeoutMs } }: Watched): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: timeoutMs });
    const settle = (ok: boolean): void => {
      socket.destroy();
      resolve(ok);
    };
    socket.on('connect', () => settle(true));
    socket.on('timeout', () => settle(false));
    socket.on('error', () => settle(false));
  });
}
