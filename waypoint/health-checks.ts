// Active health checks: made once for all workers, on the main thread, of every endpoint whose Service asks for them.

import { connect } from 'node:net';
import type { Agent } from 'undici';
import { type HealthCheckPlan, HealthState } from '../policies/health-check.ts';
import type { BackendPlan, EndpointPlan } from '../policies/plan.ts';
import type { HealthVerdict } from './messages.ts';

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
  timer: NodeJS.Timeout | null;
}

export class HealthChecks {
  readonly #events: HealthEvents;
  readonly #watched: Map<string, Watched> = new Map();
  #agent: Agent | null = null;
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
    await this.#agent?.destroy();
  }

  #watchAll(backend: BackendPlan, plan: HealthCheckPlan, mode: Watched['mode'], wanted: Set<string>): void {
    for (const endpoint of backend.endpoints) {
      const key = `${mode} ${backend.id} ${addressOf(endpoint)}`;
      wanted.add(key);
      const known = this.#watched.get(key);
      if (known !== undefined) {
        known.plan = plan;
        continue;
      }
      const watched: Watched = { backend: backend.id, endpoint, mode, state: new HealthState(), plan, timer: null };
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
    const { plan, endpoint } = watched;
    const ok = plan.kind === 'tcp' ? await connects(endpoint, plan.timeoutMs) : await this.#answers(endpoint, plan);
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

  async #answers(endpoint: EndpointPlan, plan: HealthCheckPlan): Promise<boolean> {
    // Loaded only where somebody checks: its import costs more than the rest of the main thread.
    const undici = await import('undici');
    this.#agent ??= new undici.Agent({ pipelining: 0, connect: { timeout: plan.timeoutMs } });
    try {
      const { statusCode, body } = await undici.request(`http://${addressOf(endpoint)}${plan.path}`, {
        dispatcher: this.#agent,
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

function connects({ address, port }: EndpointPlan, timeoutMs: number): Promise<boolean> {
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
