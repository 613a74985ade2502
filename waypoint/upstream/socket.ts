// The socket of an upstream connection: opened in cleartext or in TLS, read into the one buffer of the worker.

import { connect, Socket } from 'node:net';
import type { Endpoint } from '../../routing/endpoint.ts';
import { READ_BUFFER, readBytes } from '../read-buffer.ts';
import type { BackendTls } from '../tls/backend-tls.ts';

/** Whoever is told what becomes of the socket. */
export interface SocketOwner {
  connected(): void;
  /** Valid during the call only. */
  received(data: Buffer): void;
  ended(): void;
  drained(): void;
  /** null: closed without an error. */
  failed(error: NodeJS.ErrnoException | null): void;
}

interface OwnedSocket extends Socket {
  upstream: SocketOwner;
}

/** What both kinds of sockets are opened with. */
export interface OpenOptions {
  readonly host: string;
  readonly port: number;
  readonly noDelay: boolean;
  readonly allowHalfOpen: boolean;
  readonly onread: { readonly buffer: Buffer; callback(this: Socket, bytes: number): boolean };
}

const ON_READ: OpenOptions['onread'] = {
  buffer: READ_BUFFER,
  callback(this: Socket, bytes: number): boolean {
    (this as OwnedSocket).upstream.received(readBytes(bytes));
    return true;
  },
};

/** `refusal`: why this address must not be dialled; '' when it may. What goes wrong is told later, never thrown. */
export function openSocket(endpoint: Endpoint, secure: BackendTls | null, refusal: string, owner: SocketOwner): Socket {
  const socket = refusal === '' ? dial(endpoint, secure) : stillborn(new Error(refusal));
  (socket as OwnedSocket).upstream = owner;
  socket.on(secure === null ? 'connect' : 'secureConnect', onConnect);
  socket.on('end', onEnd);
  socket.on('drain', onDrain);
  socket.on('error', onError);
  socket.on('close', onClose);
  return socket;
}

function dial(endpoint: Endpoint, secure: BackendTls | null): Socket {
  const { address: host, port } = endpoint;
  const options = { host, port, noDelay: true, allowHalfOpen: true, onread: ON_READ };
  if (secure === null) return connect(options);
  try {
    return secure.connect(endpoint, options);
  } catch (error) {
    return stillborn(error as Error);
  }
}

function stillborn(reason: Error): Socket {
  return new Socket().destroy(reason);
}

// Listeners are module-level functions: nothing is closed over per connection.

function onConnect(this: Socket): void {
  (this as OwnedSocket).upstream.connected();
}

function onEnd(this: Socket): void {
  (this as OwnedSocket).upstream.ended();
}

function onDrain(this: Socket): void {
  (this as OwnedSocket).upstream.drained();
}

function onError(this: Socket, error: NodeJS.ErrnoException): void {
  (this as OwnedSocket).upstream.failed(error);
}

function onClose(this: Socket): void {
  (this as OwnedSocket).upstream.failed(null);
}
