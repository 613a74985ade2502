// A worker thread: holds the live snapshot, listens, serves, and tells the main thread how it goes.

import { parentPort, workerData } from 'node:worker_threads';
import { BucketStore } from '../policies/bucket-store.ts';
import type { BackendTlsPlan } from '../policies/plan.ts';
import type { Endpoint } from '../routing/endpoint.ts';
import { Registry } from '../routing/registry.ts';
import type { Identity } from '../routing/request.ts';
import { backendReport, EjectionCauses } from './backend-report.ts';
import { KeyStore } from './jwt/key-store.ts';
import { Listeners } from './listeners.ts';
import { PolicyLinker } from './live-policy.ts';
import { LiveSnapshot } from './live-snapshot.ts';
import type { BackendReport, FromWorker, HealthVerdict, ToWorker, WorkerData } from './messages.ts';
import { AccessLog } from './ops/access-log.ts';
import { WorkerMetrics } from './ops/metrics.ts';
import { isNothing, type SnapshotUpdate } from './publisher.ts';
import { namespaceByAddress } from './redirect/client-namespaces.ts';
import { sessionSigner } from './session-signer.ts';
import { circuitShare, sharedNow } from './shared-memory.ts';
import { Timers } from './timers.ts';
import { trustOf } from './trusted-addresses.ts';
import { type EjectionNews, type Neighbours, stateOf } from './upstream/backend-state.ts';
import { Pool } from './upstream/pool.ts';
import { Refusals } from './upstream/refusals.ts';
import type { Worker } from './worker-context.ts';

/** Counters travel to the main thread this often, so that a worker that dies takes little with it. */
const METRICS_MS = 1000;
/** How often backends are asked whether their interval of judging endpoints is over. */
const SWEEP_MS = 500;
/** A draining connection that was idle this long is closed: its client is not about to use it. */
const DRAIN_IDLE_MS = 1000;
const DRAIN_SWEEP_MS = 100;

const port = parentPort as NonNullable<typeof parentPort>;
const { index, options, sessionKey, memory } = workerData as WorkerData;

function say(message: FromWorker): void {
  port.postMessage(message);
}

const registry = new Registry();
const policies = new PolicyLinker(sessionSigner(sessionKey), new BucketStore(memory.buckets, memory.seed));
const linker = { registry, policies };
const refusals = new Refusals(options);
const byAddress = namespaceByAddress(options.clientNamespaces);
const worker: Worker = {
  snapshot: LiveSnapshot.empty,
  registry,
  policies,
  zone: options.zone,
  ejected,
  sharedNow: sharedNow(memory),
  limits: options.limits,
  requestLimits: {
    headBytes: options.limits.requestHeadBytes,
    fields: options.limits.requestFields,
    targetBytes: options.limits.requestTargetBytes,
  },
  responseLimits: {
    headBytes: options.limits.responseHeadBytes,
    fields: options.limits.responseFields,
    targetBytes: 0,
  },
  pathLevel: options.pathNormalization,
  timers: new Timers(),
  log: new AccessLog(options.accessLog, (text, dropped) => say({ type: 'log', text, dropped })),
  metrics: new WorkerMetrics(),
  random: Math.random,
  trusts: trustOf(options.trustedProxies),
  namespaceOf: ({ address, identity }) => (identity === null ? byAddress(address) : namespaceIn(identity)),
  believesProxyProtocol: trustOf(options.proxyProtocolFrom),
  trustDomains: [options.trustDomain, ...options.trustDomainAliases],
  tlsSecret: sessionKey,
  refusal: ({ address, port }, { external }) => refusals.of({ address, port, external }, worker.snapshot),
  keys: new KeyStore((uri) => say({ type: 'keys-wanted', uri })),
  draining: false,
};
const listeners = new Listeners(worker, (id, error) => say({ type: 'bind', id, error }));

port.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'update':
      apply(message.update, message.slots);
      break;
    case 'drain':
      drain();
      break;
    case 'logged':
      worker.log.confirm(message.characters);
      break;
    case 'ejected':
      adopt(message.news);
      break;
    case 'wanted':
      stateOf(registry.backend(message.backend)).makeRoom();
      break;
    case 'room':
      stateOf(registry.backend(message.backend)).next();
      break;
    case 'health':
      heed(message.verdicts);
      break;
    case 'keys':
      worker.keys.take(message.news);
      break;
    case 'collect':
      say({ type: 'collected', id: message.id, delta: worker.metrics.takeDelta(), backends: backendReports() });
      break;
  }
});

