// Every time limit of a worker in one binary heap behind a single Node timer: arming costs no object per request.

/** What a timer wakes. */
export interface TimerTarget {
  onTimer(timer: Timer, now: number): void;
}

/** One limit of one connection; made once, armed as often as needed. */
export class Timer {
  readonly target: TimerTarget;
  /** Monotonic ms at which it fires. */
  at = 0;
  /** Place in the heap, -1 when not armed. */
  index = -1;

  constructor(target: TimerTarget) {
    this.target = target;
  }
}

export class Timers {
  readonly #heap: Timer[] = [];
  #handle: NodeJS.Timeout | null = null;
  /** When the Node timer fires; it is left alone when the earliest limit is cancelled, and re-armed when it fires. */
  #wakeAt = Number.POSITIVE_INFINITY;
  readonly #wake = (): void => this.#fire();

  /** Arms or moves a timer. */
  schedule(timer: Timer, at: number): void {
    timer.at = at;
    if (timer.index < 0) {
      timer.index = this.#heap.length;
      this.#heap.push(timer);
    }
    this.#up(timer.index);
    this.#down(timer.index);
    const first = this.#heap[0] as Timer;
    if (first.at < this.#wakeAt) this.#arm(first.at);
  }

  cancel(timer: Timer): void {
    const index = timer.index;
    if (index < 0) return;
    timer.index = -1;
    const last = this.#heap.pop() as Timer;
    if (last === timer) return;
    this.#heap[index] = last;
    last.index = index;
    this.#up(index);
    this.#down(last.index);
  }

  /** Forgets everything; for the end of a worker. */
  close(): void {
    for (const timer of this.#heap) timer.index = -1;
    this.#heap.length = 0;
    if (this.#handle !== null) clearTimeout(this.#handle);
    this.#handle = null;
    this.#wakeAt = Number.POSITIVE_INFINITY;
  }

  #arm(at: number): void {
    if (this.#handle !== null) clearTimeout(this.#handle);
    this.#wakeAt = at;
    // Node truncates to whole ms and may fire up to one early by our clock: round up.
    this.#handle = setTimeout(this.#wake, Math.min(Math.max(1, Math.ceil(at - performance.now())), 0x7fffffff));
    this.#handle.unref();
  }

  #fire(): void {
    this.#handle = null;
    this.#wakeAt = Number.POSITIVE_INFINITY;
    const now = performance.now();
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined) return;
      if (first.at > now) {
        // A target may have armed an earlier one meanwhile; schedule() saw to it then.
        if (first.at < this.#wakeAt) this.#arm(first.at);
        return;
      }
      this.cancel(first);
      first.target.onTimer(first, now);
    }
  }

  #up(from: number): void {
    const heap = this.#heap;
    const timer = heap[from] as Timer;
    let index = from;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex] as Timer;
      if (parent.at <= timer.at) break;
      heap[index] = parent;
      parent.index = index;
      index = parentIndex;
    }
    heap[index] = timer;
    timer.index = index;
  }

  #down(from: number): void {
    const heap = this.#heap;
    const length = heap.length;
    const timer = heap[from] as Timer;
    let index = from;
    for (;;) {
      let childIndex = 2 * index + 1;
      if (childIndex >= length) break;
      const right = heap[childIndex + 1];
      if (right !== undefined && right.at < (heap[childIndex] as Timer).at) childIndex++;
      const child = heap[childIndex] as Timer;
      if (child.at >= timer.at) break;
      heap[index] = child;
      child.index = index;
      index = childIndex;
    }
    heap[index] = timer;
    timer.index = index;
  }
}
