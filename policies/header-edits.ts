// Edits of header fields that an outside service asks for: what it may not touch is left out, whatever it says.

import type { Fields } from '../routing/request.ts';
import { FIELD_NAME, framingField } from './field-syntax.ts';

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

/** Written by this hop itself: who the client is and which way a request took is not for others to say. */
const OURS: ReadonlySet<string> = new Set([
  'forwarded',
  'via',
  'x-forwarded-client-cert',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-request-id',
]);

/** Whether an outside service may set or remove this field of a request (lower-case): no framing, no other host. */
export function isEditable(name: string): boolean {
  return FIELD_NAME.test(name) && name !== 'host' && !framingField(name) && !isOurs(name);
}

/** In any spelling that a framework may take for it, see known-fields.ts. */
function isOurs(name: string): boolean {
  const dashed = /[_.]/.test(name) ? name.replaceAll(/[_.]/g, '-') : name;
  return OURS.has(dashed) || dashed.startsWith('x-waypoint-');
}

/** Whether it may give this field to an answer (lower-case). */
export function isAnswerable(name: string): boolean {
  return FIELD_NAME.test(name) && !framingField(name) && name !== 'date' && name !== 'x-request-id';
}

/** Whether a value, as bytes, stays on its line: field-content of RFC 9110 section 5.5. */
export function isFieldContent(value: string): boolean {
  return CONTENT.test(value);
}

const CONTENT = /^[\t\x20-\x7e\x80-\xff]*$/;
