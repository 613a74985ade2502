// Addresses of the names outside that backends are: looked up again when they expire, and kept while DNS fails.

/** What DNS says of a name; `ttlMs` how long that holds. */
export interface Answer {
  readonly addresses: readonly string[];
  readonly ttlMs: number;
}

/** @throws with what went wrong; a name that has no addresses is wrong too. */
export type LookUp = (name: string) => Promise<Answer>;

export interface ResolverOptions {
  readonly lookUp: LookUp;
  /** `addresses` is different now. */
  readonly changed: () => void;
  /** What people are told, once when it begins and once when it ends. */
  readonly log: { warn(text: string): void; info(text: string): void };
  /** Chance, in [0, 1). */
  readonly random?: () => number;
}

/** Nobody is asked more often than this for one name, nor more rarely (static stability needs news at some point). */
const SHORTEST_MS = 5_000;
const LONGEST_MS = 300_000;
/** Names that fail are tried again ever more rarely up to this. */
const LONGEST_RETRY_MS = 60_000;
/** Look-ups under way at one time; others wait. */
const CONCURRENCY = 8;
/** No more addresses of one name are used: a name is a server, not a network. */
const MOST_ADDRESSES = 128;
const NONE: readonly never[] = [];

interface Followed {
  addresses: readonly string[] | null;
  failures: number;
  timer: NodeJS.Timeout | null;
}

export class NameResolver {
  readonly #options: ResolverOptions;
  readonly #followed: Map<string, Followed> = new Map();
  readonly #queue: string[] = [];
  #running = 0;
  #addresses: ReadonlyMap<string, readonly string[]> = new Map();
  #closed = false;
  #waiting: { readonly names: Set<string>; readonly done: () => void } | null = null;

  constructor(options: ResolverOptions) {
    this.#options = options;
  }

  /**
   * By name: the last good ones; empty where there never were any, absent while nobody knows yet. The same map, and in
   * it the same lists, while nothing changed.
   */
  get addresses(): ReadonlyMap<string, readonly string[]> {
    return this.#addresses;
  }

  /** Takes over which names there are: new ones are looked up at once, others forgotten. */
  follow(names: Iterable<string>): void {
    if (this.#closed) return;
    const wanted = new Set(names);
    let isLess = false;
    for (const [name, { timer, addresses }] of this.#followed) {
      if (wanted.has(name)) continue;
      if (timer !== null) clearTimeout(timer);
      this.#followed.delete(name);
      this.#answered(name);
      isLess ||= addresses !== null;
    }
    // Nobody asks for the ones that are gone: that they are missing is no change.
    if (isLess) this.#addresses = this.#known();
    for (const name of wanted) {
      if (this.#followed.has(name)) continue;
      this.#followed.set(name, { addresses: null, failures: 0, timer: null });
      this.#queue.push(name);
    }
    this.#next();
  }

  /** Settles when every name that is followed now was answered or has failed once, at the latest after `limitMs`. */
  async answered(limitMs: number): Promise<void> {
    const names = new Set([...this.#followed].filter(([, each]) => isOpen(each)).map(([name]) => name));
    if (names.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#waiting = { names, done };
    });
    this.#waiting = null;
  }

  close(): void {
    this.#closed = true;
    for (const { timer } of this.#followed.values()) if (timer !== null) clearTimeout(timer);
    this.#followed.clear();
    this.#queue.length = 0;
    this.#waiting?.done();
  }

  #next(): void {
    while (this.#running < CONCURRENCY) {
      const name = this.#queue.shift();
      if (name === undefined) return;
      const followed = this.#followed.get(name);
      if (followed !== undefined) void this.#lookUp(name, followed);
    }
  }

  async #lookUp(name: string, followed: Followed): Promise<void> {
    this.#running++;
    const outcome = await this.#options.lookUp(name).then(judged, (error: unknown) => reasonOf(error));
    this.#running--;
    // Forgotten meanwhile, and perhaps followed anew by another entry.
    if (this.#followed.get(name) === followed) {
      if (typeof outcome === 'string') this.#failed(name, followed, outcome);
      else this.#succeeded(name, followed, outcome);
      this.#answered(name);
    }
    this.#next();
  }

  #succeeded(name: string, followed: Followed, { addresses, ttlMs }: Answer): void {
    const { addresses: before, failures } = followed;
    if (failures > 0) this.#options.log.info(`look up ${name}: answered again`);
    followed.failures = 0;
    this.#again(name, followed, Math.min(LONGEST_MS, Math.max(SHORTEST_MS, ttlMs)));
    if (before === null || !isSame(before, addresses)) this.#learn(followed, addresses);
  }

  #failed(name: string, followed: Followed, reason: string): void {
    const { addresses, failures } = followed;
    if (failures === 0) {
      const isUnknown = addresses === null || addresses.length === 0;
      const meanwhile = isUnknown ? 'its requests are answered 503' : `${addresses.join(', ')} stays in use`;
      this.#options.log.warn(`look up ${name}: ${reason}; it is tried again, meanwhile ${meanwhile}`);
    }
    followed.failures++;
    if (addresses === null) this.#learn(followed, NONE);
    this.#again(name, followed, Math.min(LONGEST_RETRY_MS, SHORTEST_MS * 2 ** Math.min(failures, 10)));
  }

  #learn(followed: Followed, addresses: readonly string[]): void {
    followed.addresses = addresses;
    this.#addresses = this.#known();
    this.#options.changed();
  }

  /** Up to a tenth later, so that names learnt at one time are not looked up at one time for ever. */
  #again(name: string, followed: Followed, afterMs: number): void {
    const { random = Math.random } = this.#options;
    followed.timer = setTimeout(
      () => {
        this.#queue.push(name);
        this.#next();
      },
      afterMs * (1 + random() / 10),
    ).unref();
  }

  #known(): ReadonlyMap<string, readonly string[]> {
    const known = new Map<string, readonly string[]>();
    for (const [name, { addresses }] of this.#followed) if (addresses !== null) known.set(name, addresses);
    return known;
  }

  #answered(name: string): void {
    const waiting = this.#waiting;
    if (waiting?.names.delete(name) && waiting.names.size === 0) waiting.done();
  }
}

function isOpen({ addresses }: Followed): boolean {
  return addresses === null;
}

/** In a fixed order: that a server turns its answers around is no news. */
function judged({ addresses, ttlMs }: Answer): Answer | string {
  if (addresses.length === 0) return 'there is no address for it';
  return { addresses: [...new Set(addresses)].sort().slice(0, MOST_ADDRESSES), ttlMs };
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((address, index) => address === b[index]);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
