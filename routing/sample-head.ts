// Request heads made of plain values, for the tests of this room.

import type { RouteMatch } from './condition.ts';
import { parseAuthority } from './host.ts';
import type { Fields, RequestHead } from './request.ts';

export interface HeadSample {
  readonly method?: string;
  readonly host?: string;
  readonly path?: string;
  readonly query?: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
}

export function sampleHead(sample: HeadSample): RequestHead {
  const authority = sample.host ?? '';
  return {
    method: sample.method ?? 'GET',
    scheme: 'http',
    authority,
    host: parseAuthority(authority)?.host ?? '',
    port: parseAuthority(authority)?.port ?? 0,
    path: sample.path ?? '/',
    query: sample.query ?? '',
    fields: new SampleFields(sample.headers ?? []),
    forwardPath: null,
    forwardQuery: null,
    forwardAuthority: null,
  };
}

/** Path as `=/exact`, `/prefix` or `~pattern`; named values as `['name', 'value']` or `['name', '~pattern']`. */
export function sampleMatch(
  path: string,
  method: string | null = null,
  headers: readonly (readonly [string, string])[] = [],
  query: readonly (readonly [string, string])[] = [],
): RouteMatch {
  const sign = path.charAt(0);
  const type = sign === '=' ? 'Exact' : sign === '~' ? 'RegularExpression' : 'PathPrefix';
  const value = sign === '/' ? path : path.slice(1);
  return { path: { type, value }, method, headers: headers.map(named), query: query.map(named) };
}

function named([name, value]: readonly [string, string]): RouteMatch['headers'][number] {
  return value.startsWith('~')
    ? { name, type: 'RegularExpression', value: value.slice(1) }
    : { name, type: 'Exact', value };
}

class SampleFields implements Fields {
  private readonly lines: (readonly [string, string])[];

  constructor(lines: readonly (readonly [string, string])[]) {
    this.lines = [...lines];
  }

  has(name: string): boolean {
    return this.values(name).length > 0;
  }

  get(name: string): string | undefined {
    const values = this.values(name);
    return values.length === 0 ? undefined : values.join(',');
  }

  values(name: string): readonly string[] {
    return this.lines.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
  }

  set(name: string, value: string): void {
    this.remove(name);
    this.append(name, value);
  }

  append(name: string, value: string): void {
    this.lines.push([name, value]);
  }

  remove(name: string): void {
    for (let at = this.lines.length - 1; at >= 0; at -= 1) {
      if (this.lines[at]?.[0].toLowerCase() === name) this.lines.splice(at, 1);
    }
  }

  removeAlike(name: string): void {
    for (let at = this.lines.length - 1; at >= 0; at -= 1) {
      if (this.lines[at]?.[0].toLowerCase().replace(/[_.]/g, '-') === name) this.lines.splice(at, 1);
    }
  }

  entries(): readonly (readonly [name: string, value: string])[] {
    return this.lines;
  }
}
