// Conditions of an AuthorizationPolicy about the host and the path that a request is for.

import type { AccessCondition } from './access-test.ts';
import type { AccessContext, AccessTest } from './authorization.ts';
import { isTemplate, PathTemplate } from './path-template.ts';
import { StringMatch } from './string-match.ts';

/**
 * Hosts are compared in lower case, without a trailing dot. A value without a port means the host on any port; one with
 * a port means what the client wrote.
 */
export class HostTest implements AccessCondition {
  readonly #values: StringMatch | null;
  readonly #notValues: StringMatch | null;
  /** Some value has a port. */
  readonly #asksPort: boolean;

  constructor({ values, notValues }: AccessTest) {
    this.#values = values.length === 0 ? null : new StringMatch(values.map(hostPattern));
    this.#notValues = notValues.length === 0 ? null : new StringMatch(notValues.map(hostPattern));
    this.#asksPort = [...values, ...notValues].some((value) => value.includes(':'));
  }

  holds({ head: { host, port } }: AccessContext): boolean {
    const authority = this.#asksPort && port !== 0 ? `${host}:${port}` : host;
    if (this.#values !== null && !matchesEither(this.#values, host, authority)) return false;
    return this.#notValues === null || !matchesEither(this.#notValues, host, authority);
  }
}

function matchesEither(match: StringMatch, host: string, authority: string): boolean {
  return match.matches(host) || (authority !== host && match.matches(authority));
}

/** A value as it is compared. */
export function hostPattern(value: string): string {
  const lower = value.toLowerCase();
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}

export class PathTest implements AccessCondition {
  readonly #values: PathMatch | null;
  readonly #notValues: PathMatch | null;

  constructor({ values, notValues }: AccessTest) {
    this.#values = values.length === 0 ? null : new PathMatch(values);
    this.#notValues = notValues.length === 0 ? null : new PathMatch(notValues);
  }

  holds(_: AccessContext, path: string): boolean {
    if (this.#values !== null && !this.#values.matches(path)) return false;
    return this.#notValues === null || !this.#notValues.matches(path);
  }
}

class PathMatch {
  readonly #strings: StringMatch;
  readonly #templates: readonly PathTemplate[];

  constructor(values: readonly string[]) {
    this.#strings = new StringMatch(values.filter((value) => !isTemplate(value)));
    this.#templates = values.filter(isTemplate).map((value) => new PathTemplate(value));
  }

  matches(path: string): boolean {
    if (this.#strings.matches(path)) return true;
    for (const template of this.#templates) if (template.matches(path)) return true;
    return false;
  }
}
