// The time limits of a client connection behind one timer: armed for the earliest, asked here which of them it was.

import type { Limits } from '../config.ts';
import { Timer, type Timers, type TimerTarget } from '../timers.ts';
import { BODY, DISCARD, HEAD, type State, TUNNEL, WAIT } from './state.ts';

/** A client that closed its sending side is served while its answer makes progress at least this often: a vanished one looks the same. */
const HALF_CLOSED_MS = 2000;

/** Which limit was reached: the client takes no bytes, the request took too long, its head or body did, it idles, it is gone. */
export type Expiry = 'write' | 'request' | 'head' | 'body' | 'idle' | 'tunnel' | 'vanished' | 'closing';

export class ConnectionLimits {
  /** Last byte read, or last answer finished. */
  activeAt: number;
  /** When the first byte of the current head came; 0 between requests. */
  headAt = 0;
  readonly #timers: Timers;
  readonly #limits: Limits;
  readonly #timer: Timer;
  /** Since when the client takes nothing; 0: it does. */
  #blockedAt = 0;
  /** `timeouts.request` of the current request; 0: none. */
  #requestAt = 0;
  /** Response bytes sent when a half-closed client was last looked at; -1: it is not half-closed. */
  #progress = -1;

  constructor(timers: Timers, limits: Limits, target: TimerTarget, now: number) {
    this.#timers = timers;
    this.#limits = limits;
    this.#timer = new Timer(target);
    this.activeAt = now;
    this.#arm(now + limits.keepAliveTimeoutMs);
  }

  close(): void {
    this.#timers.cancel(this.#timer);
  }

  /** A head has begun to arrive. */
  headBegan(): void {
    if (this.headAt > 0) return;
    this.headAt = performance.now();
    this.#arm(this.headAt + this.#limits.requestHeadTimeoutMs);
  }

  /** A head is complete; its body may take as long as it keeps coming. */
  requestBegan(now: number): void {
    this.activeAt = now;
    this.headAt = 0;
  }

  bodyAwaited(): void {
    this.#arm(this.activeAt + this.#limits.bodyIdleTimeoutMs);
  }

  requestEnded(now: number): void {
    this.activeAt = now;
    this.#requestAt = 0;
  }

  /** The whole request must be over at `at`. */
  endRequestAt(at: number): void {
    this.#requestAt = at;
    this.#arm(at);
  }

  blocked(): void {
    if (this.#blockedAt > 0) return;
    this.#blockedAt = performance.now();
    this.#arm(this.#blockedAt + this.#limits.writeIdleTimeoutMs);
  }

  unblocked(): void {
    this.#blockedAt = 0;
  }

  halfClosed(responseBytes: number): void {
    this.#progress = responseBytes;
    this.#arm(performance.now() + HALF_CLOSED_MS);
  }

  tunnelBegan(now: number): void {
    this.activeAt = now;
    this.#requestAt = 0;
    this.#arm(now + this.#limits.tunnelIdleTimeoutMs);
  }

  /** The connection is to be gone in `ms`. */
  closing(ms: number): void {
    this.#arm(performance.now() + ms);
  }

  /** What is over now; null: nothing, and the timer is armed for what comes next. */
  expired(
    now: number,
    state: State,
    facts: { readonly paused: boolean; readonly responseBytes: number },
  ): Expiry | null {
    const limits = this.#limits;
    let next = now + limits.keepAliveTimeoutMs;
    if (this.#blockedAt > 0) {
      const at = this.#blockedAt + limits.writeIdleTimeoutMs;
      if (now >= at) return 'write';
      next = Math.min(next, at);
    }
    if (this.#requestAt > 0) {
      if (now >= this.#requestAt) return 'request';
      next = Math.min(next, this.#requestAt);
    }
    if (state === WAIT && this.#progress >= 0) {
      if (facts.responseBytes === this.#progress) return 'vanished';
      this.#progress = facts.responseBytes;
      next = Math.min(next, now + HALF_CLOSED_MS);
    }
    if (state > TUNNEL) return 'closing';
    if (state !== WAIT) {
      // Silence counts only while we are willing to read.
      if (facts.paused) this.activeAt = now;
      const at = this.#silentAt(state);
      if (now >= at) return this.#silence(state);
      next = state === TUNNEL ? at : Math.min(next, at);
    }
    this.#timers.schedule(this.#timer, next);
    return null;
  }

  #silentAt(state: State): number {
    const limits = this.#limits;
    if (state === TUNNEL) return this.activeAt + limits.tunnelIdleTimeoutMs;
    if (state === BODY || state === DISCARD) return this.activeAt + limits.bodyIdleTimeoutMs;
    return this.headAt > 0 ? this.headAt + limits.requestHeadTimeoutMs : this.activeAt + limits.keepAliveTimeoutMs;
  }

  #silence(state: State): Expiry {
    if (state === TUNNEL) return 'tunnel';
    if (state === HEAD) return this.headAt > 0 ? 'head' : 'idle';
    return 'body';
  }

  #arm(at: number): void {
    if (this.#timer.index < 0 || this.#timer.at > at) this.#timers.schedule(this.#timer, at);
  }
}
