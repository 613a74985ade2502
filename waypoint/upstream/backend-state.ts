// What one worker knows of a backend beside its endpoints: limits in force, what is under way, the retry budget, who waits.

import {
  type CircuitBreakerPlan,
  type CircuitLimit,
  CircuitState,
  DEFAULT_CIRCUIT_BREAKER,
} from '../../policies/circuit-breaker.ts';
import {
  adoptEjection,
  DEFAULT_OUTLIER,
  type Ejection,
  type OutlierPlan,
  observe,
  sweep,
} from '../../policies/outlier.ts';
import type { BackendTlsPlan, CredentialPlan } from '../../policies/plan.ts';
import { DEFAULT_RETRY_BUDGET, RetryBudget, type RetryBudgetPlan } from '../../policies/retry-budget.ts';
import type { BackendPolicy, ConnectionsPlan, Policies, ProxyProtocol } from '../../policies/traffic.ts';
import { balancerFor } from '../../routing/balancer.ts';
import type { Endpoint } from '../../routing/endpoint.ts';
import type { ConsistentHashPlan } from '../../routing/load-balancing.ts';
import type { Outcome } from '../../routing/outcome.ts';
import type { Backend } from '../../routing/registry.ts';
import { BackendTls } from '../tls/backend-tls.ts';
import { ShadowEjections } from './shadow-ejections.ts';

/** A try without a connection yet: it is given the next one that is free or may be opened. */
export interface Waiting {
  connectionFree(): void;
}

/** What is said to the workers that share a limit of connections. */
export interface Neighbours {
  /** A request here waits for a connection to this backend. */
  wanted(backend: string): void;
  /** A connection to it was closed here, for whoever waits. */
  room(backend: string): void;
}

/** A pool, without its module: pools know this one. */
interface Evictable {
  evict(): boolean;
  clear(): void;
}

function isEvictable(slot: unknown): slot is Evictable {
  return typeof slot === 'object' && slot !== null && 'evict' in slot;
}

/** Told to the other workers, so that each need not find out for itself. */
export interface EjectionNews extends Ejection {
  readonly backend: string;
}

/** The state of a backend, made at its first use. */
export function stateOf(backend: Backend): BackendState {
  if (backend.slot === null) backend.slot = new BackendState(backend);
  return backend.slot as BackendState;
}

export class BackendState {
  readonly backend: Backend;
  readonly circuit: CircuitState = new CircuitState();
  readonly budget: RetryBudget = new RetryBudget(DEFAULT_RETRY_BUDGET);
  limits: CircuitBreakerPlan = DEFAULT_CIRCUIT_BREAKER;
  outliers: OutlierPlan = DEFAULT_OUTLIER;
  /** The other workers, with whom the limit of connections is shared; null: there are none. */
  neighbours: Neighbours | null = null;
  connections: ConnectionsPlan | null = null;
  /** null: cleartext. */
  secure: BackendTls | null = null;
  /** Its addresses come from DNS: some are refused. */
  external = false;
  /** Each connection announces the client it is made for; null: none does. */
  proxyProtocol: ProxyProtocol | null = null;
  /** What `Host` says to it; null: what the client said. */
  authority: string | null = null;
  /** What ConsistentHash reads, where no rule says otherwise. */
  hash: ConsistentHashPlan | null = null;
  /** What policies in mode Shadow would make of the limits; null: none is. */
  shadowLimits: CircuitBreakerPlan | null = null;
  shadowEjections: ShadowEjections | null = null;
  shadowConnections: ConnectionsPlan | null = null;
  /** Tries that found every connection taken, first come first served. */
  readonly #waiting: Waiting[] = [];
  #serving = false;
  #sweepAt = 0;
  /** How many connections other workers wait for. */
  #owed = 0;

  constructor(backend: Backend) {
    this.backend = backend;
  }

