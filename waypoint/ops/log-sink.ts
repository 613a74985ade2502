// The access log on its way out of the process: never waited for, bounded, and honest about what it had to drop.

import fs from 'node:fs';

/** Bytes that may wait for a slow reader; what comes beyond them is dropped and counted. */
const QUEUE_BYTES = 4_194_304;
/** A pipe that is full is tried again after the first of these times, then ever later up to the last. */
const RETRY_MS = 1;
const LAST_RETRY_MS = 64;
/** A reader that takes nothing does not hold up the end of the process any longer than this. */
const FLUSH_MS = 1000;

export class LogSink {
  /** Lines that were never written. */
  dropped = 0;
  readonly #fd: number;
  readonly #limit: number;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  /** Being written, and how much of it is. */
  #current: Buffer | null = null;
  #written = 0;
  #retryMs = RETRY_MS;
  #broken = false;
  #waiters: (() => void)[] = [];

  constructor(fd: number, limit: number = QUEUE_BYTES) {
    this.#fd = fd;
    this.#limit = limit;
    // Node makes a pipe non-blocking when it opens its stream: a reader that has stopped can not hold up our exit then.
    if (fd === 1 && process.stdout.listenerCount('error', ignore) === 0) process.stdout.on('error', ignore);
  }

  /** Takes whole lines. */
  write(text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    if (this.#broken || this.#queuedBytes + bytes.length > this.#limit) {
      this.dropped += lines(bytes);
      return;
    }
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    if (this.#current === null) this.#next();
  }

  /** Settles when everything taken so far is written, or when nobody has read for a second. */
  async flush(): Promise<void> {
    if (this.#current === null) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.push(resolve);
    const timer = setTimeout(resolve, FLUSH_MS);
    await promise;
    clearTimeout(timer);
  }

  #next(): void {
    if (this.#queue.length === 0) {
      this.#current = null;
      const waiters = this.#waiters;
      this.#waiters = [];
      for (const resolve of waiters) resolve();
      return;
    }
    this.#current = this.#queue.length === 1 ? this.#queue[0]! : Buffer.concat(this.#queue);
    this.#queue = [];
    this.#written = 0;
    this.#push();
  }

  #push(): void {
    const current = this.#current as Buffer;
    fs.write(this.#fd, current, this.#written, current.length - this.#written, null, (error, count) => {
      if (error?.code === 'EAGAIN') {
        setTimeout(() => this.#push(), this.#retryMs).unref();
        this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2);
        return;
      }
      this.#retryMs = RETRY_MS;
      if (error !== null) {
        // The reader is gone (EPIPE) or the disk is full: traffic goes on without a log.
        this.#broken = error.code === 'EPIPE';
        this.dropped += lines(current.subarray(this.#written));
        if (this.#broken) for (const waiting of this.#queue.splice(0)) this.dropped += lines(waiting);
        count = current.length - this.#written;
      }
      this.#written += count;
      if (this.#written < current.length) {
        this.#push();
        return;
      }
      this.#queuedBytes = this.#queue.reduce((sum, waiting) => sum + waiting.length, 0);
      this.#next();
    });
  }
}

/** What fails is told by the write itself. */
function ignore(): void {}

function lines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) count++;
  return count;
}
