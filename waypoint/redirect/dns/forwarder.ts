// Names that are not ours are asked for elsewhere: two tries, a time limit, one question at a time however many ask it.

import { randomInt } from 'node:crypto';
import type { SocketAddress } from '../../flag-values.ts';
import { writeQuestion } from './codec.ts';
import { FLAG, type Query, RCODE } from './query.ts';
import { askTcp, askUdp, type Outcome, type Wait } from './upstream.ts';

/** What became of a try, or that nobody answered at all; counted. */
export type ForwardOutcome = 'answered' | 'timeout' | 'unreachable' | 'forged' | 'refused' | 'overflow' | 'unanswered';

export interface ForwarderOptions {
  /** Whom to ask, in this order; asked anew for each question. */
  readonly resolvers: () => readonly SocketAddress[];
  readonly count: (outcome: ForwardOutcome) => void;
  readonly limits?: ForwardLimits;
}

export interface ForwardLimits {
  readonly tryTimeoutMs: number;
  readonly totalTimeoutMs: number;
  /** Different questions under way. */
  readonly inFlight: number;
  /** Questions of one client under way. */
  readonly perClient: number;
}

/** null: there is no answer within the time. */
type Waiter = (answer: Buffer | null) => void;

/** Clients give up after five seconds. */
const DEFAULT_LIMITS: ForwardLimits = { tryTimeoutMs: 2000, totalTimeoutMs: 4500, inFlight: 1000, perClient: 250 };
const TRIES = 2;

export class Forwarder {
  readonly #options: Required<ForwarderOptions>;
  readonly #flights: Map<string, Flight> = new Map();
  /** Whoever answered last is asked first. */
  #preferred: SocketAddress | null = null;

  constructor(options: ForwarderOptions) {
    this.#options = { limits: DEFAULT_LIMITS, ...options };
  }

  get limits(): ForwardLimits {
    return this.#options.limits;
  }

  get inFlight(): number {
    return this.#flights.size;
  }

  hasResolvers(): boolean {
    return this.#options.resolvers().length > 0;
  }

  /**
   * `done` is called once, unless the wait is cancelled: with the answer, of which number and case of the question are
   * not yet those of this client, or with null. null: that was within this call, nothing is to be waited for.
   */
  ask(query: Query, done: Waiter): Wait | null {
    const key = keyOf(query);
    let flight = this.#flights.get(key);
    if (flight === undefined) {
      const resolvers = this.#inOrder();
      if (resolvers.length === 0 || this.#flights.size >= this.#options.limits.inFlight) {
        this.#options.count('overflow');
        done(null);
        return null;
      }
      flight = new Flight(query, resolvers, this.#options, (from) => {
        this.#flights.delete(key);
        if (from !== null) this.#preferred = from;
      });
      this.#flights.set(key, flight);
    }
    return flight.join(done);
  }

  /** Whoever waits is told that there is no answer. */
  close(): void {
    for (const flight of this.#flights.values()) flight.end(null, null);
  }

  #inOrder(): readonly SocketAddress[] {
    const resolvers = this.#options.resolvers();
    const preferred = this.#preferred;
    const first = resolvers.findIndex(({ host, port }) => host === preferred?.host && port === preferred.port);
    return first <= 0 ? resolvers : [...resolvers.slice(first), ...resolvers.slice(0, first)];
  }
}

/** One question on its way, for everybody who asks it meanwhile: also for ourselves, if it comes back in a circle. */
class Flight {
  readonly #query: Query;
  readonly #resolvers: readonly SocketAddress[];
  readonly #options: Required<ForwarderOptions>;
  readonly #landed: (from: SocketAddress | null) => void;
  readonly #waiters: Set<Waiter> = new Set();
  readonly #timer: NodeJS.Timeout;
  #current: Wait | null = null;
  #tries = 0;
  /** A failure that a resolver told: better than none, if nobody knows better. */
  #complaint: Buffer | null = null;
  #isOver = false;

  /** `landed` is told whose answer it was, null: nobody's. */
  constructor(
    query: Query,
    resolvers: readonly SocketAddress[],
    options: Required<ForwarderOptions>,
    landed: (from: SocketAddress | null) => void,
  ) {
    this.#query = query;
    this.#resolvers = resolvers;
    this.#options = options;
    this.#landed = landed;
    this.#timer = setTimeout(() => this.#giveUp(), options.limits.totalTimeoutMs);
    this.#try();
  }

  join(waiter: Waiter): Wait {
    // One function may wait twice.
    const own: Waiter = (answer) => waiter(answer);
    this.#waiters.add(own);
    return {
      cancel: () => {
        // Nobody wants to know any more.
        if (this.#waiters.delete(own) && this.#waiters.size === 0) this.end(null, null);
      },
    };
  }

  end(answer: Buffer | null, from: SocketAddress | null): void {
    if (this.#isOver) return;
    this.#stop();
    this.#landed(from);
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter);
      waiter(answer);
    }
  }

  #stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#current?.cancel();
  }

  #try(): void {
    const { flags, question, edns } = this.#query;
    const resolver = this.#resolvers[this.#tries % this.#resolvers.length]!;
    // A number of its own each time, so that the answer to the first try is none to the second.
    const packet = writeQuestion(randomInt(65_536), flags & (FLAG.RD | FLAG.CD), question!, edns);
    const { tryTimeoutMs } = this.#options.limits;
    const done = (outcome: Outcome): void => this.#tried(outcome, resolver);
    this.#current = askUdp(packet, resolver, tryTimeoutMs, (outcome) => {
      const isCut = typeof outcome !== 'string' && (outcome.readUInt16BE(2) & FLAG.TC) !== 0;
      if (isCut || outcome === 'forged') this.#current = askTcp(packet, resolver, tryTimeoutMs, done);
      else done(outcome);
    });
  }

  #tried(outcome: Outcome, resolver: SocketAddress): void {
    if (typeof outcome === 'string') {
      this.#failed(outcome);
      return;
    }
    const rcode = outcome[3]! & 15;
    if (rcode !== RCODE.SERVFAIL && rcode !== RCODE.REFUSED) {
      this.#options.count('answered');
      this.end(outcome, resolver);
      return;
    }
    this.#complaint = outcome;
    this.#failed('refused');
  }

  #failed(outcome: ForwardOutcome): void {
    this.#options.count(outcome);
    if (++this.#tries < TRIES) this.#try();
    else this.#giveUp();
  }

  #giveUp(): void {
    if (this.#complaint === null) this.#options.count('unanswered');
    this.end(this.#complaint, null);
  }
}

/** Equal where one answer serves both: name without its case, type, class, and what the answer depends on besides. */
function keyOf({ flags, question, edns }: Query): string {
  const text = Buffer.from(question!).toString('latin1');
  const name = text.slice(0, -4).replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  return `${flags} ${edns === null ? '-' : edns.dnssec} ${name}${text.slice(-4)}`;
}
