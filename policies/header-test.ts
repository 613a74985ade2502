// Conditions of an AuthorizationPolicy about a header: each of its values on its own.

import type { AccessCondition, WhenUnknown } from './access-test.ts';
import type { AccessContext, AccessTest } from './authorization.ts';
import { StringMatch } from './string-match.ts';

/** One value must match one of `values`; of `notValues` none may match any. What is no UTF-8 cannot be told. */
export class HeaderTest implements AccessCondition {
  readonly #name: string;
  readonly #values: StringMatch | null;
  readonly #notValues: StringMatch | null;
  readonly #whenUnknown: boolean;

  constructor({ key, values, notValues }: AccessTest, unknown: WhenUnknown) {
    this.#name = key[0] as string;
    this.#values = values.length === 0 ? null : new StringMatch(values.map(asBytes));
    this.#notValues = notValues.length === 0 ? null : new StringMatch(notValues.map(asBytes));
    this.#whenUnknown = unknown === 'holds';
  }

  holds({ head }: AccessContext): boolean {
    const found = head.fields.values(this.#name);
    let isOpen = this.#values !== null;
    let isUnknown = false;
    for (const value of found) {
      if (!isText(value)) isUnknown = true;
      else if (this.#notValues !== null && meets(this.#notValues, value)) return false;
      else if (isOpen && meets(this.#values as StringMatch, value)) isOpen = false;
    }
    // That it is there needs no decoding.
    if (isUnknown && this.#notValues?.isAny === true) return false;
    if (isUnknown && isOpen && this.#values?.isAny === true) isOpen = false;
    if (isUnknown && (isOpen || this.#notValues !== null)) return this.#whenUnknown;
    return !isOpen;
  }
}

/** A header that is there is there, be it empty (Envoy's present match). */
function meets(match: StringMatch, value: string): boolean {
  return match.isAny || match.matches(value);
}

const ASCII = /^[\0-\x7f]*$/;

/** Fields hold their bytes as Latin-1. */
function asBytes(text: string): string {
  return ASCII.test(text) ? text : String.fromCharCode(...new TextEncoder().encode(text));
}

// Of the value that was looked at last: many rules may ask about the same one, which may be long.
const known: { value: string; isText: boolean } = { value: '', isText: true };

function isText(value: string): boolean {
  if (value !== known.value) {
    known.isText = ASCII.test(value) || isUtf8(value);
    known.value = value;
  }
  return known.isText;
}

function isUtf8(value: string): boolean {
  const bytes = new Uint8Array(value.length);
  for (let at = 0; at < value.length; at += 1) bytes[at] = value.charCodeAt(at);
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
