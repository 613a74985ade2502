// Runs something once events have paused, or have gone on for long enough.

const quietMs = 2;
const limitMs = 100;

export class Debounce {
  readonly #run: () => void;
  #timer: NodeJS.Timeout | null = null;
  #first = 0;

  constructor(run: () => void) {
    this.#run = run;
  }

  touch(): void {
    const now = performance.now();
    if (this.#timer === null) this.#first = now;
    else clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#fire(), Math.max(0, Math.min(quietMs, this.#first + limitMs - now)));
  }

  #fire(): void {
    this.#timer = null;
    this.#run();
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
