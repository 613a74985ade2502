// The one buffer into which every connection of a worker reads, and the slabs on which large pieces travel on: no
// allocation per read, none held by idle connections, and no garbage for large bodies.

import type { Writable } from 'node:stream';

/**
 * Reads are synchronous: the kernel fills the buffer, the connection is told, and when it returns the buffer is free for
 * the next. So whatever must outlive the call is copied (`kept`), also what is written to a socket (`pass`): a write that
 * the kernel does not take at once refers to its bytes until it does.
 */
export const READ_BUFFER: Buffer = Buffer.allocUnsafeSlow(262_144);

/** A body that came with its head and is this small leaves in the same write. */
export const ONE_WRITE_BYTES = 16_384;

/** Heads are small and much alike: the views on short reads are made once. */
const views: Buffer[] = [];
const MAX_VIEW = 4096;

/** The first `bytes` of READ_BUFFER. */
export function readBytes(bytes: number): Buffer {
  if (bytes > MAX_VIEW) return READ_BUFFER.subarray(0, bytes);
  let view = views[bytes];
  if (view === undefined) {
    view = READ_BUFFER.subarray(0, bytes);
    views[bytes] = view;
  }
  return view;
}

/** The bytes of one read, on their own. */
export function kept(data: Buffer): Buffer {
  return Buffer.from(data);
}

/** A piece this small is cheaper to allocate than to borrow a slab for. */
const SMALL = 4096;
/** Slabs that wait for work; more than these are left to the garbage collector. */
const MAX_FREE = 32;

class Slab {
  readonly bytes: Buffer = Buffer.allocUnsafeSlow(READ_BUFFER.length);
  /** Given to each write of this slab: made once. */
  readonly release = (): void => {
    if (free.length < MAX_FREE) free.push(this);
  };
}

const free: Slab[] = [];

/** Writes a copy of `data`; the socket's answer: false asks for patience. */
export function pass(socket: Writable, data: Buffer): boolean {
  if (data.length <= SMALL) return socket.write(Buffer.from(data));
  const slab = free.pop() ?? new Slab();
  data.copy(slab.bytes);
  return socket.write(slab.bytes.subarray(0, data.length), slab.release);
}
