// What a route match asks of a request head, as data; table.ts compiles and evaluates it.

export interface PathMatch {
  readonly type: 'Exact' | 'PathPrefix' | 'RegularExpression';
  /** PathPrefix: without the trailing '/' (but '/' itself). */
  readonly value: string;
}

export interface ValueMatch {
  /** Header names are lower-case; query names as written (case-sensitive). */
  readonly name: string;
  readonly type: 'Exact' | 'RegularExpression';
  readonly value: string;
}

export interface RouteMatch {
  readonly path: PathMatch;
  /** null: any method. GET does not imply HEAD. */
  readonly method: string | null;
  readonly headers: readonly ValueMatch[];
  readonly query: readonly ValueMatch[];
}
