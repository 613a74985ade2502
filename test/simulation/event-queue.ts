// What is going to happen, earliest first (a binary heap).

interface Timed {
  readonly at: number;
}

export class EventQueue<T extends Timed> {
  readonly #heap: T[] = [];

  get next(): number {
    return this.#heap[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  add(event: T): void {
    const heap = this.#heap;
    let place = heap.length;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (heap[parent]!.at <= event.at) break;
      heap[place] = heap[parent]!;
      place = parent;
    }
    heap[place] = event;
  }

  take(): T {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child += 1;
      if (child >= heap.length || heap[child]!.at >= last.at) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = last;
    return first;
  }
}