  /** Takes over the policy of a new snapshot; what is counted goes on. `workers` share the floor of the retry budget among them. */
  apply({ enforced, shadow }: Policies<BackendPolicy>, workers: number): void {
    const { backend } = this;
    backend.balancer = balancerFor(enforced.loadBalancing);
    this.connections = enforced.connections;
    this.#announceBy(enforced.connections?.proxyProtocol ?? null);
    this.hash = enforced.loadBalancing?.consistentHash ?? null;
    this.limits = enforced.circuitBreaker ?? DEFAULT_CIRCUIT_BREAKER;
    this.outliers = enforced.outlierDetection ?? DEFAULT_OUTLIER;
    this.budget.update(sharedBudget(enforced.retryBudget ?? DEFAULT_RETRY_BUDGET, workers));
    if (backend.panicPercent !== this.outliers.panicThresholdPercent) {
      backend.panicPercent = this.outliers.panicThresholdPercent;
      backend.changed();
    }
    this.shadowLimits = shadow?.circuitBreaker ?? null;
    this.shadowConnections = shadow?.connections ?? null;
    const outliers = shadow?.outlierDetection ?? null;
    if (outliers === null) this.shadowEjections = null;
    else if (this.shadowEjections === null) this.shadowEjections = new ShadowEjections(outliers);
    else this.shadowEjections.plan = outliers;
  }

  /** From now on connections are encrypted like this; those that were made otherwise are not used again. */
  encrypt(plan: BackendTlsPlan | null, credentials: ReadonlyMap<string, CredentialPlan>): void {
    if (plan === null ? this.secure === null : this.secure?.holdsFor(plan, credentials)) return;
    this.secure = plan === null ? null : new BackendTls(plan, credentials);
    this.#clearPools();
  }

  #announceBy(version: ProxyProtocol | null): void {
    if (version === this.proxyProtocol) return;
    this.proxyProtocol = version;
    this.#clearPools();
  }

  #clearPools(): void {
    for (const { slot } of this.backend.endpoints) if (isEvictable(slot)) slot.clear();
  }

  /** null: there is room for one more, and it is counted. */
  admit(kind: 'connections' | 'pending' | 'requests' | 'retries'): CircuitLimit | null {
    return this.circuit.admit(kind, this.limits);
  }

  /** A try at an endpoint is over; an ejection that follows from it is returned. */
  ended(endpoint: Endpoint, outcome: Outcome, rttMs: number, now: number): EjectionNews | null {
    endpoint.end(now, outcome, rttMs);
    if (outcome === 'ok' || outcome === '429' || outcome === 'client-gone') {
      this.shadowEjections?.succeeded(endpoint, outcome);
      return null;
    }
    this.shadowEjections?.failed(this.backend.endpoints, endpoint, outcome, now);
    return this.#news(observe(this.outliers, this.backend.endpoints, endpoint, now));
  }

  /** Another worker found an endpoint dead. */
  adopt(news: EjectionNews, now: number): void {
    this.#news(adoptEjection(this.outliers, this.backend.endpoints, news, now));
  }

  /** Called often; does its work when the interval of the policy is over. */
  sweep(now: number): readonly EjectionNews[] {
    if (now < this.#sweepAt) return NO_NEWS;
    this.#sweepAt = now + this.outliers.intervalMs;
    const ejections = sweep(this.outliers, this.backend.endpoints, now);
    this.backend.changed();
    return ejections.length === 0 ? NO_NEWS : ejections.map((ejection) => ({ ...ejection, backend: this.backend.id }));
  }

  wait(attempt: Waiting): void {
    this.#waiting.push(attempt);
    this.neighbours?.wanted(this.backend.id);
  }

  /** Another worker waits for a connection: one that idles here makes room, else the next that would idle. */
  makeRoom(): void {
    for (const { slot } of this.backend.endpoints) {
      if (isEvictable(slot) && slot.evict()) {
        this.neighbours?.room(this.backend.id);
        return;
      }
    }
    this.#owed++;
  }

  /** Whether a connection that is free now is to be given up for another worker. */
  settleDebt(): boolean {
    if (this.#owed === 0) return false;
    this.#owed--;
    return true;
  }

  leave(attempt: Waiting): void {
    const at = this.#waiting.indexOf(attempt);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  /** A connection was parked or has closed: who waits longest may go on. */
  next(): void {
    // A connection that closes to make room for the one that is served here is not free for another.
    if (this.#waiting.length === 0 || this.#serving) return;
    this.#serving = true;
    this.#waiting.shift()?.connectionFree();
    this.#serving = false;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  #news(ejection: Ejection | null): EjectionNews | null {
    if (ejection === null) return null;
    this.backend.changed();
    return { ...ejection, backend: this.backend.id };
  }
}

const NO_NEWS: readonly EjectionNews[] = [];

function sharedBudget(plan: RetryBudgetPlan, workers: number): RetryBudgetPlan {
  return workers === 1 ? plan : { ...plan, minCount: Math.ceil(plan.minCount / workers) };
}
