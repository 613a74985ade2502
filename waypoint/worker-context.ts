// What every connection of one worker shares: the snapshot, the live endpoints, the limits, the clocks and the books.

import type { Endpoint } from '../routing/endpoint.ts';
import type { PathLevel } from '../routing/path.ts';
import type { Registry } from '../routing/registry.ts';
import type { Peer } from '../routing/request.ts';
import type { Limits } from './config.ts';
import type { HeadLimits } from './http1/limits.ts';
import type { KeyStore } from './jwt/key-store.ts';
import type { PolicyLinker } from './live-policy.ts';
import type { LiveSnapshot } from './live-snapshot.ts';
import type { AccessLog } from './ops/access-log.ts';
import type { WorkerMetrics } from './ops/metrics.ts';
import type { Timers } from './timers.ts';
import type { BackendState, EjectionNews } from './upstream/backend-state.ts';

export interface Worker {
  /** The current configuration; an exchange reads it once and keeps what it read. */
  snapshot: LiveSnapshot;
  readonly registry: Registry;
  readonly limits: Limits;
  readonly requestLimits: HeadLimits;
  readonly responseLimits: HeadLimits;
  readonly pathLevel: PathLevel;
  readonly timers: Timers;
  readonly log: AccessLog;
  readonly metrics: WorkerMetrics;
  /** The zone this process runs in; null: unknown. */
  readonly zone: string | null;
  readonly policies: PolicyLinker;
  /** ms on a clock that all workers share. */
  readonly sharedNow: () => number;
  /** An endpoint was ejected here: the log and the other workers are told. */
  readonly ejected: (news: EjectionNews) => void;
  /** Chance, in [0, 1). */
  readonly random: () => number;
  /** Whether a peer may set `x-forwarded-*`. */
  readonly trusts: (address: string) => boolean;
  /** The namespace in which a client is known to live; null: nothing proves one. */
  readonly namespaceOf: (client: Pick<Peer, 'address' | 'identity'>) => string | null;
  /** Whether a peer may say with PROXY protocol on whose behalf it comes. */
  readonly believesProxyProtocol: (address: string) => boolean;
  /** Our own, then those that mean the same. */
  readonly trustDomains: readonly string[];
  /** Why an endpoint must not be dialled; '' when it may. */
  readonly refusal: (endpoint: Endpoint, state: BackendState) => string;
  /** Seals TLS session tickets; the same in all workers. */
  readonly tlsSecret: string;
  /** The keys that tokens are verified with. */
  readonly keys: KeyStore;
  /** Answers carry `connection: close`, and no connection is kept. */
  draining: boolean;
}
