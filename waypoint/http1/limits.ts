// How much head a peer may send, and what a parser answers to a push.

/** Exact: a head of `headBytes` (start line to the empty line, both included) is accepted, one byte more is not. */
export interface HeadLimits {
  readonly headBytes: number;
  readonly fields: number;
  /** Of the request-target; unused for responses. */
  readonly targetBytes: number;
}

export const REQUEST_LIMITS: HeadLimits = { headBytes: 61_440, fields: 100, targetBytes: 8192 };
export const RESPONSE_LIMITS: HeadLimits = { headBytes: 61_440, fields: 200, targetBytes: 0 };

/** The message is not complete; everything pushed was taken in. */
export const MORE = -1;
/** `failure` says why; the connection can't be read any further. */
export const FAILED = -2;

/** Why a message was refused. `reason` is one of a bounded set of snake_case words, for logs and metrics. */
export interface ParseFailure {
  readonly status: number;
  readonly reason: string;
}
