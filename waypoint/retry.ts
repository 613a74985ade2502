// Whether a failed try may be repeated: never a surprise repetition of a request that may have been acted on.

import { FAILURES, type Failure } from './errors.ts';
import type { Exchange } from './exchange.ts';
import type { UpstreamConnection } from './upstream/connection.ts';

/** RFC 9110 section 9.2.2. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

/**
 * The safe default: one more try, when the request provably never reached the endpoint, or when a connection that had
 * served before was closed before any byte of an answer and the method is idempotent. The body must be whole in memory.
 */
export function mayRetry(x: Exchange, failure: Failure, connection: UpstreamConnection): boolean {
  if (x.tries > 1 || (x.body !== null && !x.body.kept)) return false;
  if (failure === FAILURES.connectFailed || failure === FAILURES.connectTimeout) return true;
  return (
    failure === FAILURES.upstreamReset && connection.reused && !connection.answered && IDEMPOTENT.has(x.head.method)
  );
}
