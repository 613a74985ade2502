// How an exchange ends: once, in the access log and the metrics, and with its connection ready for the next.

import type { Failure } from './errors.ts';
import type { Exchange } from './exchange.ts';

/** The answer is complete. */
export function finish(x: Exchange, now: number = performance.now()): void {
  if (x.done) return;
  close(x, now);
  x.downstream.finished(x.endedAt);
}

/** The answer can not be completed: the caller cuts the connection, or it is gone already. */
export function abort(x: Exchange, failure: Failure, detail: string): void {
  if (x.done) return;
  x.cancelAttempt();
  x.flag = failure.flag;
  x.reason = failure.reason;
  x.detail = detail;
  close(x, performance.now());
  x.downstream.exchange = null;
}

function close(x: Exchange, now: number): void {
  x.done = true;
  x.endedAt = now;
  if (x.pause !== null || x.waiting !== null) x.cancelAttempt();
  x.admittedBy?.circuit.release('requests');
  x.body?.release();
  x.worker.metrics.requestDone(x);
  x.worker.log.record(x);
}
