// The head of an HTTP/1 request as it was read, and as it is written again for the next hop.

import type { RequestHead } from '../../routing/request.ts';
import type { Authority } from './authority-cache.ts';
import { FieldBlock } from './fields.ts';
import { CHUNKED, LENGTH, NONE, type RequestFraming } from './framing.ts';
import type { Target } from './target.ts';

export class Http1RequestHead implements RequestHead, Target {
  method = '';
  scheme: 'http' | 'https' = 'http';
  authority = '';
  host = '';
  port = 0;
  path = '';
  query = '';
  hasQuery = false;
  verbatim = false;
  /** Of an absolute-form target; Host says the same then. */
  targetAuthority: string | null = null;
  forwardPath: string | null = null;
  forwardQuery: string | null = null;
  forwardAuthority: string | null = null;
  /** Of the last request here: the next usually names the same. At first one that no request can name. */
  lastAuthority: Authority = { raw: ' ', host: '', port: 0 };
  minor: 0 | 1 = 1;
  keepAlive = true;
  framing: RequestFraming = NONE;
  /** Bytes of a LENGTH body, else 0. */
  contentLength = 0;
  /** The one protocol, lower-case, that an acceptable upgrade request asks for; null when it asks for none. */
  upgrade: string | null = null;
  /** The client waits for `100 Continue` before it sends the body. */
  expectContinue = false;
  /** Offset of the first field line in the head. */
  fieldsStart = 0;
  readonly fields: FieldBlock = new FieldBlock();

  reset(): void {
    this.method = '';
    this.authority = '';
    this.host = '';
    this.port = 0;
    this.path = '';
    this.query = '';
    this.hasQuery = false;
    this.verbatim = false;
    this.targetAuthority = null;
    this.forwardPath = null;
    this.forwardQuery = null;
    this.forwardAuthority = null;
    this.minor = 1;
    this.keepAlive = true;
    this.framing = NONE;
    this.contentLength = 0;
    this.upgrade = null;
    this.expectContinue = false;
    this.fieldsStart = 0;
    this.fields.reset();
  }

  /** The whole head for the next hop; `extra` is field lines, each ending in CRLF. */
  serialize(extra: string): string {
    const host = this.forwardAuthority === null ? null : visible(this.forwardAuthority);
    const { fields } = this;
    if (this.verbatim && this.forwardPath === null && this.forwardQuery === null && this.minor === 1) {
      return `${fields.write(0, host)}${extra}\r\n`;
    }
    const path = this.forwardPath === null ? this.path : visiblePath(this.forwardPath);
    const query = this.forwardedQuery;
    const line = `${this.method} ${path}${query} HTTP/1.1\r\n`;
    return `${line}${fields.write(this.fieldsStart, host)}${extra}\r\n`;
  }

  /** As the next hop is told it, with its `?`; '' for none. */
  get forwardedQuery(): string {
    if (this.forwardQuery === null) return this.hasQuery ? `?${this.query}` : '';
    return this.forwardQuery === '' ? '' : `?${this.forwardQuery}`;
  }

  get hasBody(): boolean {
    return this.framing === CHUNKED || (this.framing === LENGTH && this.contentLength > 0);
  }
}

/** Rewrites are made from configuration and from what clients send: neither may end the line it is written on. */
function visiblePath(path: string): string {
  return /[^\x21-\x7e]|[?#]/.test(path) ? path.replace(/[^\x21-\x7e]|[?#]/gu, escaped) : path;
}

function escaped(char: string): string {
  return Array.from(Buffer.from(char, 'utf8'), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(
    '',
  );
}

function visible(authority: string): string {
  return authority.replace(/[^\x21-\x7e]/g, '');
}
