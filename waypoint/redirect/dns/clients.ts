// Who asks: whether other names are looked up for them, and whether they ask too often.

import { trustOf } from '../../trusted-addresses.ts';

/** `slip`: answered with nothing but "ask over TCP", which who forges addresses cannot do. */
export type FloodVerdict = 'allow' | 'slip' | 'drop';

/** Of that many clients the rates are known; the oldest is forgotten for a new one. */
const MAX_CLIENTS = 10_000;
/** Every second answer that is withheld slips through, cut short, as name servers do that limit responses. */
const SLIP = 2;

interface Bucket {
  tokens: number;
  at: number;
  withheld: number;
}

/** This host, and `cidrs`. */
export function mayForward(cidrs: readonly string[]): (address: string) => boolean {
  return trustOf(['127.0.0.0/8', '::1', ...cidrs]);
}

/** A socket for both families shows IPv4 clients as IPv6. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/** A token bucket for each client: so many queries per second, and as many at once. */
export class FloodLimits {
  readonly #rate: number;
  readonly #buckets: Map<string, Bucket> = new Map();

  constructor(perSecond: number) {
    this.#rate = perSecond;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** `now`: monotonic ms. */
  take(address: string, now: number): FloodVerdict {
    const bucket = this.#bucketOf(clientOf(address), now);
    bucket.tokens = Math.min(this.#rate, bucket.tokens + ((now - bucket.at) * this.#rate) / 1000);
    bucket.at = now;
    if (bucket.tokens >= 1) {
      bucket.tokens--;
      return 'allow';
    }
    return ++bucket.withheld % SLIP === 0 ? 'slip' : 'drop';
  }

  #bucketOf(client: string, now: number): Bucket {
    const known = this.#buckets.get(client);
    if (known !== undefined) return known;
    if (this.#buckets.size >= MAX_CLIENTS) this.#buckets.delete(this.#buckets.keys().next().value as string);
    const fresh = { tokens: this.#rate, at: now, withheld: 0 };
    this.#buckets.set(client, fresh);
    return fresh;
  }
}

/** How many questions each client has under way elsewhere: no client takes the room of all others. */
export class Shares {
  readonly #most: number;
  readonly #held: Map<string, number> = new Map();

  constructor(most: number) {
    this.#most = most;
  }

  /** To be called when it is over; null: this client has as many as it may. */
  take(address: string): (() => void) | null {
    const client = clientOf(address);
    const held = this.#held.get(client) ?? 0;
    if (held >= this.#most) return null;
    this.#held.set(client, held + 1);
    return () => this.#giveBack(client);
  }

  #giveBack(client: string): void {
    const held = this.#held.get(client)!;
    if (held > 1) this.#held.set(client, held - 1);
    else this.#held.delete(client);
  }
}

/** One host of IPv6 has a whole /64 to send from. */
function clientOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('%', 1)[0]!.split('::');
  const groups = head.split(':');
  if (tail === undefined || groups.length >= 4) return groups.slice(0, 4).join(':');
  const missing = 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
  return [...groups, ...new Array<string>(missing).fill('0'), ...tail.split(':')].slice(0, 4).join(':');
}
