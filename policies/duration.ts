// Gateway API durations (GEP-2257): `1h30m`, `500ms`, never a fraction, a sign or a unit left out.

const SHAPE = /^([0-9]{1,5}(h|m|s|ms)){1,4}$/;
const PART = /([0-9]+)(ms|h|m|s)/g;
const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

/** Milliseconds, or null where the text is no GEP-2257 duration. Units may repeat and come in any order, as the API allows. */
export function parseDuration(text: string): number | null {
  if (!SHAPE.test(text)) return null;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(PART)) total += Number(amount) * UNIT_MS[unit as string]!;
  return total;
}
