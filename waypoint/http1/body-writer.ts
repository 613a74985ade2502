// Puts the chunked framing onto a body.

import type { Writable } from 'node:stream';
import { pass } from '../read-buffer.ts';

/** A copy of `data` as one chunk, in one system call; the socket's answer: false asks for patience. An empty one is no chunk: it would be the last. */
export function writeChunk(socket: Writable, data: Buffer): boolean {
  if (data.length === 0) return !socket.writableNeedDrain;
  socket.cork();
  socket.write(`${data.length.toString(16)}\r\n`, 'latin1');
  pass(socket, data);
  const ready = socket.write('\r\n', 'latin1');
  socket.uncork();
  return ready;
}

/** The end of a chunked body; `trailers` is lines, each ending in CRLF. */
export function lastChunk(trailers: string): string {
  return `0\r\n${trailers}\r\n`;
}
