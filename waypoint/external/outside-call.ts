// One call of an outside service, over whatever protocol: an endpoint chosen and accounted for, a deadline, one repetition
// where the connection was stale.

import type { Endpoint } from '../../routing/endpoint.ts';
import type { Outcome } from '../../routing/outcome.ts';
import { Timer, type TimerTarget } from '../timers.ts';
import { type BackendState, stateOf } from '../upstream/backend-state.ts';
import type { Worker } from '../worker-context.ts';
import { CallFailure, type CallReason } from './call-failure.ts';

/** A call as those see it who make it and wait for it. */
export interface Callable<A> {
  /** Called once. A failure is a CallFailure. */
  run(): Promise<A>;
  /** Nobody waits for the answer: the call ends at once, the endpoint sees a reset. */
  abort(): void;
}

export abstract class OutsideCall<A> implements Callable<A>, TimerTarget {
  readonly worker: Worker;
  readonly state: BackendState;
  readonly #timeoutMs: number;
  readonly #timer: Timer = new Timer(this);
  #endpoint: Endpoint | null = null;
  #avoid: Endpoint | null = null;
  #tries = 0;
  #beganAt = 0;
  #admitted = false;
  #resolve: (answer: A) => void = ignore;
  #reject: (failure: CallFailure) => void = ignore;
  #over = false;

  constructor(worker: Worker, backend: string, timeoutMs: number) {
    this.worker = worker;
    this.state = stateOf(worker.registry.backend(backend));
    this.#timeoutMs = timeoutMs;
  }

  run(): Promise<A> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      const limit = this.state.admit('requests');
      if (limit !== null) {
        this.#settle();
        reject(new CallFailure('overflow', `${this.#where}: ${limit.replaceAll('_', ' ')} is reached`));
        return;
      }
      this.#admitted = true;
      const now = performance.now();
      this.worker.timers.schedule(this.#timer, now + this.#timeoutMs);
      this.#try(now);
    });
  }

  abort(): void {
    if (!this.#over) this.#end('aborted', 'nobody waits for it', 'client-gone');
  }

  onTimer(): void {
    const waited = `no answer within ${this.#timeoutMs} ms`;
    if (!this.#over) this.#end('timeout', waited, 'timeout');
  }

  /** Sends the request; a try that is under way is reset by `drop`. */
  protected abstract send(endpoint: Endpoint): void;
  protected abstract drop(why: 'timed out' | 'gone'): void;

  /** How long is left, at least 1. */
  protected get leftMs(): number {
    return Math.max(1, Math.ceil(this.#timer.at - performance.now()));
  }

  protected answer(answer: A, outcome: Outcome): void {
    if (this.#over) return;
    this.#leave(outcome);
    this.#settle();
    this.#resolve(answer);
  }

  protected fail(reason: CallReason, message: string, outcome: Outcome): void {
    if (!this.#over) this.#end(reason, message, outcome);
  }

  /** The try came to nothing because its connection was old: once, another one is made. */
  protected again(message: string): void {
    if (this.#over) return;
    if (this.#tries > 1) {
      this.#end('failed', message, 'reset');
      return;
    }
    this.#avoid = this.#endpoint;
    this.#leave('client-gone');
    this.#try(performance.now());
  }

  #try(now: number): void {
    this.#tries += 1;
    const { random, zone } = this.worker;
    const endpoint = this.state.backend.pick({ now, random, avoid: this.#avoid, zone, hash: 0 });
    if (endpoint === null) {
      this.#end('no_endpoint', 'no endpoint is ready', 'client-gone');
      return;
    }
    this.#endpoint = endpoint;
    this.#beganAt = now;
    endpoint.begin();
    this.send(endpoint);
  }

  #end(reason: CallReason, message: string, outcome: Outcome): void {
    const text = `${this.#where}: ${message}`;
    this.#leave(outcome);
    this.#settle();
    this.drop(reason === 'timeout' ? 'timed out' : 'gone');
    this.#reject(new CallFailure(reason, text));
  }

  #leave(outcome: Outcome): void {
    const endpoint = this.#endpoint;
    if (endpoint === null) return;
    this.#endpoint = null;
    const now = performance.now();
    const news = this.state.ended(endpoint, outcome, now - this.#beganAt, now);
    if (news !== null) this.worker.ejected(news);
  }

  #settle(): void {
    this.#over = true;
    this.worker.timers.cancel(this.#timer);
    if (this.#admitted) this.state.circuit.release('requests');
  }

  get #where(): string {
    const { id } = this.state.backend;
    return this.#endpoint === null ? id : `${id} at ${this.#endpoint.id}`;
  }
}

function ignore(): void {}
