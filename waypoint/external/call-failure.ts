// Why an outside service gave no verdict.

export type CallReason =
  | 'timeout'
  | 'failed'
  | 'malformed'
  | 'no_endpoint'
  | 'overflow'
  | 'breaker_open'
  /** Nobody waits for it any more. */
  | 'aborted';

export class CallFailure extends Error {
  readonly reason: CallReason;

  /** `message`: what was tried, on what, for the log. */
  constructor(reason: CallReason, message: string) {
    super(message);
    this.reason = reason;
  }
}
