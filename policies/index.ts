// The one list of filter kinds: a new policy is one file beside this one and one line in each table here.

import type { ResponseHead } from '../routing/request.ts';
import { type CorsFilter, cors } from './cors.ts';
import { type ExternalAuthFilter, externalAuth } from './external-auth.ts';
import {
  type RequestHeaderModifier,
  type ResponseHeaderModifier,
  requestHeaderModifier,
  responseHeaderModifier,
} from './header-modifier.ts';
import { type DecodedMirror, decodeMirror } from './mirror.ts';
import type { PlanFailure } from './plan.ts';
import type { DecodeReport, FilterContext, FilterKind, LocalReply } from './policy.ts';
import { type RequestRedirect, requestRedirect } from './redirect.ts';
import { type UrlRewrite, urlRewrite } from './url-rewrite.ts';

export type Filter =
  | RequestHeaderModifier
  | ResponseHeaderModifier
  | RequestRedirect
  | UrlRewrite
  | CorsFilter
  | ExternalAuthFilter;

/** By the filter's `type` in the resource, which is its `kind` in the plan. */
export const FILTER_KINDS: ReadonlyMap<string, FilterKind<Filter>> = new Map<string, FilterKind<Filter>>(
  [requestHeaderModifier, responseHeaderModifier, requestRedirect, urlRewrite, cors, externalAuth].map((kind) => [
    kind.kind,
    kind,
  ]),
);

/** One filter that cannot be honoured: the rule, or the backend's share, answers 500 with this as its PlanFailure. */
interface UnsupportedFilter extends PlanFailure {
  /** JSON path of the filter or of the offending field. */
  readonly path: string;
}

export interface DecodedFilters {
  /** In listed order; the shared empty array when none. */
  readonly filters: readonly Filter[];
  /** Their backendRefs are left for the translator to resolve. */
  readonly mirrors: readonly DecodedMirror[];
  /** The filter that asks an outside service, whose backendRef is left for the translator to resolve too; null: none. */
  readonly externalAuth: DecodedExternalAuth | null;
  /** `unsupported[0] ?? null` is the PlanFailure of what carries these filters. */
  readonly unsupported: readonly UnsupportedFilter[];
}

/** The one ExternalAuth filter of a list. */
interface DecodedExternalAuth {
  /** Its place in `filters`. */
  readonly index: number;
  /** As written, of the resource's BackendObjectReference. */
  readonly backendRef: unknown;
  /** JSON path of the backendRef. */
  readonly path: string;
}

const NONE: DecodedFilters = { filters: [], mirrors: [], externalAuth: null, unsupported: [] };

/** A filter as written: `type`, and one settings field named by it. */
interface RawFilter {
  readonly type: string;
  readonly [field: string]: unknown;
}

/**
 * The filters of a rule or of a backendRef. Everything wrong is reported (once, at `path`) and listed in `unsupported`:
 * a filter is never skipped in silence.
 */
export function decodeFilters(
  raw: readonly RawFilter[] | undefined,
  path: string,
  report: DecodeReport,
): DecodedFilters {
  if (raw === undefined || raw.length === 0) return NONE;
  const filters: Filter[] = [];
  const mirrors: DecodedMirror[] = [];
  const recorder = new Recorder(report);
  let asked: DecodedExternalAuth | null = null;
  for (const [index, filter] of raw.entries()) {
    const at = `${path}[${index}]`;
    if (filter.type === 'RequestMirror') {
      const mirror = decodeMirror(filter['requestMirror'], `${at}.requestMirror`, recorder, filters.length);
      if (mirror !== null) mirrors.push(mirror);
      continue;
    }
    const kind = FILTER_KINDS.get(filter.type);
    if (kind === undefined) {
      recorder.unsupported(
        `${at}.type`,
        `filter type ${filter.type} is not supported here: remove it, or requests get 500`,
      );
      continue;
    }
    const decoded = decodeOne(kind, filter, at, recorder);
    if (decoded === null || !compatible(decoded, filters, at, recorder)) continue;
    if (decoded.kind === 'ExternalAuth') {
      const { backendRef } = filter[kind.field] as { readonly backendRef: unknown };
      asked = { index: filters.length, backendRef, path: `${at}.${kind.field}.backendRef` };
    }
    filters.push(decoded);
  }
  const { list: unsupported } = recorder;
  return { filters: filters.length === 0 ? NONE.filters : filters, mirrors, externalAuth: asked, unsupported };
}

