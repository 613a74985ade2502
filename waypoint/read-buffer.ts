// The one buffer into which every connection of a worker reads: no allocation per read, and none held by idle connections.

/**
 * Reads are synchronous: the kernel fills the buffer, the connection is told, and when it returns the buffer is free for
 * the next. So whatever must outlive the call is copied (`kept`), also what is written to a socket: a write that the kernel
 * does not take at once refers to its bytes until it does.
 */
export const READ_BUFFER: Buffer = Buffer.allocUnsafeSlow(65_536);

/** The bytes of one read, on their own. */
export function kept(data: Buffer): Buffer {
  return Buffer.from(data);
}
