// Edits of header fields that an outside service asks for: what it may not touch is left out, whatever it says.

import type { Fields } from '../routing/request.ts';
import { FIELD_NAME, FIELD_VALUE, framingField } from './field-syntax.ts';

/** Lower-case names; applied in this order. */
export interface HeaderEdits {
  readonly remove: readonly string[];
  readonly set: readonly HeaderLine[];
  /** One more line behind those that are there. */
  readonly append: readonly HeaderLine[];
}

export type HeaderLine = readonly [name: string, value: string];

export function applyHeaderEdits({ remove, set, append }: HeaderEdits, fields: Fields): void {
  for (const name of remove) fields.remove(name);
  for (const [name, value] of set) fields.set(name, value);
  for (const [name, value] of append) fields.append(name, value);
}

/** Whether a field may be written as an outside service asks: no line breaks, no framing, no other host (lower-case name). */
export function isSafeLine(name: string, value: string): boolean {
  return isEditable(name) && FIELD_VALUE.test(value);
}

/** Whether an outside service may set or remove the field at all. */
export function isEditable(name: string): boolean {
  return FIELD_NAME.test(name) && name !== 'host' && !framingField(name);
}