/** Runs the request side of one filter; the answer that it gives in place of a backend, or null. */
export function applyRequestFilter(filter: Filter, context: FilterContext): LocalReply | null {
  switch (filter.kind) {
    case 'RequestHeaderModifier':
      return requestHeaderModifier.request!(filter, context);
    case 'RequestRedirect':
      return requestRedirect.request!(filter, context);
    case 'URLRewrite':
      return urlRewrite.request!(filter, context);
    case 'CORS':
      return cors.request!(filter, context);
    case 'ResponseHeaderModifier':
      return null;
    case 'ExternalAuth':
      // Asking takes time: whoever serves a request does it at this filter's place in the list.
      return null;
  }
}

/** Runs the request side in listed order; the first filter that answers ends it. */
export function applyRequestFilters(filters: readonly Filter[], context: FilterContext): LocalReply | null {
  for (let index = 0; index < filters.length; index++) {
    const reply = applyRequestFilter(filters[index]!, context);
    if (reply !== null) return reply;
  }
  return null;
}

/** Runs the response side, on answers of the waypoint itself too. */
export function applyResponseFilters(filters: readonly Filter[], context: FilterContext, head: ResponseHead): void {
  for (let index = 0; index < filters.length; index++) {
    const filter = filters[index]!;
    switch (filter.kind) {
      case 'ResponseHeaderModifier':
        responseHeaderModifier.response!(filter, context, head);
        break;
      case 'CORS':
        cors.response!(filter, context, head);
        break;
    }
  }
}

/** One line for `waypoint explain`. */
export function describeFilter(filter: Filter): string {
  return FILTER_KINDS.get(filter.kind)!.describe(filter);
}

function decodeOne(kind: FilterKind<Filter>, filter: RawFilter, path: string, report: DecodeReport): Filter | null {
  const settings = filter[kind.field];
  if (typeof settings === 'object' && settings !== null) return kind.decode(settings, `${path}.${kind.field}`, report);
  report.unsupported(`${path}.${kind.field}`, `a filter of type ${filter.type} needs its settings in "${kind.field}"`);
  return null;
}

/** At most one filter of each kind, and a request is either redirected or rewritten. */
function compatible(filter: Filter, others: readonly Filter[], path: string, recorder: Recorder): boolean {
  for (const other of others) {
    if (other.kind === filter.kind) {
      recorder.incompatible(path, `a second ${filter.kind} filter: one of each type is allowed, merge them`);
      return false;
    }
    if (excludes(filter, other) || excludes(other, filter)) {
      recorder.incompatible(path, `${filter.kind} and ${other.kind} exclude each other: keep one`);
      return false;
    }
  }
  return true;
}

function excludes(one: Filter, other: Filter): boolean {
  return one.kind === 'RequestRedirect' && other.kind === 'URLRewrite';
}

class Recorder implements DecodeReport {
  readonly list: UnsupportedFilter[] = [];
  readonly #report: DecodeReport;

  constructor(report: DecodeReport) {
    this.#report = report;
  }

  unsupported(path: string, message: string): void {
    this.#add('UnsupportedValue', path, message);
  }

  incompatible(path: string, message: string): void {
    this.#add('IncompatibleFilters', path, message);
  }

  #add(reason: string, path: string, message: string): void {
    this.list.push({ reason, path, message });
    this.#report.unsupported(path, message);
  }
}
