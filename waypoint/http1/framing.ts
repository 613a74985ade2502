// How the end of a body is told (RFC 9112 section 6), and the strict reading of the two fields that tell it.

export const NONE = 0;
export const LENGTH = 1;
export const CHUNKED = 2;
/** Until the connection closes: responses only. */
export const CLOSE = 3;

export type RequestFraming = typeof NONE | typeof LENGTH | typeof CHUNKED;
export type Framing = RequestFraming | typeof CLOSE;

/** Decimal digits only, within the safe integers; -1 otherwise. Leading zeros are read, never forwarded. */
export function parseContentLength(value: string): number {
  const length = value.length;
  if (length === 0 || length > 24) return -1;
  let result = 0;
  for (let i = 0; i < length; i++) {
    const digit = value.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    result = result * 10 + digit;
    if (result > Number.MAX_SAFE_INTEGER) return -1;
  }
  return result;
}

/** '' when the coding is exactly `chunked`, else the reason for refusing it. */
export function transferCodingFault(value: string): '' | 'transfer_encoding_unsupported' | 'transfer_encoding_invalid' {
  if (value === 'chunked' || value.toLowerCase() === 'chunked') return '';
  return /^(?:(?!chunked)[a-z-]+[ \t]*,[ \t]*)+chunked$/i.test(value)
    ? 'transfer_encoding_unsupported'
    : 'transfer_encoding_invalid';
}
