// How a try at an endpoint ended, as far as its health and its load go.

/**
 * `ok`: any answer but 429 and 5xx. `client-gone`: nobody waited for the end, which says nothing about the endpoint.
 * `connect-failure`, `reset` and `timeout` are seen on this side only (local origin), without an answer.
 */
export type Outcome = 'ok' | 'client-gone' | '5xx' | '429' | 'connect-failure' | 'reset' | 'timeout';
