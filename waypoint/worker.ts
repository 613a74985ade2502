// A worker thread: holds the live snapshot, listens, serves, and tells the main thread how it goes.

import { BlockList, isIPv6 } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { Registry } from '../routing/registry.ts';
import { Listeners } from './listeners.ts';
import { LiveSnapshot } from './live-snapshot.ts';
import type { EndpointReport, FromWorker, ToWorker, WorkerData } from './messages.ts';
import { AccessLog } from './ops/access-log.ts';
import { WorkerMetrics } from './ops/metrics.ts';
import type { SnapshotUpdate } from './publisher.ts';
import { Timers } from './timers.ts';
import { Pool } from './upstream/pool.ts';
import type { Worker } from './worker-context.ts';

/** Counters travel to the main thread this often, so that a worker that dies takes little with it. */
const METRICS_MS = 1000;
/** A draining connection that was idle this long is closed: its client is not about to use it. */
const DRAIN_IDLE_MS = 1000;
const DRAIN_SWEEP_MS = 100;

const port = parentPort as NonNullable<typeof parentPort>;
const { options } = workerData as WorkerData;

function say(message: FromWorker): void {
  port.postMessage(message);
}

const worker: Worker = {
  snapshot: LiveSnapshot.empty,
  registry: new Registry(),
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
  log: new AccessLog(options.accessLog, (text) => say({ type: 'log', text })),
  metrics: new WorkerMetrics(),
  random: Math.random,
  trusts: trustOf(options.trustedProxies),
  draining: false,
};
const listeners = new Listeners(worker, (id, error) => say({ type: 'bind', id, error }));

port.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'update':
      apply(message.update);
      break;
    case 'drain':
      drain();
      break;
    case 'collect':
      say({ type: 'collected', id: message.id, delta: worker.metrics.takeDelta(), endpoints: endpointReports() });
      break;
  }
});

setInterval(() => say({ type: 'metrics', delta: worker.metrics.takeDelta() }), METRICS_MS).unref();

function apply(update: SnapshotUpdate): void {
  const { registry } = worker;
  for (const plan of update.backends.set) retire(registry.backend(plan.id).update(plan.endpoints));
  worker.snapshot = worker.snapshot.with(update, registry);
  for (const id of update.backends.dropped) retire(registry.drop(id));
  void listeners.sync(worker.snapshot.binds).then(() => say({ type: 'applied', version: update.version }));
}

/** Endpoints that left: what they serve finishes, their idle connections close. */
function retire(endpoints: Iterable<{ slot: unknown }>): void {
  for (const endpoint of endpoints) if (endpoint.slot instanceof Pool) endpoint.slot.retire();
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

function endpointReports(): EndpointReport[] {
  const reports: EndpointReport[] = [];
  for (const id of worker.registry.ids()) {
    for (const endpoint of worker.registry.backend(id).endpoints) {
      const { address, port, name, zone, ready, serving, terminating, inFlight, requests, failures } = endpoint;
      const idleConnections = endpoint.slot instanceof Pool ? endpoint.slot.idle : 0;
      reports.push({
        backend: id,
        address,
        port,
        name,
        zone,
        ready,
        serving,
        terminating,
        inFlight,
        requests,
        failures,
        idleConnections,
      });
    }
  }
  return reports;
}

function trustOf(cidrs: readonly string[]): (address: string) => boolean {
  if (cidrs.length === 0) return () => false;
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', bits] = cidr.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    list.addSubnet(address, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family);
  }
  return (address) => list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
