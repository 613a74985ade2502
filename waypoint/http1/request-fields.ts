// What the fields of a request mean for this hop: framing, connection, upgrade, expectation, and whom to believe.

import { readAuthority } from './authority-cache.ts';
import { BAD_OPTIONS, CLOSE_OPTION, KEEP_ALIVE_OPTION, readConnection, UPGRADE_OPTION } from './connection-options.ts';
import { CHUNKED, LENGTH, NONE, parseContentLength, transferCodingFault } from './framing.ts';
import * as known from './known-fields.ts';
import type { ParseFailure } from './limits.ts';
import type { Http1RequestHead } from './request-head.ts';
import { upgradeToken } from './upgrade-token.ts';

const FRAMING_FIELDS = (1 << known.CONTENT_LENGTH) | (1 << known.TRANSFER_ENCODING);
const CONNECTION_FIELD = 1 << known.CONNECTION;
const EXPECT_FIELD = 1 << known.EXPECT;
const LOCAL =
  (1 << known.HOP) |
  (1 << known.UPGRADE) |
  (1 << known.FORWARDING) |
  (1 << known.FORWARDED_FOR) |
  (1 << known.IDENTITY);

/** Fills in `head` from its fields; null, or why the request is refused. `trusted`: the peer may say where a request came from. */
export function readRequestFields(head: Http1RequestHead, trusted: boolean): ParseFailure | null {
  const { fields } = head;
  const { sent } = fields;
  const addressing = readHost(head);
  if (addressing !== '') return bad(addressing);
  if ((sent & FRAMING_FIELDS) !== 0) {
    const failure = readFraming(head);
    if (failure !== null) return failure;
  }
  if ((sent & EXPECT_FIELD) !== 0 && !readExpect(head)) return { status: 417, reason: 'expectation_unsupported' };
  const options = (sent & CONNECTION_FIELD) === 0 ? 0 : readConnection(fields);
  if (options === BAD_OPTIONS) return bad('connection_invalid');
  head.keepAlive = (options & CLOSE_OPTION) === 0 && (head.minor === 1 || (options & KEEP_ALIVE_OPTION) !== 0);
  if ((options & UPGRADE_OPTION) !== 0 && head.method === 'GET' && head.minor === 1 && !head.hasBody) {
    const token = upgradeToken(fields);
    // Cleartext HTTP/2 by upgrade is not spoken here: the request goes on as plain HTTP/1.1.
    if (token !== 'h2c') head.upgrade = token;
  }
  if ((sent & LOCAL) !== 0) dropLocal(head, trusted);
  return null;
}

function readHost(head: Http1RequestHead): string {
  const { fields } = head;
  let line = -1;
  if ((fields.sent & (1 << known.HOST)) !== 0) {
    for (let i = 0; i < fields.count; i++) {
      if (fields.kind(i) !== known.HOST) continue;
      if (line >= 0) return 'host_repeated';
      line = i;
    }
  } else if (head.minor === 1) {
    return 'host_missing';
  }
  const sent = line < 0 ? '' : fields.value(line);
  const raw = head.targetAuthority ?? sent;
  if (raw === '' && line < 0) return head.targetAuthority === null ? '' : 'target_invalid';
  const authority = readAuthority(raw);
  if (authority === null) return head.targetAuthority === null ? 'host_invalid' : 'target_invalid';
  head.authority = raw;
  head.host = authority.host;
  head.port = authority.port;
  return head.targetAuthority === null ? '' : restateHost(head, line, sent);
}

/** RFC 9112 section 3.2.2: the target's authority replaces Host; one that says otherwise is a trap for somebody. */
function restateHost(head: Http1RequestHead, line: number, sent: string): string {
  const { fields } = head;
  if (line < 0) {
    fields.append('host', head.authority);
    return '';
  }
  const other = readAuthority(sent);
  const usual = head.scheme === 'http' ? 80 : 443;
  if (other === null || other.host !== head.host || (other.port || usual) !== (head.port || usual))
    return 'host_mismatch';
  if (sent !== head.authority) fields.restate(line, head.authority);
  return '';
}

function readFraming(head: Http1RequestHead): ParseFailure | null {
  const { fields } = head;
  for (let i = 0; i < fields.count; i++) {
    const kind = fields.kind(i);
    if (kind === known.CONTENT_LENGTH) {
      if (head.framing !== NONE) return bad(head.framing === LENGTH ? 'content_length_repeated' : 'framing_ambiguous');
      const value = fields.value(i);
      const length = parseContentLength(value);
      if (length < 0) return bad('content_length_invalid');
      head.framing = LENGTH;
      head.contentLength = length;
      if (value.charCodeAt(0) === 0x30 && value !== '0') {
        fields.restate(i, String(length));
      }
    } else if (kind === known.TRANSFER_ENCODING) {
      if (head.framing !== NONE)
        return bad(head.framing === LENGTH ? 'framing_ambiguous' : 'transfer_encoding_repeated');
      if (head.minor === 0) return bad('transfer_encoding_http10');
      const value = fields.value(i);
      const reason = transferCodingFault(value);
      if (reason !== '') return { status: reason === 'transfer_encoding_invalid' ? 400 : 501, reason };
      head.framing = CHUNKED;
      if (value !== 'chunked') fields.restate(i, 'chunked');
    }
  }
  return null;
}

/** False for anything but `100-continue` (RFC 9110 section 10.1.1); an HTTP/1.0 client can't have meant it. */
function readExpect(head: Http1RequestHead): boolean {
  const { fields } = head;
  let seen = 0;
  for (let i = 0; i < fields.count; i++) {
    if (fields.kind(i) !== known.EXPECT) continue;
    if (head.minor === 1 && (++seen > 1 || fields.value(i).toLowerCase() !== '100-continue')) return false;
    if (head.hasBody && head.minor === 1) head.expectContinue = true;
    else fields.drop(i);
  }
  return true;
}

function dropLocal(head: Http1RequestHead, trusted: boolean): void {
  const { fields } = head;
  for (let i = 0; i < fields.count; i++) {
    const kind = fields.kind(i);
    if (kind === known.HOP || kind === known.UPGRADE || kind === known.IDENTITY) fields.drop(i);
    else if (!trusted && (kind === known.FORWARDING || kind === known.FORWARDED_FOR)) fields.drop(i);
  }
}

function bad(reason: string): ParseFailure {
  return { status: 400, reason };
}
