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

const NOBODY: SocketOwner = {
  connected: () => {},
  received: () => {},
  ended: () => {},
  drained: () => {},
  failed: () => {},
};

interface OwnedSocket extends Socket {
  upstream: SocketOwner;
}

interface ReadInto {
  readonly buffer: Buffer;
  callback(this: Socket, bytes: number): boolean;
}

const ON_READ: ReadInto = {
  buffer: READ_BUFFER,
  callback(this: Socket, bytes: number): boolean {
    (this as OwnedSocket).upstream.received(readBytes(bytes));
    return true;
  },
};

/** Missing in the types of `tls.connect`, which takes it where it opens the socket itself. */
const ONREAD: object = { onread: ON_READ };

export interface Opening {
  readonly endpoint: Endpoint;
  /** null: cleartext. */
  readonly secure: BackendTls | null;
  /** Why this address must not be dialled; '' when it may. */
  readonly refusal: string;
  /** Bytes that come before everything, also before TLS; null: none. */
  readonly first: Buffer | null;
}

/** What goes wrong is told later, never thrown. */
export function openSocket(opening: Opening, owner: SocketOwner): Socket {
  const { secure, refusal } = opening;
  const socket = refusal === '' ? dial(opening) : stillborn(new Error(refusal));
  (socket as OwnedSocket).upstream = owner;
  socket.on(secure === null ? 'connect' : 'secureConnect', onConnect);
  socket.on('end', onEnd);
  socket.on('drain', onDrain);
  socket.on('error', onError);
  socket.on('close', onClose);
  return socket;
}

function dial({ endpoint, secure, first }: Opening): Socket {
  const { address: host, port } = endpoint;
  const options = { host, port, noDelay: true, allowHalfOpen: true };
  try {
    if (secure === null) {
      const socket = connect({ ...options, onread: ON_READ });
      if (first !== null) socket.write(first);
      return socket;
    }
    if (first === null) return secure.connect(endpoint, { ...options, ...ONREAD });
    // What is read of a socket within a socket comes by events.
    const raw = connect(options);
    raw.write(first);
    return secure.connect(endpoint, { socket: raw }).on('data', onData);
  } catch (error) {
    return stillborn(error as Error);
  }
}

/** Nobody is told what becomes of it any more. */
export function forsake(socket: Socket): void {
  (socket as OwnedSocket).upstream = NOBODY;
  socket.destroy();
}

function stillborn(reason: Error): Socket {
  return new Socket().destroy(reason);
}

// Listeners are module-level functions: nothing is closed over per connection.

function onConnect(this: Socket): void {
  (this as OwnedSocket).upstream.connected();
}

function onData(this: Socket, data: Buffer): void {
  (this as OwnedSocket).upstream.received(data);
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