/** Why each endpoint was left out last, for the admin page. */
const causes: EjectionCauses = new EjectionCauses();

setInterval(sweepOutliers, SWEEP_MS).unref();
setInterval(() => say({ type: 'metrics', delta: worker.metrics.takeDelta() }), METRICS_MS).unref();

const neighbours: Neighbours = {
  wanted: (backend) => say({ type: 'wanted', backend }),
  room: (backend) => say({ type: 'room', backend }),
};

function apply(update: SnapshotUpdate, slots: readonly number[]): void {
  const now = performance.now();
  for (const [at, plan] of update.backends.set.entries()) {
    const backend = registry.backend(plan.id);
    const state = stateOf(backend);
    state.apply(plan.policy, options.workers);
    state.neighbours = options.workers > 1 ? neighbours : null;
    state.circuit.join(circuitShare(memory, index, slots[at] as number));
    state.external = plan.external;
    state.authority = plan.authority;
    retire(plan.id, backend.update(plan.endpoints, now));
  }
  worker.snapshot = worker.snapshot.with(update, linker);
  encrypt(update);
  // The name stays known: a plan that still holds it must see the backend come back.
  for (const id of update.backends.dropped) retire(id, registry.update(id, [], now));
  void listeners.sync(worker.snapshot.binds).then(() => say({ type: 'applied', version: update.version }));
}

/** Backends that are spoken to in TLS: looked at when any certificate changes. */
const encrypted: Map<string, BackendTlsPlan> = new Map();

/** With the certificates of the snapshot that is in force now. */
function encrypt({ backends, credentials }: SnapshotUpdate): void {
  const known = worker.snapshot.credentials;
  for (const id of backends.dropped) encrypted.delete(id);
  for (const { id, tls } of backends.set) {
    if (tls === null) encrypted.delete(id);
    else encrypted.set(id, tls);
    stateOf(registry.backend(id)).encrypt(tls, known);
  }
  if (isNothing(credentials)) return;
  for (const [id, plan] of encrypted) stateOf(registry.backend(id)).encrypt(plan, known);
}

/** An identity of a foreign trust domain lives in no namespace of ours. */
function namespaceIn({ trustDomain, namespace }: Identity): string | null {
  return worker.trustDomains.includes(trustDomain) ? namespace : null;
}

/** Endpoints that left: what they serve finishes, their idle connections close. */
function retire(backend: string, endpoints: readonly Endpoint[]): void {
  for (const { id, slot } of endpoints) {
    causes.delete(backend, id);
    if (slot instanceof Pool) slot.retire();
  }
}

/** An endpoint was left out: by this worker's own judgement. */
function ejected(news: EjectionNews): void {
  worker.metrics.count('ejections', news.cause);
  causes.set(news.backend, news.endpoint, news.cause);
  say({ type: 'ejected', news });
}

function sweepOutliers(): void {
  const now = performance.now();
  for (const id of registry.ids()) {
    const state = stateOf(registry.backend(id));
    for (const news of state.sweep(now)) ejected(news);
  }
}

function adopt(news: EjectionNews): void {
  const backend = registry.peek(news.backend);
  if (backend === undefined) return;
  causes.set(news.backend, news.endpoint, news.cause);
  stateOf(backend).adopt(news, performance.now());
}

function heed(verdicts: readonly HealthVerdict[]): void {
  for (const { backend: id, endpoint, healthy } of verdicts) {
    const backend = registry.peek(id);
    const found = backend?.endpoints.find((one) => one.id === endpoint);
    if (backend === undefined || found === undefined || found.healthy === healthy) continue;
    found.healthy = healthy;
    backend.changed();
  }
}

function drain(): void {
  worker.draining = true;
  listeners.close();
  const sweep = setInterval(() => {
    const at = performance.now() - DRAIN_IDLE_MS;
    for (const connection of listeners.connections) connection.closeIfIdleSince(at);
    if (listeners.connections.size > 0) return;
    clearInterval(sweep);
    worker.log.flush();
    say({ type: 'metrics', delta: worker.metrics.takeDelta() });
    say({ type: 'drained' });
  }, DRAIN_SWEEP_MS);
}

function backendReports(): BackendReport[] {
  const now = performance.now();
  return [...registry.ids()]
    .map((id) => registry.backend(id))
    .filter(({ endpoints }) => endpoints.length > 0)
    .map((backend) => backendReport(backend, causes, now));
}
