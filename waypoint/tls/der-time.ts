// Points in time as certificates write them (RFC 5280 section 4.1.2.5): in UTC, to the second, and nothing else.

import { type Element, GENERALIZED_TIME, UTC_TIME } from './der.ts';

const FORM = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

/** Milliseconds since the epoch; null when it is no such point. */
export function timeOf(der: Uint8Array, { tag, start, end }: Element): number | null {
  const text = String.fromCharCode(...der.subarray(start, Math.min(end, start + 32)));
  const full = tag === UTC_TIME && end - start === 13 ? century(text) + text : text;
  const match = tag === UTC_TIME || tag === GENERALIZED_TIME ? FORM.exec(full) : null;
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    ...[number, number, number],
    ...[number, number, number],
  ];
  const time = Date.UTC(year, month - 1, day, hour, minute, second);
  // The 31st of February is a day of March to Date.
  return new Date(time).toISOString().replace(/[-:T]|\.000/g, '') === full ? time : null;
}

/** Of two digits 50 to 99 are of the last century. */
function century(text: string): string {
  return text >= '50' ? '19' : '20';
}
