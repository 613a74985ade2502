// Runs something once events have paused, or have gone on for long enough; at once for what need not be waited for.

const quietMs = 2;
const limitMs = 100;
/** So soon after a run nothing is urgent: what comes in a stream is taken together. */
const restMs = 5;

export class Debounce {
  readonly #run: () => void;
  #timer: NodeJS.Timeout | null = null;
  #immediate: NodeJS.Immediate | null = null;
  #first = 0;
  #ranAt: number = Number.NEGATIVE_INFINITY;

  constructor(run: () => void) {
    this.#run = run;
  }

  touch(): void {
    const now = performance.now();
    if (this.#timer === null) this.#first = now;
    else clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#fire(), Math.max(0, Math.min(quietMs, this.#first + limitMs - now)));
  }

  /** What happened is complete, there is no pause to wait for: runs behind the events of this turn of the loop. */
  hurry(): void {
    if (this.#timer !== null || performance.now() - this.#ranAt < restMs) this.touch();
    else this.#immediate ??= setImmediate(() => this.#fire());
  }

  #fire(): void {
    this.close();
    this.#ranAt = performance.now();
    this.#run();
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    this.#timer = null;
    this.#immediate = null;
  }
}
