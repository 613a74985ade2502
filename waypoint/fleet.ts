// The worker threads: started, fed, asked, replaced when one dies.

import { randomBytes } from 'node:crypto';
import { Worker as Thread } from 'node:worker_threads';
import { EMPTY_SNAPSHOT, type Snapshot } from '../policies/plan.ts';
import type { RunOptions } from './config.ts';
import type { BackendReport, FromWorker, HealthVerdict, KeysNews, ToWorker, WorkerData } from './messages.ts';
import type { MetricsDelta } from './ops/metrics.ts';
import { difference, isEmpty, type SnapshotUpdate } from './publisher.ts';
import { createSharedMemory, forgetWorker, type SharedMemory } from './shared-memory.ts';
import type { EjectionNews } from './upstream/backend-state.ts';

const ENTRY = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);
/** A worker that dies at once, again and again, is not restarted in a busy loop. */
const RESTART_MS = 100;
const COLLECT_MS = 2000;
/** Two semi-spaces of 4 MB and as much again, as V8 counts: larger ones cost memory and save no time per request. */
const LIMITS = { maxYoungGenerationSizeMb: 12 };

export interface FleetEvents {
  log(text: string, dropped: number): void;
  metrics(delta: MetricsDelta): void;
  bind(id: string, error: string | null): void;
  died(index: number, reason: string): void;
  /** A worker left an endpoint out; the others have been told. */
  ejected(news: EjectionNews): void;
  /** A token names a key that is not in the set from this URI: `tellKeys` says what comes of it. */
  keysWanted(uri: string): void;
}

interface Member {
  readonly index: number;
  readonly thread: Thread;
  /** The last version that it serves. */
  version: number;
  drained: boolean;
  readonly answers: Map<number, (backends: readonly BackendReport[]) => void>;
}

export class Fleet {
  readonly #options: RunOptions;
  readonly #events: FleetEvents;
  readonly #sessionKey: string;
  readonly #memory: SharedMemory;
  /** A number for each backend that was ever published: where its counters are. */
  readonly #slots: Map<string, number> = new Map();
  readonly #members: (Member | null)[];
  #snapshot: Snapshot = EMPTY_SNAPSHOT;
  #version = 0;
  #closing = false;
  #nextId = 1;
  #waiters: (() => void)[] = [];
  /** The last word of the active checks on each endpoint. */
  readonly #health: Map<string, HealthVerdict> = new Map();
  /** The key sets that are followed, by URI. */
  readonly #keys: Map<string, KeysNews> = new Map();

  constructor(options: RunOptions, events: FleetEvents) {
    this.#options = options;
    this.#events = events;
    this.#memory = createSharedMemory(options.workers);
    this.#sessionKey = options.sessionKey ?? randomBytes(32).toString('base64url');
    this.#members = Array.from({ length: options.workers }, (_, index) => this.#start(index));
  }

  get version(): number {
    return this.#version;
  }

  /** Signs the session tokens of all workers. */
  get sessionKey(): string {
    return this.#sessionKey;
  }

