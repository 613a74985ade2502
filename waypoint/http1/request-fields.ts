// What the fields of a request mean for this hop: framing, connection, upgrade, expectation, and whom to believe.

import { readAuthority } from './authority-cache.ts';
import { BAD_OPTIONS, CLOSE_OPTION, KEEP_ALIVE_OPTION, readConnection, UPGRADE_OPTION } from './connection-options.ts';
import { CHUNKED, LENGTH, parseContentLength, transferCodingFault } from './framing.ts';
import * as known from './known-fields.ts';
import type { ParseFailure } from './limits.ts';
import type { Http1RequestHead } from './request-head.ts';
import { upgradeToken } from './upgrade-token.ts';

const FRAMING_FIELDS = (1 << known.CONTENT_LENGTH) | (1 << known.TRANSFER_ENCODING);
const CONNECTION_FIELD = 1 << known.CONNECTION;
const EXPECT_FIELD = 1 << known.EXPECT;
/** What this hop alone says, or what ends at it. */
const LOCAL = (1 << known.HOP) | (1 << known.UPGRADE) | (1 << known.IDENTITY);
/** What peers say of others. */
const HEARSAY = 1 << known.FORWARDING;

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
  const foreign = trusted ? LOCAL : LOCAL | HEARSAY;
  if ((sent & foreign) !== 0) fields.dropAll(foreign);
  return null;
}

function readHost(head: Http1RequestHead): string {
  const { fields, targetAuthority } = head;
  const line = fields.line(known.HOST);
  if (line < 0) {
    if (head.minor === 1) return 'host_missing';
    if (targetAuthority === null) return '';
  } else if ((fields.repeated & (1 << known.HOST)) !== 0) return 'host_repeated';
  const sent = line < 0 ? '' : fields.value(line);
  const raw = targetAuthority ?? sent;
  const authority = raw === head.lastAuthority.raw ? head.lastAuthority : readAuthority(raw);
  if (authority === null) return targetAuthority === null ? 'host_invalid' : 'target_invalid';
  head.lastAuthority = authority;
  head.authority = authority.raw;
  head.host = authority.host;
  head.port = authority.port;
  return targetAuthority === null ? '' : restateHost(head, line, sent);
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
  const lengthLine = fields.line(known.CONTENT_LENGTH);
  const codingLine = fields.line(known.TRANSFER_ENCODING);
  if (lengthLine >= 0 && codingLine >= 0) return bad('framing_ambiguous');
  if ((fields.repeated & FRAMING_FIELDS) !== 0) {
    return bad(lengthLine >= 0 ? 'content_length_repeated' : 'transfer_encoding_repeated');
  }
  if (lengthLine >= 0) {
    const value = fields.value(lengthLine);
    head.contentLength = parseContentLength(value);
    if (head.contentLength < 0) return bad('content_length_invalid');
    head.framing = LENGTH;
    if (value.charCodeAt(0) === 0x30 && value !== '0') fields.restate(lengthLine, String(head.contentLength));
    return null;
  }
  if (head.minor === 0) return bad('transfer_encoding_http10');
  const value = fields.value(codingLine);
  const reason = transferCodingFault(value);
  if (reason !== '') return { status: reason === 'transfer_encoding_invalid' ? 400 : 501, reason };
  head.framing = CHUNKED;
  if (value !== 'chunked') fields.restate(codingLine, 'chunked');
  return null;
}

/** False for anything but `100-continue` (RFC 9110 section 10.1.1); an HTTP/1.0 client can't have meant it. */
function readExpect(head: Http1RequestHead): boolean {
  const { fields } = head;
  if (head.minor === 1) {
    const value = fields.value(fields.line(known.EXPECT));
    if ((fields.repeated & EXPECT_FIELD) !== 0 || value.toLowerCase() !== '100-continue') return false;
    head.expectContinue = head.hasBody;
  }
  if (!head.expectContinue) fields.dropAll(EXPECT_FIELD);
  return true;
}

function bad(reason: string): ParseFailure {
  return { status: 400, reason };
}
