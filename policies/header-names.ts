// Which header fields are meant: by name, or by its beginning or its end, as Istio writes them.

import { FIELD_NAME } from './field-syntax.ts';
import { quote, type SettingsReader } from './settings-reader.ts';

/** Lower-case. */
export interface HeaderNames {
  readonly exact: readonly string[];
  readonly prefixes: readonly string[];
  readonly suffixes: readonly string[];
}

export const NO_NAMES: HeaderNames = { exact: [], prefixes: [], suffixes: [] };

/** `name` is lower-case. */
export function includes({ exact, prefixes, suffixes }: HeaderNames, name: string): boolean {
  if (exact.includes(name)) return true;
  for (const prefix of prefixes) if (name.startsWith(prefix)) return true;
  for (const suffix of suffixes) if (name.endsWith(suffix)) return true;
  return false;
}

/** A list of names as Gateway API has them; null where there is none, or an empty one. */
export function decodeNames(settings: SettingsReader, field: string): HeaderNames | null {
  const exact = read(settings, field, plainName);
  return exact.length === 0 ? null : { exact, prefixes: [], suffixes: [] };
}

/** The same with `abc*` and `*abc`; null where there is none, or an empty one. */
export function decodeNamePatterns(settings: SettingsReader, field: string): HeaderNames | null {
  const names = read(settings, field, (text) => plainName(text) ?? plainName(text.replace(/^\*(?=.)|(?<=.)\*$/, '')));
  const patterns =
    names.length === 0 ? [] : (settings.list(field) as readonly string[]).map((each) => each.toLowerCase());
  if (patterns.length === 0) return null;
  return {
    exact: patterns.filter((each) => !each.includes('*')),
    prefixes: patterns.filter((each) => each.endsWith('*')).map((each) => each.slice(0, -1)),
    suffixes: patterns.filter((each) => each.startsWith('*')).map((each) => each.slice(1)),
  };
}

/** In the words of whoever wrote them; `all` for null. */
export function describeNames(names: HeaderNames | null): string {
  if (names === null) return 'all';
  const { exact, prefixes, suffixes } = names;
  const all = [...exact, ...prefixes.map((prefix) => `${prefix}*`), ...suffixes.map((suffix) => `*${suffix}`)];
  return all.length === 0 ? 'none' : all.join(', ');
}

function read(settings: SettingsReader, field: string, named: (text: string) => string | null): readonly string[] {
  const names: string[] = [];
  for (const [index, raw] of (settings.list(field) ?? []).entries()) {
    const name = typeof raw === 'string' ? named(raw) : null;
    if (name === null) settings.refuse(`${field}[${index}]`, `${quote(raw)} is no header name (RFC 9110 section 5.1)`);
    else names.push(name);
  }
  return names;
}

function plainName(text: string): string | null {
  const name = text.toLowerCase();
  // An asterisk is a token character, and nobody's header.
  return FIELD_NAME.test(name) && !name.includes('*') ? name : null;
}
