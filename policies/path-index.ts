// Finds what is filed under a path or under a prefix of it: one walk over the path, however many prefixes there are.

interface Node<T> {
  /** What leads from the parent to here. */
  readonly label: string;
  /** Filed under this very path. */
  readonly exact: T[];
  /** Filed under everything that begins so. */
  readonly prefixed: T[];
  /** By the first character of their labels. */
  readonly children: Map<number, Node<T>>;
}

export interface Filed<T> {
  /** The path or its beginning. */
  readonly text: string;
  readonly how: 'exact' | 'prefix';
  readonly item: T;
}

export class PathIndex<T> {
  readonly #root: Node<T>;

  constructor(filed: readonly Filed<T>[]) {
    this.#root = nodeOf('', filed);
  }

  /** The first for which `accepts` is true; null for none. */
  find<C>(path: string, accepts: (item: T, context: C, path: string) => boolean, context: C): T | null {
    let node = this.#root;
    let at = 0;
    while (true) {
      for (const item of node.prefixed) if (accepts(item, context, path)) return item;
      if (at === path.length) {
        for (const item of node.exact) if (accepts(item, context, path)) return item;
        return null;
      }
      const next = node.children.get(path.charCodeAt(at));
      if (next === undefined || !path.startsWith(next.label, at)) return null;
      at += next.label.length;
      node = next;
    }
  }
}

/** `filed`: those below, their texts without what leads to this node. */
function nodeOf<T>(label: string, filed: readonly Filed<T>[]): Node<T> {
  const here = filed.filter(({ text }) => text === '');
  const below = Map.groupBy(
    filed.filter(({ text }) => text !== ''),
    ({ text }) => text.charCodeAt(0),
  );
  const children = new Map<number, Node<T>>();
  for (const [code, some] of below) {
    const common = commonPrefix(some.map(({ text }) => text));
    const rest = some.map((each) => ({ ...each, text: each.text.slice(common.length) }));
    children.set(code, nodeOf(common, rest));
  }
  return {
    label,
    exact: here.filter(({ how }) => how === 'exact').map(({ item }) => item),
    prefixed: here.filter(({ how }) => how === 'prefix').map(({ item }) => item),
    children,
  };
}

function commonPrefix([first = '', ...others]: readonly string[]): string {
  let length = first.length;
  for (const other of others) {
    let at = 0;
    while (at < length && first.charCodeAt(at) === other.charCodeAt(at)) at += 1;
    length = at;
  }
  return first.slice(0, length);
}
