// RequestHeaderModifier and ResponseHeaderModifier: set, add and remove header fields of a message.

import type { Fields, ResponseHead } from '../routing/request.ts';
import { FIELD_NAME, FIELD_VALUE, framingField } from './field-syntax.ts';
import type { DecodeReport, FilterContext, FilterKind, LocalReply } from './policy.ts';

interface Edits {
  /** Names in lower case; each name occurs once over all three lists. */
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly add: readonly (readonly [name: string, value: string])[];
  readonly remove: readonly string[];
}

export interface RequestHeaderModifier extends Edits {
  readonly kind: 'RequestHeaderModifier';
}

export interface ResponseHeaderModifier extends Edits {
  readonly kind: 'ResponseHeaderModifier';
}

export const requestHeaderModifier: FilterKind<RequestHeaderModifier> = {
  kind: 'RequestHeaderModifier',
  field: 'requestHeaderModifier',
  decode(settings: unknown, path: string, report: DecodeReport): RequestHeaderModifier | null {
    const edits = decodeEdits(settings as HeaderFilterSettings, path, report);
    return edits && { kind: 'RequestHeaderModifier', ...edits };
  },
  request(filter: RequestHeaderModifier, context: FilterContext): LocalReply | null {
    edit(context.head.fields, filter);
    return null;
  },
  describe: describeEdits,
};

export const responseHeaderModifier: FilterKind<ResponseHeaderModifier> = {
  kind: 'ResponseHeaderModifier',
  field: 'responseHeaderModifier',
  decode(settings: unknown, path: string, report: DecodeReport): ResponseHeaderModifier | null {
    const edits = decodeEdits(settings as HeaderFilterSettings, path, report);
    return edits && { kind: 'ResponseHeaderModifier', ...edits };
  },
  response(filter: ResponseHeaderModifier, _context: FilterContext, head: ResponseHead): void {
    edit(head.fields, filter);
  },
  describe: describeEdits,
};

interface HeaderFilterSettings {
  readonly set?: readonly { readonly name: string; readonly value: string }[];
  readonly add?: readonly { readonly name: string; readonly value: string }[];
  readonly remove?: readonly string[];
}

function edit(fields: Fields, edits: Edits): void {
  const { set, add, remove } = edits;
  for (let index = 0; index < set.length; index++) fields.set(set[index]![0], set[index]![1]);
  for (let index = 0; index < add.length; index++) fields.append(add[index]![0], add[index]![1]);
  for (let index = 0; index < remove.length; index++) fields.remove(remove[index]!);
}

function decodeEdits(settings: HeaderFilterSettings, path: string, report: DecodeReport): Edits | null {
  const checks = new Checks(report);
  const set = (settings.set ?? []).map(({ name, value }, index) => checks.line(name, value, `${path}.set[${index}]`));
  const add = (settings.add ?? []).map(({ name, value }, index) => checks.line(name, value, `${path}.add[${index}]`));
  const remove = (settings.remove ?? []).map((name, index) => checks.name(name, `${path}.remove[${index}]`));
  return checks.failed ? null : { set, add, remove };
}

/** One run over a filter's lists: every mistake is reported, not only the first. */
class Checks {
  failed = false;
  readonly #seen = new Set<string>();
  readonly #report: DecodeReport;

  constructor(report: DecodeReport) {
    this.#report = report;
  }

  line(name: string, value: string, path: string): readonly [string, string] {
    // More than a code unit's low byte would be cut to another character on the wire, U+010A to a line feed.
    if (!FIELD_VALUE.test(value)) {
      this.#fail(`${path}.value`, 'a header value is printable US-ASCII, with spaces and tabs inside: no line breaks');
    }
    return [this.name(name, `${path}.name`), value.trim()];
  }

  name(name: string, path: string): string {
    const lower = name.toLowerCase();
    if (!FIELD_NAME.test(lower)) this.#fail(path, `"${name}" is no header name (RFC 9110 section 5.1)`);
    else if (lower === 'host') this.#fail(path, 'host is not edited as a header: use URLRewrite with hostname');
    else if (framingField(lower)) {
      this.#fail(
        path,
        `${name} belongs to one connection and its framing: the waypoint writes it itself, remove it here`,
      );
    } else if (this.#seen.has(lower)) {
      this.#fail(path, `a second action for ${name}: one per header name, whatever its case`);
    }
    this.#seen.add(lower);
    return lower;
  }

  #fail(path: string, message: string): void {
    this.failed = true;
    this.#report.unsupported(path, message);
  }
}

function describeEdits(filter: RequestHeaderModifier | ResponseHeaderModifier): string {
  const parts = [
    ...filter.set.map(([name, value]) => `set ${name}: ${value}`),
    ...filter.add.map(([name, value]) => `add ${name}: ${value}`),
    ...filter.remove.map((name) => `remove ${name}`),
  ];
  return `${filter.kind}: ${parts.join(', ') || 'nothing'}`;
}
