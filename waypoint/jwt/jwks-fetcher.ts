// Remote key sets: fetched once for all workers, on the main thread, kept fresh, and kept through an outage for a while.

import type CircuitBreaker from 'opossum';
import type { PublicJwk } from '../../policies/jwks.ts';
import type { Snapshot } from '../../policies/plan.ts';
import type { KeysNews } from '../messages.ts';
import type { Log } from '../ops/log.ts';
import { JwksRequests } from './jwks-request.ts';
import { KeptKeys } from './kept-keys.ts';

export interface JwksEvents {
  /** What workers have to know. */
  news(news: readonly KeysNews[]): void;
  /** A look at a URI ended. */
  looked(outcome: 'succeeded' | 'failed'): void;
  /** `errors` says something else now. */
  changed(): void;
  readonly log: Pick<Log, 'error' | 'warn' | 'info'>;
}

export interface JwksOptions {
  /** Keys are looked for again after this time. */
  readonly jwksRefreshMs: number;
  /** And are used for so much longer when that fails. */
  readonly jwksStaleMs: number;
  /** CIDRs that are excepted where addresses are refused by kind. */
  readonly egressAllow: readonly string[];
  /** Where key sets are kept for a restart; null: nowhere. */
  readonly stateDir: string | null;
}

interface Followed {
  readonly uri: string;
  /** The longest wait that a rule allows. */
  timeoutMs: number;
  keys: readonly PublicJwk[] | null;
  /** Why the last look failed; '' when it did not. */
  error: string;
  failures: number;
  /** When the last look began; monotonic ms. */
  lookedAt: number;
  looking: boolean;
  /** A worker waits for the next news. */
  wanted: boolean;
  /** What workers know, as text; '' when they were told nothing. */
  told: string;
  timer: NodeJS.Timeout | null;
  /** When `timer` is due; monotonic ms. */
  dueAt: number;
  stale: NodeJS.Timeout | null;
  breaker: CircuitBreaker<[], readonly PublicJwk[]> | null;
}

/** However many tokens name unknown keys: one look per second. */
const PACE_MS = 1_000;
/** Of these paces a failing server is left alone, at most. */
const MOST_PACES = 4;
/** Requests have their own limit in time. */
const BREAKER: CircuitBreaker.Options = {
  ...{ timeout: false, volumeThreshold: 3, errorThresholdPercentage: 50 },
  ...{ rollingCountTimeout: 30_000, rollingCountBuckets: 3, enableSnapshots: false },
};

export class JwksFetcher {
  readonly #events: JwksEvents;
  readonly #options: JwksOptions;
  readonly #paceMs: number;
  readonly #requests: JwksRequests;
  readonly #kept: KeptKeys;
  readonly #followed: Map<string, Followed> = new Map();
  #closed = false;

  /** `paceMs`: the least time between two looks at one URI. */
  constructor(events: JwksEvents, options: JwksOptions, paceMs: number = PACE_MS) {
    this.#events = events;
    this.#paceMs = paceMs;
    this.#options = options;
    this.#requests = new JwksRequests(options.egressAllow);
    this.#kept = new KeptKeys(options.stateDir, events.log.warn);
  }

  /** Takes over which key sets are needed; those that stay are not fetched anew. */
  follow(access: Snapshot['access']): void {
    const wanted = urisOf(access);
    for (const [uri, timeoutMs] of wanted) {
      const known = this.#followed.get(uri);
      if (known !== undefined) known.timeoutMs = timeoutMs;
      else this.#begin(uri, timeoutMs);
    }
    for (const followed of this.#followed.values()) if (!wanted.has(followed.uri)) this.#forget(followed);
  }

  /** A token names a key that is not there: looks again, soon; workers are told how that ends. */
  want(uri: string): void {
    const followed = this.#followed.get(uri);
    if (followed === undefined) {
      this.#events.news([{ uri, keys: null, followed: false }]);
      return;
    }
    followed.wanted = true;
    if (!followed.looking) this.#schedule(followed, Math.max(0, followed.lookedAt + this.#paceMs - performance.now()));
  }

  /** Why key sets could not be fetched, by URI; those that could are left out. */
  errors(): ReadonlyMap<string, string> {
    const failing = [...this.#followed.values()].filter(({ error }) => error !== '');
    return new Map(
      failing.map(({ uri, error, keys }) => [uri, keys === null ? error : `${error} (older keys are used)`]),
    );
  }

  /** Key sets that can be used. */
  known(): readonly KeysNews[] {
    return [...this.#followed.values()].flatMap(({ uri, keys }) =>
      keys === null ? [] : { uri, keys, followed: true },
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const followed of this.#followed.values()) stop(followed);
    this.#followed.clear();
    await this.#requests.close();
  }

  #begin(uri: string, timeoutMs: number): void {
    const followed: Followed = {
      ...{ uri, timeoutMs, keys: null, error: '', failures: 0, lookedAt: Number.NEGATIVE_INFINITY, looking: false },
      ...{ wanted: false, told: '', timer: null, dueAt: 0, stale: null, breaker: null },
    };
    this.#followed.set(uri, followed);
    const kept = this.#kept.get(uri);
    const age = kept === null ? 0 : Date.now() - kept.at;
    if (kept !== null && age >= 0 && age < this.#usableMs) {
      this.#use(followed, kept.keys, this.#usableMs - age);
      this.#tell(followed);
    }
    void this.#look(followed);
  }

  get #usableMs(): number {
    return this.#options.jwksRefreshMs + this.#options.jwksStaleMs;
  }

  #forget(followed: Followed): void {
    stop(followed);
    this.#followed.delete(followed.uri);
    this.#kept.drop(followed.uri);
    this.#events.news([{ uri: followed.uri, keys: null, followed: false }]);
  }

