// What looks like a writer's half-way state (cut short, emptied, gone) is only believed once it has stayed the same for a while.

const stableMs = 150;
const togetherMs = 50;

interface Doubt {
  readonly state: string;
  readonly since: number;
}

export class Settling {
  readonly #doubts = new Map<string, Doubt>();
  readonly #onDue: (paths: readonly string[]) => void;
  #timer: NodeJS.Timeout | null = null;

  /** `onDue` is called with the paths whose state should be looked at again. */
  constructor(onDue: (paths: readonly string[]) => void) {
    this.#onDue = onDue;
  }

  /** True when this state of the path was the same for long enough; otherwise it is looked at again later. */
  isStable(path: string, state: string, now: number): boolean {
    const doubt = this.#doubts.get(path);
    if (doubt !== undefined && doubt.state === state) {
      // Timers may fire a fraction of a millisecond early.
      if (now - doubt.since >= stableMs - 1) {
        this.#doubts.delete(path);
        return true;
      }
    } else {
      this.#doubts.set(path, { state, since: now });
    }
    this.#schedule(now);
    return false;
  }

  /** The path is in a state that needs no doubt. */
  forget(path: string): void {
    this.#doubts.delete(path);
  }

  #schedule(now: number): void {
    if (this.#timer !== null) return;
    const times = [...this.#doubts.values()].map((doubt) => doubt.since);
    const first = Math.min(...times);
    // What happened together is believed together: a file that was renamed goes and comes in one step.
    const last = Math.max(...times.filter((since) => since - first <= togetherMs));
    this.#timer = setTimeout(() => this.#look(), Math.max(1, last + stableMs - now));
  }

  #look(): void {
    this.#timer = null;
    const now = performance.now();
    const due = [...this.#doubts].filter(([, doubt]) => now - doubt.since >= stableMs - 1).map(([path]) => path);
    if (due.length > 0) this.#onDue(due);
    if (this.#doubts.size > 0) this.#schedule(performance.now());
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#doubts.clear();
  }
}
