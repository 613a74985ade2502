// The head of an HTTP/1 response as it was read, and as it is written again for the client.

import type { ResponseHead } from '../../routing/request.ts';
import { FieldBlock } from './fields.ts';
import { type Framing, NONE } from './framing.ts';

export class Http1ResponseHead implements ResponseHead {
  status = 0;
  reasonPhrase = '';
  minor: 0 | 1 = 1;
  keepAlive = true;
  framing: Framing = NONE;
  /** What Content-Length says, also where there is no body (HEAD, 304); -1 when it is not known. */
  contentLength = -1;
  /** The one protocol that a 101 switches to, lower-case; null in all other cases. */
  upgrade: string | null = null;
  /** Offset of the first field line in the head. */
  fieldsStart = 0;
  /** The status line is forwarded as it was sent. */
  verbatim = false;
  readonly fields: FieldBlock = new FieldBlock();

  reset(): void {
    this.status = 0;
    this.reasonPhrase = '';
    this.minor = 1;
    this.keepAlive = true;
    this.framing = NONE;
    this.contentLength = -1;
    this.upgrade = null;
    this.fieldsStart = 0;
    this.verbatim = false;
    this.fields.reset();
  }

  /**
   * The whole head for the client; `extra` is field lines, each ending in CRLF. Content-Length is written where it was sent
   * and still holds; a chunked or until-close body gets no framing line here: `extra` says how it is relayed.
   */
  serialize(extra: string): string {
    const { fields } = this;
    if (this.verbatim) return `${fields.write(0, null)}${extra}\r\n`;
    const line = `HTTP/1.1 ${this.status} ${this.reasonPhrase}\r\n`;
    return `${line}${fields.write(this.fieldsStart, null)}${extra}\r\n`;
  }
}
