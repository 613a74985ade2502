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

function isText(value: string): boolean {
  if (ASCII.test(value)) return true;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(value, (char) => char.charCodeAt(0)));
    return true;
  } catch {
    return false;
  }
}
