// Breakers between this worker and outside services, one for each: while a service is known not to answer, nobody waits for it.

import type CircuitBreaker from 'opossum';
import type { Worker } from '../worker-context.ts';
import { CallFailure } from './call-failure.ts';
import type { Callable } from './outside-call.ts';

type Call = Callable<unknown>;
type Breaker = CircuitBreaker<[Call], unknown>;
type Settings = Pick<
  CircuitBreaker.Options,
  'errorThresholdPercentage' | 'volumeThreshold' | 'resetTimeout' | 'rollingCountTimeout'
>;

/** Open when more than half of at least ten calls in ten seconds failed; a probe after five seconds. */
const SETTINGS: Settings = {
  errorThresholdPercentage: 50,
  volumeThreshold: 10,
  resetTimeout: 5_000,
  rollingCountTimeout: 10_000,
};

/** As many services are remembered; the one that was added first goes first. */
const MOST = 256;

const known: WeakMap<Worker, Breakers> = new WeakMap();
let opossum: typeof CircuitBreaker | null = null;

export class Breakers {
  /** In force for breakers that are made from now on. */
  settings: Settings = SETTINGS;
  readonly #worker: Worker;
  readonly #byService: Map<string, Breaker> = new Map();

  constructor(worker: Worker) {
    this.#worker = worker;
  }

  static of(worker: Worker): Breakers {
    let breakers = known.get(worker);
    if (breakers === undefined) {
      breakers = new Breakers(worker);
      known.set(worker, breakers);
    }
    return breakers;
  }

  /** Whether `run` may be called at once, without `load`. */
  static get loaded(): boolean {
    return opossum !== null;
  }

  /** Only where somebody asks an outside service. */
  static async load(): Promise<void> {
    opossum ??= (await import('opossum')).default;
  }

  /** Rejects with a CallFailure. */
  run<A>(service: string, call: Callable<A>): Promise<A> {
    return this.#breaker(service).fire(call) as Promise<A>;
  }

  /** Nobody waits for the call any more. One that shows whether the service is back goes on to its end. */
  abandon(service: string, call: Call): void {
    if (this.#byService.get(service)?.halfOpen !== true) call.abort();
  }

  #breaker(service: string): Breaker {
    let breaker = this.#byService.get(service);
    if (breaker === undefined) {
      const oldest = this.#byService.keys().next().value;
      if (this.#byService.size >= MOST && oldest !== undefined) this.#forget(oldest);
      breaker = this.#make(service);
      this.#byService.set(service, breaker);
    }
    return breaker;
  }

  #make(service: string): Breaker {
    const { metrics } = this.#worker;
    const Opossum = opossum as typeof CircuitBreaker;
    const breaker: Breaker = new Opossum(fire, {
      ...this.settings,
      name: service,
      // Calls have deadlines of their own.
      timeout: false,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      errorFilter: isOurs,
    });
    breaker.on('open', () => metrics.count('external_breakers', `${service}\nopen`));
    breaker.on('halfOpen', () => metrics.count('external_breakers', `${service}\nhalf_open`));
    breaker.on('close', () => metrics.count('external_breakers', `${service}\nclosed`));
    return breaker;
  }

  #forget(service: string): void {
    this.#byService.get(service)?.shutdown();
    this.#byService.delete(service);
  }
}

/** What a rejected call failed of, in our words where the breaker speaks. */
export function failureOf(error: unknown): CallFailure {
  if (error instanceof CallFailure) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EOPENBREAKER' || code === 'ESHUTDOWN')
    return new CallFailure('breaker_open', 'most of the latest calls failed: the service is asked again in a moment');
  return new CallFailure('failed', message);
}

function fire(call: Call): Promise<unknown> {
  return call.run();
}

/** What ended here says nothing about the service. */
function isOurs(error: unknown): boolean {
  return error instanceof CallFailure && (error.reason === 'aborted' || error.reason === 'overflow');
}
