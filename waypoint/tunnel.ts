// After an accepted upgrade: bytes go through as they are, both ways, each side's end and pace passed on to the other.

import { FAILURES } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { abort, finish } from './finish.ts';
import { replyFailure } from './local-reply.ts';
import { pass } from './read-buffer.ts';
import type { UpstreamConnection } from './upstream/connection.ts';

/** Upgrades that are passed on; any other `Upgrade` is removed and the request is served as plain HTTP. */
const ALLOWED: ReadonlySet<string> = new Set(['websocket']);

/** Forgets an upgrade that is not allowed; RFC 9110 section 7.8 lets a server ignore it. */
export function screenUpgrade(x: Exchange): void {
  const { head } = x;
  if (head.upgrade !== null && !ALLOWED.has(head.upgrade)) head.upgrade = null;
}

/** The endpoint answered 101. `rest` came behind its head. */
export function upgraded(x: Exchange, connection: UpstreamConnection, rest: Buffer): void {
  const { head } = connection.parser;
  const { downstream } = x;
  if (x.head.upgrade === null || head.upgrade !== x.head.upgrade) {
    x.cancelAttempt();
    replyFailure(
      x,
      FAILURES.upstreamProtocol,
      `${connection.where}: 101 to a request that did not ask for ${head.upgrade}`,
    );
    return;
  }
  x.status = 101;
  x.answered = true;
  x.responseAt = performance.now();
  downstream.write(head.serialize(`connection: upgrade\r\nupgrade: ${head.upgrade}\r\n`));
  const early = downstream.startTunnel();
  if (early !== null) connection.socket.write(early);
  if (rest.length > 0) tunnelData(x, connection, rest);
}

export function tunnelData(x: Exchange, connection: UpstreamConnection, data: Buffer): void {
  x.responseBytes += data.length;
  const { downstream } = x;
  downstream.touch();
  if (pass(downstream.socket, data)) return;
  downstream.blocked();
  connection.socket.pause();
}

/** The endpoint will send nothing more. */
export function tunnelEnd(x: Exchange): void {
  x.downstream.socket.end();
}

/** The connection to the endpoint is gone: properly when `detail` is empty. */
export function tunnelClosed(x: Exchange, detail: string): void {
  const { downstream } = x;
  if (detail === '') {
    finish(x);
    return;
  }
  abort(x, FAILURES.upstreamReset, detail);
  downstream.destroy();
}