  /** Posts what changed to every worker and returns the version it will have; settled() tells when all serve it. */
  publish(snapshot: Snapshot): number {
    const update = difference(this.#snapshot, snapshot, this.#version + 1);
    if (isEmpty(update) && this.#version > 0) return this.#version;
    this.#version++;
    this.#snapshot = snapshot;
    this.#broadcast(this.#updateMessage(update));
    return this.#version;
  }

  /** Tells every worker, and those that will be started in place of one that died. */
  tellHealth(verdicts: readonly HealthVerdict[]): void {
    for (const verdict of verdicts) this.#health.set(`${verdict.backend} ${verdict.endpoint}`, verdict);
    this.#broadcast({ type: 'health', verdicts });
  }

  /** Tells every worker, and those that will be started. */
  tellKeys(news: readonly KeysNews[]): void {
    for (const each of news) {
      if (each.followed) this.#keys.set(each.uri, each);
      else this.#keys.delete(each.uri);
    }
    this.#broadcast({ type: 'keys', news });
  }

  /** Settles when every worker serves `version` or a later one. */
  async served(version: number): Promise<void> {
    while (!this.#closing && this.#members.some((member) => member === null || member.version < version)) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  /** The version that every worker serves, or a later one. */
  get servedVersion(): number {
    return Math.min(...this.#members.map((member) => Math.max(0, member?.version ?? 0)));
  }

  /** How many workers serve the current version. */
  get serving(): number {
    return this.#members.filter((member) => member !== null && member.version === this.#version).length;
  }

  /** Every worker's live backends; its counters go to `metrics` on the way. A worker that does not answer is left out. */
  async collect(): Promise<readonly (readonly BackendReport[])[]> {
    const asked = this.#members.filter((member) => member !== null).map((member) => this.#ask(member));
    return (await Promise.all(asked)).filter((reports) => reports !== null);
  }

  /** Lets every connection end by itself; settles when all have, or at the time given. */
  async drain(timeoutMs: number): Promise<void> {
    this.#broadcast({ type: 'drain' });
    const timer = setTimeout(() => this.#wake(), timeoutMs);
    const end = performance.now() + timeoutMs;
    while (performance.now() < end - 1 && this.#members.some((member) => member !== null && !member.drained)) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
    clearTimeout(timer);
  }

  /** The threads, for whoever must see one die. */
  get threads(): readonly Thread[] {
    return this.#members.filter((member) => member !== null).map((member) => member.thread);
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#wake();
    await Promise.all(this.threads.map((thread) => thread.terminate()));
  }

  #start(index: number): Member {
    const workerData: WorkerData = {
      ...{ index, options: this.#options },
      ...{ sessionKey: this.#sessionKey, memory: this.#memory },
    };
    const thread = new Thread(ENTRY, { workerData, name: `waypoint-${index}`, resourceLimits: LIMITS });
    const member: Member = { index, thread, version: -1, drained: false, answers: new Map() };
    thread.on('message', (message: FromWorker) => this.#heard(member, message));
    let reason = 'exited';
    thread.on('error', (error: Error) => {
      reason = error.stack ?? error.message;
    });
    thread.on('exit', () => this.#died(member, reason));
    return member;
  }

  #heard(member: Member, message: FromWorker): void {
    switch (message.type) {
      case 'applied':
        member.version = message.version;
        this.#wake();
        break;
      case 'bind':
        this.#events.bind(message.id, message.error);
        break;
      case 'log':
        this.#events.log(message.text, message.dropped);
        member.thread.postMessage({ type: 'logged', characters: message.text.length } satisfies ToWorker);
        break;
      case 'metrics':
        this.#events.metrics(message.delta);
        break;
      case 'collected':
        this.#events.metrics(message.delta);
        member.answers.get(message.id)?.(message.backends);
        member.answers.delete(message.id);
        break;
      case 'ejected':
        this.#events.ejected(message.news);
        this.#tellOthers(member, message);
        break;
      case 'wanted':
      case 'room':
        this.#tellOthers(member, message);
        break;
      case 'keys-wanted':
        this.#events.keysWanted(message.uri);
        break;
      case 'drained':
        member.drained = true;
        this.#wake();
        break;
    }
  }

  /** Only what this worker had in flight is lost; a fresh one takes over its share of the listeners. */
  #died(member: Member, reason: string): void {
    if (this.#closing) return;
    this.#members[member.index] = null;
    forgetWorker(this.#memory, member.index);
    for (const answer of member.answers.values()) answer([]);
    this.#wake();
    this.#events.died(member.index, reason);
    setTimeout(() => {
      if (this.#closing) return;
      const fresh = this.#start(member.index);
      this.#members[member.index] = fresh;
      const update = difference(EMPTY_SNAPSHOT, this.#snapshot, this.#version);
      if (this.#version > 0) fresh.thread.postMessage(this.#updateMessage(update));
      fresh.thread.postMessage({ type: 'health', verdicts: [...this.#health.values()] } satisfies ToWorker);
      fresh.thread.postMessage({ type: 'keys', news: [...this.#keys.values()] } satisfies ToWorker);
    }, RESTART_MS);
  }

  #ask(member: Member): Promise<readonly BackendReport[] | null> {
    return new Promise((resolve) => {
      const id = this.#nextId++;
      const timer = setTimeout(() => {
        member.answers.delete(id);
        resolve(null);
      }, COLLECT_MS);
      member.answers.set(id, (backends) => {
        clearTimeout(timer);
        resolve(backends);
      });
      member.thread.postMessage({ type: 'collect', id } satisfies ToWorker);
    });
  }

  #updateMessage(update: SnapshotUpdate): ToWorker {
    const slots = update.backends.set.map(({ id }) => {
      const slot = this.#slots.get(id) ?? this.#slots.size;
      this.#slots.set(id, slot);
      return slot;
    });
    return { type: 'update', update, slots };
  }

  #tellOthers(member: Member, message: ToWorker): void {
    for (const other of this.#members) if (other !== member) other?.thread.postMessage(message);
  }

  #broadcast(message: ToWorker): void {
    for (const member of this.#members) member?.thread.postMessage(message);
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }
}
