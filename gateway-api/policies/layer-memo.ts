// Remembers what follows from a list of layers: thousands of rules have the same few, and share one object then.

import type { Layer } from './targets.ts';

interface Node<T> {
  value: T | null;
  readonly next: WeakMap<Layer, Node<T>>;
}

/** Forgets with the layers themselves. */
export class LayerMemo<T> {
  readonly #root: Node<T> = { value: null, next: new WeakMap() };

  /** `make`: pure, of the layers alone. */
  get(layers: readonly Layer[], make: () => T): T {
    let node = this.#root;
    for (const layer of layers) {
      let next = node.next.get(layer);
      if (next === undefined) {
        next = { value: null, next: new WeakMap() };
        node.next.set(layer, next);
      }
      node = next;
    }
    node.value ??= make();
    return node.value;
  }
}
