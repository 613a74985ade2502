// Message heads without bytes: what tests of matching and policies hand to the code in place of a codec's.

import type { FilterContext } from '../../policies/policy.ts';
import type { Fields, RequestHead, ResponseHead } from '../../routing/request.ts';
import { peerOf } from './peer.ts';

type Line = readonly [name: string, value: string];

class ListFields implements Fields {
  #lines: Line[];

  constructor(lines: readonly Line[]) {
    this.#lines = [...lines];
  }

  has(name: string): boolean {
    return this.#lines.some(([other]) => other.toLowerCase() === name);
  }

  get(name: string): string | undefined {
    const values = this.values(name);
    return values.length === 0 ? undefined : values.join(',');
  }

  values(name: string): readonly string[] {
    return this.#lines.filter(([other]) => other.toLowerCase() === name).map(([, value]) => value);
  }

  set(name: string, value: string): void {
    this.remove(name);
    this.append(name, value);
  }

  append(name: string, value: string): void {
    this.#lines.push([name, value]);
  }

  remove(name: string): void {
    this.#lines = this.#lines.filter(([other]) => other.toLowerCase() !== name);
  }

  removeAlike(name: string): void {
    this.#lines = this.#lines.filter(([other]) => other.toLowerCase().replace(/[_.]/g, '-') !== name);
  }

  entries(): readonly Line[] {
    return this.#lines;
  }
}

function fields(lines: readonly Line[]): Fields {
  return new ListFields(lines);
}

export function requestHead(
  given: Partial<Omit<RequestHead, 'fields'>> & { readonly headers?: readonly Line[] },
): RequestHead {
  const { headers = [], ...rest } = given;
  const defaults = { method: 'GET', scheme: 'http', authority: 'shop.test', host: 'shop.test', port: 0 } as const;
  const target = { path: '/', query: '', forwardPath: null, forwardQuery: null, forwardAuthority: null };
  return { ...defaults, ...target, fields: fields(headers), ...rest };
}

export function responseHead(status: number, headers: readonly Line[]): ResponseHead {
  return { status, fields: fields(headers) };
}

export function filterContext(
  head: RequestHead,
  given: Partial<Pick<FilterContext, 'listenerPort' | 'matchedPrefix'>> = {},
): FilterContext {
  return { head, peer: peerOf(), listenerPort: 80, matchedPrefix: null, ...given };
}
