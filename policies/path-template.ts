// Path templates of Istio (Envoy's URI templates): `{*}` is one segment, `{**}` the rest.

const ONE = '{*}';
const REST = '{**}';

/** Other paths are strings to match. */
export function isTemplate(path: string): boolean {
  return path.includes(ONE) || path.includes(REST);
}

/** What is wrong with the template, in words that follow its path; null: nothing. */
export function templateProblem(template: string): string | null {
  if (!template.startsWith('/')) return 'must begin with /';
  const segments = template.slice(1).split('/');
  const odd = segments.find((segment) => segment !== ONE && segment !== REST && /[{}*]/.test(segment));
  if (odd !== undefined) return `"${odd}" is no segment of a template: write {*} or {**} alone, or no braces and stars`;
  const rest = segments.indexOf(REST);
  if (rest !== -1 && segments.slice(rest + 1).some((segment) => segment === ONE || segment === REST)) {
    return `${REST} must be the last operator`;
  }
  return null;
}

// Of the segment that was looked at last: thousands of templates may ask about the same one of the same path.
const known: { path: string; start: number; end: number } = { path: '', start: -1, end: 0 };

/** Where the segment ends that begins at `start`. */
function segmentEnd(path: string, start: number): number {
  if (start !== known.start || path !== known.path) {
    const slash = path.indexOf('/', start);
    known.path = path;
    known.start = start;
    known.end = slash === -1 ? path.length : slash;
  }
  return known.end;
}

/** Compiled from a template without problems. */
export class PathTemplate {
  /** What stands between the segments that are one: `/a/{*}/b` is `/a/`, `/b`. */
  readonly #literals: readonly string[];
  /** What follows `{**}`; null: there is none. */
  readonly #tail: string | null;

  constructor(template: string) {
    const rest = template.indexOf(REST);
    this.#literals = (rest === -1 ? template : template.slice(0, rest)).split(ONE);
    this.#tail = rest === -1 ? null : template.slice(rest + REST.length);
  }

  /** Every path that matches begins with it. */
  get prefix(): string {
    return this.#literals[0] as string;
  }

  matches(path: string): boolean {
    const literals = this.#literals;
    // It must end like the template, too: told at once, however much stands before.
    if (!path.endsWith(this.#tail ?? (literals[literals.length - 1] as string))) return false;
    let at = 0;
    for (let index = 0; index < literals.length; index += 1) {
      if (index > 0) {
        const start = at;
        at = segmentEnd(path, start);
        if (at === start) return false;
      }
      const literal = literals[index] as string;
      if (!path.startsWith(literal, at)) return false;
      at += literal.length;
    }
    if (this.#tail === null) return at === path.length;
    return path.length - at >= this.#tail.length && path.endsWith(this.#tail);
  }
}