  async #look(followed: Followed): Promise<void> {
    followed.looking = true;
    followed.lookedAt = performance.now();
    let error = '';
    try {
      const breaker = followed.breaker ?? (await this.#breaker(followed));
      const keys = await breaker.fire();
      if (this.#followed.get(followed.uri) === followed) {
        this.#use(followed, keys, this.#usableMs);
        this.#kept.set(followed.uri, keys);
      }
    } catch (failure) {
      const { code, message } = failure as NodeJS.ErrnoException;
      // An open breaker only repeats that it failed before.
      error = code === 'EOPENBREAKER' && followed.error !== '' ? followed.error : message;
    }
    followed.looking = false;
    if (this.#closed || this.#followed.get(followed.uri) !== followed) {
      stop(followed);
      return;
    }
    const before = followed.error;
    followed.error = error;
    followed.failures = error === '' ? 0 : followed.failures + 1;
    this.#schedule(followed, error === '' ? spread(this.#options.jwksRefreshMs) : this.#retryMs(followed.failures));
    this.#tell(followed);
    this.#events.looked(error === '' ? 'succeeded' : 'failed');
    if (error === before) return;
    if (error === '') this.#events.log.info(`GET ${followed.uri}: keys are fetched again`);
    else this.#events.log.error(`${error}; trying again every few seconds`);
    this.#events.changed();
  }

  async #breaker(followed: Followed): Promise<CircuitBreaker<[], readonly PublicJwk[]>> {
    const { default: Breaker } = await import('opossum');
    const look = (): Promise<readonly PublicJwk[]> => this.#requests.get(followed.uri, followed.timeoutMs);
    const breaker = new Breaker(look, { ...BREAKER, resetTimeout: (MOST_PACES - 1) * this.#paceMs });
    followed.breaker = breaker;
    return breaker;
  }

  #use(followed: Followed, keys: readonly PublicJwk[], forMs: number): void {
    followed.keys = keys;
    if (followed.stale !== null) clearTimeout(followed.stale);
    followed.stale = setTimeout(() => {
      followed.keys = null;
      this.#tell(followed);
    }, forMs).unref();
  }

  #retryMs(failures: number): number {
    return this.#paceMs * Math.min(MOST_PACES, 2 ** Math.min(failures - 1, 8)) * (1 + Math.random() * 0.1);
  }

  /** Workers are told what changed, and whoever waits is told in any case. */
  #tell(followed: Followed): void {
    const { uri, keys, wanted } = followed;
    const text = JSON.stringify(keys);
    if (text === followed.told && !wanted) return;
    followed.told = text;
    followed.wanted = false;
    this.#events.news([{ uri, keys, followed: true }]);
  }

  /** The earlier of what is due already and this. */
  #schedule(followed: Followed, inMs: number): void {
    const dueAt = performance.now() + inMs;
    if (followed.timer !== null) {
      if (followed.dueAt <= dueAt) return;
      clearTimeout(followed.timer);
    }
    followed.dueAt = dueAt;
    followed.timer = setTimeout(() => {
      followed.timer = null;
      if (!followed.looking) void this.#look(followed);
    }, inMs).unref();
  }
}

/** With the longest timeout of the rules that name each. */
function urisOf(access: Snapshot['access']): ReadonlyMap<string, number> {
  const uris = new Map<string, number>();
  for (const { authentications } of access.values()) {
    for (const { keys, timeoutMs } of authentications.flatMap(({ rules }) => rules)) {
      if ('uri' in keys) uris.set(keys.uri, Math.max(timeoutMs, uris.get(keys.uri) ?? 0));
    }
  }
  return uris;
}

function stop(followed: Followed): void {
  if (followed.timer !== null) clearTimeout(followed.timer);
  if (followed.stale !== null) clearTimeout(followed.stale);
  followed.breaker?.shutdown();
}

/** Not all replicas ask at the same moment for ever. */
function spread(ms: number): number {
  return ms * (0.9 + Math.random() * 0.1);
}
