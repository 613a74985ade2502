// Text of a protobuf message as it is written on the wire of HTTP/1: one character for each byte, and no more than one line.

import { type HeaderLine, isFieldContent } from '../../policies/header-edits.ts';

interface HeaderValue {
  readonly key: string;
  readonly value: string;
  readonly rawValue: Uint8Array;
}

/** Latin-1, of the text's UTF-8. */
export function wireText(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** With its name in lower case. @throws where the value would not stay on its line. */
export function lineOf(header: HeaderValue | undefined): HeaderLine {
  const { key = '', value = '', rawValue = EMPTY } = header ?? {};
  const name = key.toLowerCase();
  const text = (rawValue.length > 0 ? Buffer.from(rawValue).toString('latin1') : wireText(value)).trim();
  if (isFieldContent(text)) return [name, text];
  throw new Error(`the value of header ${JSON.stringify(name)} has characters that end a line`);
}

const ASCII = /^[\x00-\x7f]*$/;
const EMPTY: Uint8Array = new Uint8Array();
