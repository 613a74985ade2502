// The one buffer into which every connection of a worker reads: no allocation per read, and none held by idle connections.

/**
 * Reads are synchronous: the kernel fills the buffer, the connection is told, and when it returns the buffer is free for
 * the next. So whatever must outlive the call is copied (`kept`), also what is written to a socket: a write that the kernel
 * does not take at once refers to its bytes until it does.
 */
export const READ_BUFFER: Buffer = Buffer.allocUnsafeSlow(65_536);

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
