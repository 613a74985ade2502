// What may stand in a header field that the configuration or a policy writes (RFC 9110 section 5).

/** A lower-case field name. */
export const FIELD_NAME: RegExp = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

/** Printable US-ASCII with inner blanks. Anything else could end the line, or change when it is written as bytes. */
export const FIELD_VALUE: RegExp = /^[\t -~]*$/;

const FRAMING: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Whether the field (lower-case) describes one connection or the framing of one message, which only a codec may write. */
export function framingField(name: string): boolean {
  return FRAMING.has(name);
}
