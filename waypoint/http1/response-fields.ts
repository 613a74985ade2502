// What the fields of a response mean for this hop: framing, connection and upgrade.

import { BAD_OPTIONS, CLOSE_OPTION, KEEP_ALIVE_OPTION, readConnection } from './connection-options.ts';
import { CHUNKED, CLOSE, LENGTH, NONE, parseContentLength, transferCodingFault } from './framing.ts';
import * as known from './known-fields.ts';
import type { Http1ResponseHead } from './response-head.ts';
import { upgradeToken } from './upgrade-token.ts';

const FRAMING_FIELDS = (1 << known.CONTENT_LENGTH) | (1 << known.TRANSFER_ENCODING);
/** What ends at this hop. */
const LOCAL = (1 << known.HOP) | (1 << known.UPGRADE);

/** Fills in `head` from its fields; '' or why the response is refused. `method` is the request's. */
export function readResponseFields(head: Http1ResponseHead, method: string): string {
  const { fields, status } = head;
  const options = (fields.sent & (1 << known.CONNECTION)) === 0 ? 0 : readConnection(fields);
  if (options === BAD_OPTIONS) return 'connection_invalid';
  const fault = readFraming(head, method);
  if (fault !== '') return fault;
  const persistent = head.minor === 1 || (options & KEEP_ALIVE_OPTION) !== 0;
  head.keepAlive = persistent && (options & CLOSE_OPTION) === 0 && head.framing !== CLOSE;
  if (status === 101) head.upgrade = upgradeToken(fields);
  if ((fields.sent & LOCAL) !== 0) fields.dropAll(LOCAL);
  return '';
}

/** RFC 9112 section 6.3, without the leniency it allows: what two readers could read in two ways is refused. */
function readFraming(head: Http1ResponseHead, method: string): string {
  const { fields, status } = head;
  const bodiless = status < 200 || status === 204;
  const lengthLine = fields.line(known.CONTENT_LENGTH);
  const chunked = fields.line(known.TRANSFER_ENCODING) >= 0;
  if (lengthLine >= 0 && chunked) return 'framing_ambiguous';
  if ((fields.repeated & FRAMING_FIELDS) !== 0)
    return chunked ? 'transfer_encoding_repeated' : 'content_length_repeated';
  if (lengthLine >= 0) {
    const value = fields.value(lengthLine);
    head.contentLength = parseContentLength(value);
    if (head.contentLength < 0) return 'content_length_invalid';
    if (bodiless) fields.drop(lengthLine);
    else if (value.charCodeAt(0) === 0x30 && value !== '0') fields.restate(lengthLine, String(head.contentLength));
  } else if (chunked) {
    if (head.minor === 0) return 'transfer_encoding_http10';
    const fault = transferCodingFault(fields.value(fields.line(known.TRANSFER_ENCODING)));
    if (fault !== '') return fault;
    fields.dropAll(1 << known.TRANSFER_ENCODING);
  }
  if (bodiless || status === 304 || method === 'HEAD') head.framing = NONE;
  else if (chunked) head.framing = CHUNKED;
  else head.framing = head.contentLength >= 0 ? LENGTH : CLOSE;
  return '';
}
