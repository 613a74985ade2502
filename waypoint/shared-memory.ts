// Memory that all threads of a process share, so that limits are those of the process: token buckets, and what is under way.

import { BucketStore } from '../policies/bucket-store.ts';
import type { CircuitShare } from '../policies/circuit-breaker.ts';

/** Backends that have counters of their own; those beyond them are counted by each worker for itself. */
const BACKENDS = 16_384;
const KINDS = 4;

/** Made by the main thread, given to every worker. */
export interface SharedMemory {
  readonly buckets: SharedArrayBuffer;
  /** By worker, backend and kind. Each worker writes its own part only, so that one that dies can be subtracted. */
  readonly circuits: SharedArrayBuffer;
  /** Of the hashes of keys: nobody outside can tell which keys meet. */
  readonly seed: number;
  /** Where the common clock starts: Unix time in ms. */
  readonly epoch: number;
}

export function createSharedMemory(workers: number): SharedMemory {
  return {
    buckets: new SharedArrayBuffer(BucketStore.bytes()),
    circuits: new SharedArrayBuffer(workers * BACKENDS * KINDS * 4),
    // Fetched here, on the main thread: workers import this file too, and an idle one does without.
    seed: process.getBuiltinModule('node:crypto').randomInt(2 ** 31),
    epoch: Date.now(),
  };
}

/** What a worker that died had under way is under way no more. */
export function forgetWorker(memory: SharedMemory, worker: number): void {
  new Int32Array(memory.circuits, worker * BACKENDS * KINDS * 4, BACKENDS * KINDS).fill(0);
}

/** ms on a clock that all threads of the process share. */
export function sharedNow(memory: SharedMemory): () => number {
  const offset = performance.timeOrigin - memory.epoch;
  return () => offset + performance.now();
}

/** The counters of one backend, seen from one worker; null where there is but one worker, or no room. */
export function circuitShare(memory: SharedMemory, worker: number, backend: number): CircuitShare | null {
  const all = new Int32Array(memory.circuits);
  const stride = BACKENDS * KINDS;
  const workers = all.length / stride;
  if (workers < 2 || backend >= BACKENDS) return null;
  const own = worker * stride + backend * KINDS;
  return {
    publish: (kind, value) => {
      Atomics.store(all, own + kind, value);
    },
    others: (kind) => {
      let sum = 0;
      for (let other = 0; other < workers; other++) {
        if (other !== worker) sum += Atomics.load(all, other * stride + backend * KINDS + kind);
      }
      return sum;
    },
  };
}
