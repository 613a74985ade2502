// A request body on its way: held until an endpoint takes it, and kept while another try or a copy may need it again.

import { kept } from './read-buffer.ts';

export class RequestBody {
  /** Every byte so far while `kept`; otherwise only what no endpoint has taken yet. */
  readonly pieces: Buffer[] = [];
  /** Bytes in `pieces`. */
  held = 0;
  /** The body can be sent again from its first byte. */
  kept: boolean;
  complete = false;
  /** Sanitised trailer lines, '' when none. */
  trailers = '';
  readonly #limit: number;

  /** `length`: as declared, 0 when it is not; a body that can not be kept whole in `limit` bytes is not kept at all. */
  constructor(length: number, limit: number) {
    this.#limit = limit;
    this.kept = length <= limit;
  }

  /** A piece that no endpoint has yet: it is held, however long the body is. */
  wait(data: Buffer): void {
    if (this.held + data.length > this.#limit) this.kept = false;
    this.#hold(data);
  }

  /** A piece that an endpoint is given now: it is held for repetition only. */
  sent(data: Buffer): void {
    if (!this.kept) return;
    if (this.held + data.length > this.#limit) this.release();
    else this.#hold(data);
  }

  /** An endpoint has taken what waited: unless it is kept for repetition, it is let go. */
  taken(): void {
    if (!this.kept) this.#clear();
  }

  /** Nothing will be repeated any more. */
  release(): void {
    this.kept = false;
    this.#clear();
  }

  #hold(data: Buffer): void {
    this.pieces.push(kept(data));
    this.held += data.length;
  }

  #clear(): void {
    this.pieces.length = 0;
    this.held = 0;
  }
}
