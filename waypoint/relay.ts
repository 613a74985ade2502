// The way back: response head, body and trailers from the endpoint to the client, in as few writes as they came in.

import type { HeaderLine } from '../policies/header-edits.ts';
import { applyResponseFilters } from '../policies/index.ts';
import type { Sessions } from '../policies/session.ts';
import type { ResponseHead } from '../routing/request.ts';
import type { Attempt } from './attempt.ts';
import type { Exchange } from './exchange.ts';
import { finish } from './finish.ts';
import { lastChunk, writeChunk } from './http1/body-writer.ts';
import { CHUNKED, CLOSE, LENGTH } from './http1/framing.ts';
import { ONE_WRITE_BYTES, pass } from './read-buffer.ts';
import type { UpstreamConnection } from './upstream/connection.ts';

/** `100` and `103` go to clients that know them (HTTP/1.1); others are dropped. */
export function relayInterim(x: Exchange, connection: UpstreamConnection): void {
  const { head } = connection.parser;
  const wanted = head.status === 100 ? x.head.expectContinue : head.status === 103;
  if (wanted && x.head.minor === 1) x.downstream.write(head.serialize(''));
}

/** The final head; `rest` came with it. */
export function relayHead(x: Exchange, attempt: Attempt, connection: UpstreamConnection, rest: Buffer): void {
  const { head } = connection.parser;
  const { downstream } = x;
  x.responseAt = connection.readAt;
  x.status = head.status;
  x.answered = true;
  x.body?.release();
  if (x.plan !== null) applyResponseFilters(x.plan.plan.filters, x, head);
  if (x.share !== null) applyResponseFilters(x.share.filters, x, head);
  if (x.responseHeaders !== null) giveHeaders(head, x.responseHeaders);
  if (x.setCookie !== '') head.fields.append('set-cookie', x.setCookie);
  if (x.plan !== null && x.plan.sessions !== null) keepSession(x, x.plan.sessions, head);
  const text = head.serialize(framingLines(x, attempt, head.framing));
  if (head.framing === LENGTH && rest.length === head.contentLength && rest.length <= ONE_WRITE_BYTES) {
    x.responseBytes = rest.length;
    downstream.write(text + rest.toString('latin1'));
    connection.consumed();
    return;
  }
  if (rest.length > 0) {
    downstream.socket.cork();
    process.nextTick(uncork, downstream.socket);
  }
  downstream.write(text);
}

/** What outside services give stands in place of what the endpoint said of the same name. */
function giveHeaders({ fields }: ResponseHead, lines: readonly HeaderLine[]): void {
  for (const [name] of lines) fields.remove(name);
  for (const [name, value] of lines) fields.append(name, value);
}

/** Tells the client of its session, where it is new or would go stale though it is in use. */
function keepSession(x: Exchange, sessions: Sessions, head: ResponseHead): void {
  if (x.backend === null || x.endpoint === null) return;
  const now = Date.now();
  const known = x.session !== null && x.session.endpoint === x.endpoint.id ? x.session : null;
  if (known !== null && !sessions.isDue(known, now)) return;
  const session = { backend: x.backend.id, endpoint: x.endpoint.id, since: known?.since ?? now, used: now };
  const [name, value] = sessions.field(session, now, x.worker.random);
  head.fields.append(name, value);
}

function uncork(socket: { uncork(): void }): void {
  socket.uncork();
}

/** The lines that frame the answer for this client, and tell it whether the connection lives on. */
function framingLines(x: Exchange, attempt: Attempt, framing: number): string {
  const { downstream } = x;
  let lines = '';
  if (framing === CHUNKED || framing === CLOSE) {
    if (x.head.minor === 1) {
      attempt.chunked = true;
      lines = 'transfer-encoding: chunked\r\n';
    } else {
      // HTTP/1.0 knows no chunks: the end of the connection is the end of the body.
      downstream.closeAfter();
    }
  }
  if (downstream.unreadTooLong) downstream.closeAfter();
  if (downstream.mustClose(x)) {
    downstream.closeAfter();
    return `${lines}connection: close\r\n`;
  }
  return x.head.minor === 0 ? `${lines}connection: keep-alive\r\n` : lines;
}

export function relayData(x: Exchange, attempt: Attempt, connection: UpstreamConnection, data: Buffer): void {
  x.responseBytes += data.length;
  const { downstream } = x;
  const flowing = attempt.chunked ? writeChunk(downstream.socket, data) : pass(downstream.socket, data);
  if (flowing) return;
  downstream.blocked();
  connection.socket.pause();
}

export function relayEnd(x: Exchange, attempt: Attempt, trailers: string, now: number): void {
  if (attempt.chunked) x.downstream.write(lastChunk(trailers));
  x.attempt = null;
  finish(x, now);
}
