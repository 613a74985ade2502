// What the main thread and the workers say to each other; everything crosses by structured clone.

import type { RunOptions } from './config.ts';
import type { MetricsDelta } from './ops/metrics.ts';
import type { SnapshotUpdate } from './publisher.ts';

export interface WorkerData {
  readonly index: number;
  readonly options: RunOptions;
}

export type ToWorker =
  | { readonly type: 'update'; readonly update: SnapshotUpdate }
  /** Answers say `connection: close` and nothing new is accepted; the worker says `drained` when nothing is left. */
  | { readonly type: 'drain' }
  | { readonly type: 'collect'; readonly id: number };

export type FromWorker =
  /** The update is in force: its listeners are open or have failed. */
  | { readonly type: 'applied'; readonly version: number }
  | { readonly type: 'bind'; readonly id: string; readonly error: string | null }
  | { readonly type: 'log'; readonly text: string }
  | { readonly type: 'metrics'; readonly delta: MetricsDelta }
  | {
      readonly type: 'collected';
      readonly id: number;
      readonly delta: MetricsDelta;
      readonly endpoints: readonly EndpointReport[];
    }
  | { readonly type: 'drained' };

/** The live state of one endpoint in one worker. */
export interface EndpointReport {
  readonly backend: string;
  readonly address: string;
  readonly port: number;
  readonly name: string | null;
  readonly zone: string | null;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly inFlight: number;
  readonly requests: number;
  readonly failures: number;
  readonly idleConnections: number;
}
