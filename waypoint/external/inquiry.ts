// A request that waits for an outside service: through its breaker, until it answers, fails, or the client is gone.

import type { Worker } from '../worker-context.ts';
import { Breakers, failureOf } from './breakers.ts';
import { CallFailure } from './call-failure.ts';
import type { Callable } from './outside-call.ts';

/** Something that a request waits for. */
export interface Waiting {
  /** Nobody is told anything from now on. */
  cancel(): void;
}

export abstract class Inquiry<A> implements Waiting {
  readonly worker: Worker;
  readonly #service: string;
  #call: Callable<A> | null = null;
  #over = false;

  constructor(worker: Worker, service: string) {
    this.worker = worker;
    this.#service = service;
  }

  /** Never answers before it has returned. */
  start(): this {
    void this.#run();
    return this;
  }

  cancel(): void {
    this.#over = true;
    if (this.#call !== null) Breakers.of(this.worker).abandon(this.#service, this.#call);
  }

  /** Modules that the call needs, where they are not there yet; null: they are. */
  protected abstract load(): Promise<unknown> | null;
  protected abstract call(): Callable<A>;
  protected abstract heard(answer: A): void;
  protected abstract failed(failure: CallFailure): void;

  async #run(): Promise<void> {
    let outcome: A | CallFailure;
    try {
      if (!Breakers.loaded) await Breakers.load();
      const loading = this.load();
      if (loading !== null) await loading;
      if (this.#over) return;
      this.#call = this.call();
      outcome = await Breakers.of(this.worker).run(this.#service, this.#call);
    } catch (error) {
      outcome = failureOf(error);
    }
    if (this.#over) return;
    this.#over = true;
    if (outcome instanceof CallFailure) this.failed(outcome);
    else this.heard(outcome);
  }
}
