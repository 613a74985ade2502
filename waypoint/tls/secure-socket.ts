// The server side of TLS on an accepted socket, which reads into the one buffer of the worker like any other.

import type { Socket } from 'node:net';
import type { TLSSocket, TLSSocketOptions } from 'node:tls';
import { ON_READ } from '../downstream/socket.ts';

/** What TLSSocket keeps to itself: how it comes by what is underneath. */
type Wrap = (wrap: Socket | null, handle: unknown, isWriting: boolean) => unknown;
type SecureSocketClass = new (socket: undefined, options: object) => TLSSocket;

interface Underneath {
  readonly _tlsOptions: { readonly underneath: Socket & { readonly _handle: unknown } };
}

let known: SecureSocketClass | null = null;

/**
 * `onread` is public where a TLSSocket opens its own socket, not where it is given one; so it is told that it opens
 * one, and handed the accepted one when it asks for its handle.
 */
export function secureSocket(raw: Socket, options: TLSSocketOptions): TLSSocket {
  known ??= makeClass();
  const socket = new known(undefined, { ...options, underneath: raw, onread: ON_READ, allowHalfOpen: true });
  (socket as { connecting: boolean }).connecting = false;
  // Told to the socket above as well, which is the one that is listened to.
  raw.on('error', ignore);
  return socket;
}

function ignore(): void {}

function makeClass(): SecureSocketClass {
  const { TLSSocket } = process.getBuiltinModule('node:tls') as unknown as { TLSSocket: SecureSocketClass };
  const wrap = (TLSSocket.prototype as { _wrapHandle: Wrap })._wrapHandle;
  class SecureSocket extends TLSSocket {}
  (SecureSocket.prototype as unknown as { _wrapHandle: Wrap })._wrapHandle = function (this: Underneath): unknown {
    const { underneath } = this._tlsOptions;
    return Reflect.apply(wrap, this, [underneath, underneath._handle, false]);
  };
  return SecureSocket;
}
