// Rings at a moment of the wall clock that may be years away, and that the clock may be set past.

/** No timer of Node runs longer than 24 days, and a clock that was set is noticed within this time. */
const LOOK_MS = 60_000;

export class Alarm {
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | null = null;
  #at = 0;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /** Rings once at this time, in ms since the epoch, instead of at the one before; null: never. */
  set(at: number | null): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (at === null) return;
    this.#at = at;
    this.#wait();
  }

  close(): void {
    this.set(null);
  }

  #wait(): void {
    const leftMs = Math.max(1, this.#at - Date.now());
    this.#timer = setTimeout(() => this.#look(), Math.min(leftMs, LOOK_MS)).unref();
  }

  #look(): void {
    if (Date.now() < this.#at) {
      this.#wait();
      return;
    }
    this.#timer = null;
    this.#ring();
  }
}
