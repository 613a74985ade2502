// Answers the waypoint gives itself, from a failure or from a filter, through the same response filters as any other.

import { applyResponseFilters } from '../policies/index.ts';
import type { LocalReply } from '../policies/policy.ts';
import type { Failure } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { finish } from './finish.ts';
import type { ParseFailure } from './http1/limits.ts';
import { ResponseParser } from './http1/response-parser.ts';
import { reasonPhrase } from './reason-phrases.ts';

/** The exchange failed before an answer began. `detail` is for the log: what was tried, on what, and the next step. */
export function replyFailure(x: Exchange, failure: Failure, detail: string): void {
  x.flag = failure.flag;
  x.detail = detail;
  send(x, failure.status, failure.reason, [], failure.body);
}

/** A filter answered in place of a backend. */
export function replyLocal(x: Exchange, reply: LocalReply): void {
  send(x, reply.status, reply.reason, reply.headers, reply.body);
}

/** The request can not be understood: the connection ends here, nothing was forwarded. */
export function refuse(x: Exchange, failure: ParseFailure): void {
  x.flag = 'DPE';
  x.downstream.closeAfter();
  send(x, failure.status, failure.reason, [], `${failure.reason.replaceAll('_', ' ')}\n`);
}

const NONE: readonly never[] = [];

/** Whoever else answers says what his body is. */
function isContentType([name]: LocalReply['headers'][number]): boolean {
  return name === 'content-type';
}

function send(x: Exchange, status: number, reason: string, headers: LocalReply['headers'], body: string): void {
  if (x.done) return;
  const { downstream } = x;
  if (downstream.unreadTooLong) downstream.closeAfter();
  x.status = status;
  x.reason = reason;
  x.answered = true;
  const bodiless = status === 204 || status === 304;
  let text = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`;
  for (const [name, value] of headers) text += `${name}: ${value}\r\n`;
  for (const [name, value] of x.responseHeaders ?? NONE) text += `${name}: ${value}\r\n`;
  if (!bodiless && body !== '' && !headers.some(isContentType)) text += 'content-type: text/plain; charset=utf-8\r\n';
  if (!bodiless) text += `content-length: ${body.length}\r\n`;
  text += `date: ${new Date().toUTCString()}\r\n`;
  if (x.id !== '') text += `x-request-id: ${x.id}\r\n`;
  const close = downstream.mustClose(x);
  if (close) downstream.closeAfter();
  const connection = close ? 'connection: close\r\n' : x.head.minor === 0 ? 'connection: keep-alive\r\n' : '';
  text = filtered(x, text, connection);
  if (!bodiless && x.head.method !== 'HEAD') {
    text += body;
    x.responseBytes = body.length;
  }
  downstream.write(text);
  finish(x);
}

/** The response filters of the rule and of the backend run on local answers too. */
function filtered(x: Exchange, text: string, connection: string): string {
  const filters = x.plan?.plan.filters ?? [];
  const shareFilters = x.share?.filters ?? [];
  if (filters.length === 0 && shareFilters.length === 0) return `${text}${connection}\r\n`;
  const parser = new ResponseParser(x.worker.responseLimits);
  // HEAD: the fields are wanted, no body follows here.
  parser.reset('HEAD');
  parser.push(Buffer.from(`${text}\r\n`, 'latin1'), 0);
  applyResponseFilters(filters, x, parser.head);
  applyResponseFilters(shareFilters, x, parser.head);
  return parser.head.serialize(connection);
}
