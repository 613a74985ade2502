// Istio's string match: exact, `prefix*`, `*suffix`, and `*` for whatever is not empty; a star elsewhere is a star.

/** More exact values than this are looked up instead of compared. */
const FEW = 4;
const NONE: ReadonlySet<string> = new Set();

export class StringMatch {
  /** Every text that is not empty matches. */
  readonly isAny: boolean;
  readonly #few: readonly string[];
  readonly #many: ReadonlySet<string>;
  readonly #prefixes: readonly string[];
  readonly #suffixes: readonly string[];

  constructor(patterns: readonly string[]) {
    const exact = patterns.filter((pattern) => !isPrefix(pattern) && !isSuffix(pattern));
    this.isAny = patterns.includes('*');
    this.#few = exact.length > FEW ? [] : exact;
    this.#many = exact.length > FEW ? new Set(exact) : NONE;
    this.#prefixes = patterns.filter(isPrefix).map((pattern) => pattern.slice(0, -1));
    this.#suffixes = patterns.filter(isSuffix).map((pattern) => pattern.slice(1));
  }

  matches(text: string): boolean {
    if (this.isAny && text !== '') return true;
    for (const exact of this.#few) if (text === exact) return true;
    if (this.#many !== NONE && this.#many.has(text)) return true;
    for (const prefix of this.#prefixes) if (text.startsWith(prefix)) return true;
    for (const suffix of this.#suffixes) if (text.endsWith(suffix)) return true;
    return false;
  }
}

/** A star at the beginning comes first: `*a*` is the suffix `a*`. */
function isSuffix(pattern: string): boolean {
  return pattern.length > 1 && pattern.startsWith('*');
}

export function isPrefix(pattern: string): boolean {
  return pattern.length > 1 && pattern.endsWith('*') && !pattern.startsWith('*');
}

/** Only one text matches. */
export function isExact(pattern: string): boolean {
  return !pattern.startsWith('*') && !pattern.endsWith('*');
}

/** Stars mean anything wherever they stand. */
export class GlobMatch {
  readonly #plain: StringMatch;
  readonly #globs: readonly (readonly string[])[];

  constructor(patterns: readonly string[]) {
    this.#plain = new StringMatch(patterns.filter((pattern) => !hasInnerStar(pattern)));
    this.#globs = patterns.filter(hasInnerStar).map((pattern) => pattern.split('*'));
  }

  matches(text: string): boolean {
    if (this.#plain.matches(text)) return true;
    for (const parts of this.#globs) if (isMadeOf(text, parts)) return true;
    return false;
  }
}

function hasInnerStar(pattern: string): boolean {
  return /^\*.*\*|[^*]\*[^*]/.test(pattern);
}

/** The parts in their order, the first at the beginning and the last at the end: the leftmost find of each is enough. */
function isMadeOf(text: string, parts: readonly string[]): boolean {
  const first = parts[0] as string;
  const last = parts[parts.length - 1] as string;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
