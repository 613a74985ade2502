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

/** As the API writes it, `1m30s`; `0s` for none. Milliseconds are rounded. */
export function formatDuration(ms: number): string {
  let rest = Math.round(ms);
  if (rest === 0) return '0s';
  let text = '';
  for (const unit of ['h', 'm', 's', 'ms']) {
    const amount = Math.floor(rest / UNIT_MS[unit]!);
    if (amount > 0) text += `${amount}${unit}`;
    rest -= amount * UNIT_MS[unit]!;
  }
  return text;
}
