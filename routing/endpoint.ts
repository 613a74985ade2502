// One address that serves a backend, with the live state that outlives every configuration that names it.

import { hashKey } from './hash-key.ts';
import type { Outcome } from './outcome.ts';
import { observeRtt, PENALTY_MS, START_MS } from './peak-ewma.ts';

/** What discovery says of an endpoint; plain data. */
export interface EndpointData {
  readonly address: string;
  readonly port: number;
  readonly name: string | null;
  readonly zone: string | null;
  /** Zones that should use it; empty: no hint. */
  readonly hints: readonly string[];
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
}

export class Endpoint implements EndpointData {
  /** `address:port`, IPv6 in brackets: what makes it the same endpoint. */
  readonly id: string;
  /** Of the id; ranks it for ConsistentHash. */
  readonly hash: number;
  readonly address: string;
  readonly port: number;
  name: string | null;
  zone: string | null;
  hints: readonly string[];
  ready: boolean;
  serving: boolean;
  terminating: boolean;
  /** When it became ready, monotonic ms: slow start counts from here. -Infinity: longer ago than anyone knows. */
  addedAt: number;

  /** Tries under way now. */
  inFlight = 0;
  /** Tries begun, and those that failed (5xx included), since it appeared. */
  requests = 0;
  failures = 0;
  /** Peak-sensitive average of the time to the head of an answer, as of `ewmaAt`; read it through `costOf`. */
  ewmaMs: number = START_MS;
  ewmaAt: number;
  /** What it has spent of its turns (weighted-turns.ts); -Infinity: it had none yet. */
  turn: number = Number.NEGATIVE_INFINITY;

  // Whoever changes one of these three tells the backend (`Backend.changed`).
  /** What active checks say; true where there are none. */
  healthy = true;
  /** Monotonic ms, 0: not ejected. */
  ejectedUntil = 0;
  /** How often it was ejected; the policy lets it sink again. */
  ejections = 0;

  /** Answers of 500 and above in a row. */
  consecutive5xx = 0;
  /** Tries in a row that ended without an answer: no connection, reset, timeout. */
  consecutiveLocal = 0;
  /** Tries that ended, and those of them that failed, since the outlier policy last reset them. */
  windowRequests = 0;
  windowFailures = 0;

  /** No longer in its backend: what is under way finishes, its connections are not kept. */
  removed = false;
  /** Belongs to whoever connects to it: its idle connections. */
  slot: unknown = null;

  /** `addedAt` as in the field, `now` is the time of this call. */
  constructor(data: EndpointData, addedAt: number, now: number) {
    this.id = endpointId(data);
    this.hash = hashKey(this.id);
    this.address = data.address;
    this.port = data.port;
    this.name = data.name;
    this.zone = data.zone;
    this.hints = data.hints;
    this.ready = data.ready;
    this.serving = data.serving;
    this.terminating = data.terminating;
    this.addedAt = addedAt;
    this.ewmaAt = now;
  }

  /** Takes over what discovery says now; the live state stays. */
  describe(data: EndpointData, now: number): void {
    if (data.ready && !this.ready) this.addedAt = now;
    this.name = data.name;
    this.zone = data.zone;
    this.hints = data.hints;
    this.ready = data.ready;
    this.serving = data.serving;
    this.terminating = data.terminating;
  }

  /** A try begins. Each `begin` is followed by one `end`. */
  begin(): void {
    this.inFlight += 1;
    this.requests += 1;
  }

  /** A try is over. `rttMs`: from its begin to the head of the answer, or to its end where none came. */
  end(now: number, outcome: Outcome, rttMs: number): void {
    this.inFlight -= 1;
    if (outcome === 'client-gone') {
      // It took at least this long; less than the average says nothing.
      if (rttMs > this.ewmaMs) observeRtt(this, rttMs, now);
      return;
    }
    const answered = outcome === 'ok' || outcome === '429' || outcome === '5xx';
    const failed = outcome !== 'ok' && outcome !== '429';
    observeRtt(this, outcome !== 'ok' && rttMs < PENALTY_MS ? PENALTY_MS : rttMs, now);
    this.windowRequests += 1;
    if (failed) {
      this.failures += 1;
      this.windowFailures += 1;
    }
    // The two counts are apart: an answer proves the way to the endpoint, a lost try proves nothing about its answers.
    if (answered) {
      this.consecutiveLocal = 0;
      this.consecutive5xx = failed ? this.consecutive5xx + 1 : 0;
    } else {
      this.consecutiveLocal += 1;
    }
  }
}

export function endpointId(data: Pick<EndpointData, 'address' | 'port'>): string {
  return data.address.includes(':') ? `[${data.address}]:${data.port}` : `${data.address}:${data.port}`;
}
