// What the main thread and the workers say to each other; everything crosses by structured clone.

import type { CircuitKind } from '../policies/circuit-breaker.ts';
import type { PublicJwk } from '../policies/jwks.ts';
import type { RetryBudgetReport } from '../policies/retry-budget.ts';
import type { RunOptions } from './config.ts';
import type { MetricsDelta } from './ops/metrics.ts';
import type { SnapshotUpdate } from './publisher.ts';
import type { SharedMemory } from './shared-memory.ts';
import type { EjectionNews } from './upstream/backend-state.ts';

export interface WorkerData {
  readonly index: number;
  /** Signs session tokens. */
  readonly sessionKey: string;
  readonly memory: SharedMemory;
  readonly options: RunOptions;
}

export type ToWorker =
  /** `slots`: the number of each backend that the update sets, in their order; it never changes. */
  | { readonly type: 'update'; readonly update: SnapshotUpdate; readonly slots: readonly number[] }
  /** Answers say `connection: close` and nothing new is accepted; the worker says `drained` when nothing is left. */
  | { readonly type: 'drain' }
  | { readonly type: 'logged'; readonly characters: number }
  | { readonly type: 'collect'; readonly id: number }
  /** Another worker ejected an endpoint. */
  | { readonly type: 'ejected'; readonly news: EjectionNews }
  /** Another worker waits for a connection to this backend, or has closed one for whoever waits. */
  | { readonly type: 'wanted' | 'room'; readonly backend: string }
  /** What active checks say of an endpoint from now on. */
  | { readonly type: 'health'; readonly verdicts: readonly HealthVerdict[] }
  /** What is known of the keys at these URIs; also the answer to `keys-wanted`, whether anything is new or not. */
  | { readonly type: 'keys'; readonly news: readonly KeysNews[] };

export type FromWorker =
  /** The update is in force: its listeners are open or have failed. */
  | { readonly type: 'applied'; readonly version: number }
  | { readonly type: 'bind'; readonly id: string; readonly error: string | null }
  /** Lines of the access log, and how many were dropped before them; answered by `logged`. */
  | { readonly type: 'log'; readonly text: string; readonly dropped: number }
  | { readonly type: 'metrics'; readonly delta: MetricsDelta }
  | {
      readonly type: 'collected';
      readonly id: number;
      readonly delta: MetricsDelta;
      readonly backends: readonly BackendReport[];
    }
  | { readonly type: 'ejected'; readonly news: EjectionNews }
  | { readonly type: 'wanted' | 'room'; readonly backend: string }
  /** A token names a key that is not in the set from this URI. */
  | { readonly type: 'keys-wanted'; readonly uri: string }
  | { readonly type: 'drained' };

/** The key set at one URI. */
export interface KeysNews {
  readonly uri: string;
  /** null: there is none, or what there was is too old to be used. */
  readonly keys: readonly PublicJwk[] | null;
  /** false: no rule names it any more. */
  readonly followed: boolean;
}

/** Of one endpoint (`address:port`) of one backend. */
export interface HealthVerdict {
  readonly backend: string;
  readonly endpoint: string;
  readonly healthy: boolean;
}

/** The live state of one backend in one worker. */
export interface BackendReport {
  /** `namespace/name:port`. */
  readonly backend: string;
  /** Under way here, and how much is allowed to all workers together. */
  readonly circuit: Readonly<Record<CircuitKind, { readonly now: number; readonly limit: number }>>;
  /** Tries that wait for a connection. */
  readonly waiting: number;
  readonly retryBudget: RetryBudgetReport;
  /** Too few endpoints are healthy: health is ignored. */
  readonly panicking: boolean;
  readonly endpoints: readonly EndpointReport[];
}

/** The live state of one endpoint in one worker. */
export interface EndpointReport {
  readonly address: string;
  readonly port: number;
  readonly name: string | null;
  readonly zone: string | null;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  /** What active checks say; true where there are none. */
  readonly healthy: boolean;
  /** It is among those that new requests are shared between. */
  readonly takesRequests: boolean;
  readonly inFlight: number;
  /** The wait a new request must expect, in ms: what PeakEWMA compares. */
  readonly cost: number;
  /** Peak-sensitive average of the time to the head of an answer. */
  readonly latencyMs: number;
  readonly requests: number;
  readonly failures: number;
  /** How long it is left out from now; 0: it is not. */
  readonly ejectedForMs: number;
  readonly ejections: number;
  /** Why it was left out last; '' when it never was. */
  readonly ejectionCause: string;
  readonly idleConnections: number;
}
