// The contract of a filter: one file per kind decodes its own resource into plain data and decides with it.

import type { Peer, RequestHead, ResponseHead } from '../routing/request.ts';

/** An answer the waypoint gives itself: an expected outcome, a value, never an exception. */
export interface LocalReply {
  readonly status: number;
  /** Why, for the access log and the metrics: `redirect`, `cors_preflight`, `no_route`, ... */
  readonly reason: string;
  /** Fields of the answer beside content-length and date, lower-case names. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** What a filter may know of the exchange; the exchange itself implements it, nothing is built per request. */
export interface FilterContext {
  readonly head: RequestHead;
  readonly peer: Peer;
  /** Port of the listener that was addressed: redirects derive theirs from it. */
  readonly listenerPort: number;
  /** The PathPrefix that matched, null when an exact path or a pattern did: what ReplacePrefixMatch replaces. */
  readonly matchedPrefix: string | null;
}

/** Collects what is wrong with an object; a decoder reports and returns null instead of throwing. */
export interface DecodeReport {
  /** `path` is a JSON path relative to the object, such as `spec.rules[0].filters[1].cors.allowOrigins[0]`. */
  unsupported(path: string, message: string): void;
}

/**
 * One kind of filter. `T` is plain data (structured clone) with a literal `kind`.
 * Both hooks are plain functions over data: no closure is kept per request or per route.
 */
export interface FilterKind<T extends { readonly kind: string }> {
  readonly kind: T['kind'];
  /** The field of the HTTPRoute filter that carries its settings, `requestHeaderModifier`. */
  readonly field: string;
  /** From the validated resource to data; null after at least one report. */
  decode(settings: unknown, path: string, report: DecodeReport): T | null;
  /** Edits the request head, or answers in its place. */
  request?(filter: T, context: FilterContext): LocalReply | null;
  /** Edits the response head; runs on local replies too. */
  response?(filter: T, context: FilterContext, head: ResponseHead): void;
  /** One line for `waypoint explain`: what it does, in the words of the API. */
  describe(filter: T): string;
}
