// A client's socket and whoever hears it: the listeners are module-level functions, nothing is closed over per connection.

import type { Socket } from 'node:net';
import { READ_BUFFER, readBytes } from '../read-buffer.ts';

/** Whoever reads a connection: what comes before HTTP first, then the connection itself. */
export interface Reader {
  /** Valid during the call only. */
  received(data: Buffer): void;
  /** The client closed its sending side. */
  ended(): void;
  drained(): void;
  /** The connection is gone. */
  closed(): void;
}

interface ReadSocket extends Socket {
  reader: Reader;
}

/** How accepted sockets read: into the one buffer of the worker. */
export const ON_READ: { readonly buffer: Buffer; callback(this: Socket, bytes: number): boolean } = {
  buffer: READ_BUFFER,
  callback(this: Socket, bytes: number): boolean {
    (this as ReadSocket).reader.received(readBytes(bytes));
    return true;
  },
};

/** The first reader of a socket that was accepted with ON_READ. */
export function attach(socket: Socket, reader: Reader): void {
  (socket as ReadSocket).reader = reader;
  socket.on('end', onEnd);
  socket.on('drain', onDrain);
  socket.on('error', onError);
  socket.on('close', onClose);
}

/** Another reader takes over. */
export function pass(socket: Socket, reader: Reader): void {
  (socket as ReadSocket).reader = reader;
}

function onEnd(this: Socket): void {
  (this as ReadSocket).reader.ended();
}

function onDrain(this: Socket): void {
  (this as ReadSocket).reader.drained();
}

/** A reset is not news: 'close' follows and says all there is to say. */
function onError(): void {}

function onClose(this: Socket): void {
  (this as ReadSocket).reader.closed();
}
