// A worker and a request as far as those see them who ask outside services: for tests that need no waypoint around.

import { type ExternalAuthPlan, externalAuth } from '../../policies/external-auth.ts';
import type { BackendTlsPlan, CredentialPlan } from '../../policies/plan.ts';
import { Registry } from '../../routing/registry.ts';
import { DEFAULT_LIMITS, type Limits } from '../../waypoint/config.ts';
import type { Exchange } from '../../waypoint/exchange.ts';
import { type AuthVerdict, askExternalAuth } from '../../waypoint/external/external-auth.ts';
import { Timers } from '../../waypoint/timers.ts';
import { BackendTls } from '../../waypoint/tls/backend-tls.ts';
import { stateOf } from '../../waypoint/upstream/backend-state.ts';
import type { Worker } from '../../waypoint/worker-context.ts';
import { requestHead } from './heads.ts';
import { peerOf } from './peer.ts';

const BACKEND = 'default/auth:9000';

export class Asking {
  readonly worker: Worker;
  /** `name reason` of all that was counted. */
  readonly counted: string[] = [];
  readonly #plan: ExternalAuthPlan;

  constructor(protocol: 'HTTP' | 'GRPC', ports: readonly number[], limits: Partial<Limits> = {}) {
    const registry = new Registry();
    const responseLimits = { headBytes: 60_000, fields: 200, targetBytes: 0 };
    this.worker = {
      registry,
      timers: new Timers(),
      limits: { ...DEFAULT_LIMITS, ...limits },
      responseLimits,
      random: Math.random,
      zone: null,
      refusal: () => '',
      ejected: () => {},
      draining: false,
      metrics: { count: (name: string, reason: string) => this.counted.push(`${name} ${reason.replace('\n', ' ')}`) },
    } as unknown as Worker;
    this.endpoints(ports);
    const report = { unsupported: (path: string) => path };
    const settings = { protocol, backendRef: {}, [protocol.toLowerCase()]: {} };
    const { plan } = externalAuth.decode(settings, '', report) as NonNullable<ReturnType<typeof externalAuth.decode>>;
    this.#plan = { ...plan, provider: 'auth', backend: BACKEND, failure: null, timeoutMs: 2_000 };
  }

  endpoints(ports: readonly number[]): void {
    const list = ports.map((port) => ({
      address: '127.0.0.1',
      port,
      name: null,
      zone: null,
      hints: [],
      ready: true,
      serving: true,
      terminating: false,
    }));
    this.worker.registry.update(BACKEND, list, performance.now());
  }

  secure(plan: BackendTlsPlan, credentials: ReadonlyMap<string, CredentialPlan>): void {
    stateOf(this.worker.registry.backend(BACKEND)).secure = new BackendTls(plan, credentials);
  }

  /** Of calls at once. */
  limit(maxRequests: number): void {
    const state = stateOf(this.worker.registry.backend(BACKEND));
    state.limits = { ...state.limits, maxRequests };
  }

  /** The verdict with what the log is told. */
  ask(more: Partial<ExternalAuthPlan> = {}): Promise<AuthVerdict & { readonly detail: string }> {
    return new Promise((resolve) => {
      const x = this.exchange();
      askExternalAuth(x, { ...this.#plan, ...more }, (_, verdict) => resolve({ ...verdict, detail: x.detail }));
    });
  }

  /** The verdict must not come; returns what ends the wait. */
  abandon(told: () => void): () => void {
    const waiting = askExternalAuth(this.exchange(), this.#plan, told);
    return () => waiting.cancel();
  }

  exchange(): Exchange {
    const head = { ...requestHead({}), hasQuery: false, forwardedQuery: '', minor: 1, framing: 0, contentLength: 0 };
    const rest = { peer: peerOf(), id: 'x', startedAt: performance.now(), body: null, detail: '' };
    return { worker: this.worker, head, ...rest } as unknown as Exchange;
  }

  /** Closes every connection. */
  close(): void {
    this.endpoints([]);
    this.worker.timers.close();
  }
}
