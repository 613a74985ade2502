// A request body on its way: held until an endpoint takes it, and kept while another try or a copy may need it again.

/** Body bytes kept for a retry or a copy; a longer body is not repeatable. */
export const REPLAY_BYTES = 65_536;

export class RequestBody {
  /** Every byte so far while `kept`; otherwise only what no endpoint has taken yet. */
  readonly pieces: Buffer[] = [];
  /** Bytes in `pieces`. */
  held = 0;
  /** The body can be sent again from its first byte. */
  kept = true;
  complete = false;
  /** Sanitised trailer lines, '' when none. */
  trailers = '';

  /** Takes note of a piece. `sent`: an endpoint has it already, so it is only kept for repetition. */
  add(data: Buffer, state: 'sent' | 'waiting'): void {
    if (this.kept && this.held + data.length > REPLAY_BYTES) this.#giveUp(state);
    if (this.kept || state === 'waiting') {
      this.pieces.push(data);
      this.held += data.length;
    }
  }

  /** What was waiting has been sent: unless it is kept for repetition, it is let go. */
  sent(): void {
    if (!this.kept) this.#clear();
  }

  /** Nothing will be repeated any more. */
  release(): void {
    this.kept = false;
    this.#clear();
  }

  #giveUp(state: 'sent' | 'waiting'): void {
    this.kept = false;
    if (state === 'sent') this.#clear();
  }

  #clear(): void {
    this.pieces.length = 0;
    this.held = 0;
  }
}
