// Active health checks: made once for all workers, on the main thread, of every endpoint whose Service asks for them.

import { type HealthCheckPlan, HealthState } from '../policies/health-check.ts';
import type { BackendPlan, EndpointPlan, Snapshot } from '../policies/plan.ts';
import type { RunOptions } from './config.ts';
import { addressOf, HealthProbe } from './health-probe.ts';
import type { HealthVerdict } from './messages.ts';
import { Refusals } from './upstream/refusals.ts';

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

const NO_SERVICES = new Map<string, never>();

export class HealthChecks {
  readonly #events: HealthEvents;
  readonly #watched: Map<string, Watched> = new Map();
  /** By backend. */
  readonly #probes: Map<string, HealthProbe> = new Map();
  readonly #refusals: Refusals;
  #binds: Snapshot['binds'] = new Map();
  #closed = false;

  constructor(events: HealthEvents, options: Pick<RunOptions, 'egressAllow' | 'admin'>) {
    this.#events = events;
    this.#refusals = new Refusals(options);
  }

  /** Takes over what is to be checked; opinions of endpoints that stay are kept, those that go are healthy again. */
  follow({ binds, backends, credentials }: Pick<Snapshot, 'binds' | 'backends' | 'credentials'>): void {
    this.#binds = binds;
    const wanted = new Set<string>();
    const probed = new Set<string>();
    for (const backend of backends.values()) {
      const { enforced, shadow } = backend.policy;
      const plan = enforced.healthCheck ?? shadow?.healthCheck ?? null;
      if (plan === null) continue;
      probed.add(backend.id);
      this.#renewProbe(backend, credentials);
      this.#watchAll(backend, plan, enforced.healthCheck === null ? 'shadow' : 'enforced', wanted);
    }
    for (const [key, watched] of this.#watched) if (!wanted.has(key)) this.#forget(key, watched);
    for (const id of this.#probes.keys()) if (!probed.has(id)) this.#dropProbe(id);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { timer } of this.#watched.values()) if (timer !== null) clearTimeout(timer);
    this.#watched.clear();
    await Promise.all(this.#probes.values().map((probe) => probe.close()));
  }

  #renewProbe(backend: BackendPlan, credentials: Snapshot['credentials']): void {
    if (this.#probes.get(backend.id)?.holdsFor(backend, credentials)) return;
    this.#dropProbe(backend.id);
    this.#probes.set(backend.id, new HealthProbe(backend, credentials));
  }

  /** A look that is under way fails with it. */
  #dropProbe(id: string): void {
    void this.#probes.get(id)?.close();
    this.#probes.delete(id);
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
      const state = new HealthState();
      const watched: Watched = { backend: backend.id, endpoint, mode, state, plan, timer: null };
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
    const { plan, endpoint, backend } = watched;
    const probe = this.#probes.get(backend)!;
    const ok = !this.#isRefused(probe, endpoint) && (await probe.looks(endpoint, plan));
    // Spoken to in another way meanwhile: this said nothing.
    const isStale = probe !== this.#probes.get(backend);
    if (this.#closed || this.#watched.get(key) !== watched) return;
    const change = isStale ? null : watched.state.result(ok, plan);
    if (change !== null) this.#tell(watched, change === 'healthy');
    // Endpoints of one backend are not all asked at the same moment for ever.
    const wait = plan.intervalMs * (0.9 + Math.random() * 0.2);
    watched.timer = setTimeout(() => void this.#check(key, watched), wait).unref();
  }

  /** A name outside may not lead a check inside either. */
  #isRefused({ external }: HealthProbe, { address, port }: EndpointPlan): boolean {
    return (
      external && this.#refusals.of({ address, port, external }, { binds: this.#binds, services: NO_SERVICES }) !== ''
    );
  }

  #tell({ backend, endpoint, mode }: Watched, healthy: boolean): void {
    const verdict = { backend, endpoint: addressOf(endpoint), healthy };
    if (mode === 'enforced') this.#events.verdict(verdict);
    else this.#events.shadow(verdict);
  }
}
