// Makes text that comes from configuration fit for a field line: no value can end its line or lose its upper bits.

const UNFIT = /[^\t\x20-\x7e\x80-\xff]/;
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/g;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** '' when it is no field name. */
export function fieldName(name: string): string {
  return TOKEN.test(name) ? name : '';
}

/** Control characters become spaces; characters beyond Latin-1 are written as UTF-8, which a Latin-1 write would cut. */
export function fieldValue(value: string): string {
  if (!UNFIT.test(value)) return value;
  const clean = value.replace(CONTROL, ' ').trim();
  return UNFIT.test(clean) ? Buffer.from(clean, 'utf8').toString('latin1') : clean;
}
