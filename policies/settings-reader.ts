// Reads the fields of one settings object as written in a resource: what is wrong or unknown is reported at its path, nothing is guessed.

import { parseDuration } from './duration.ts';
import type { DecodeReport } from './policy.ts';

/** Both ends are allowed. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

export class SettingsReader {
  /** Nothing was reported so far. */
  sound = true;
  readonly path: string;
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #report: DecodeReport;

  /** `known`: every field that may be there; another one is reported, never ignored. */
  constructor(raw: unknown, path: string, report: DecodeReport, known: readonly string[]) {
    this.path = path;
    this.#report = report;
    this.#fields = isObject(raw) ? raw : {};
    const choice = known.join(', ') || 'no field at all';
    if (!isObject(raw)) this.refuse('', `must be an object with ${choice}`);
    for (const field of Object.keys(this.#fields)) {
      if (!known.includes(field)) this.refuse(field, `is unknown here: write ${choice}`);
    }
  }

  /** `field` may carry an index, `codes[1]`; '' is the object itself. */
  refuse(field: string, message: string): void {
    this.sound = false;
    this.#report.unsupported(field === '' ? this.path : `${this.path}.${field}`, message);
  }

  has(field: string): boolean {
    return this.#fields[field] !== undefined;
  }

  value(field: string): unknown {
    return this.#fields[field];
  }

  at(field: string): string {
    return `${this.path}.${field}`;
  }

  /** In ms; `0s` is allowed and means none. */
  duration(field: string, fallback: number): number {
    const raw = this.#fields[field];
    if (raw === undefined) return fallback;
    const ms = typeof raw === 'string' ? parseDuration(raw) : null;
    if (ms === null) this.refuse(field, `${quote(raw)} is no duration: write 10s, 500ms or 1m30s (GEP-2257)`);
    return ms ?? fallback;
  }

  /** In ms, at least 1 ms. */
  period(field: string, fallback: number): number {
    const ms = this.duration(field, fallback);
    if (parseDuration(String(this.#fields[field])) === 0) this.refuse(field, 'must be longer than 0s');
    return ms;
  }

  integer(field: string, range: Range, fallback: number): number {
    const raw = this.#fields[field];
    if (raw === undefined) return fallback;
    if (inRange(raw, range) && Number.isInteger(raw)) return raw;
    this.refuse(field, `${quote(raw)} is no whole number from ${range.min} to ${range.max}`);
    return fallback;
  }

  number(field: string, range: Range, fallback: number): number {
    const raw = this.#fields[field];
    if (raw === undefined) return fallback;
    if (inRange(raw, range)) return raw;
    this.refuse(field, `${quote(raw)} is no number from ${range.min} to ${range.max}`);
    return fallback;
  }

  list(field: string): readonly unknown[] | null {
    const raw = this.#fields[field];
    if (raw === undefined) return null;
    if (Array.isArray(raw)) return raw;
    this.refuse(field, `${quote(raw)} is no list`);
    return null;
  }

  /** Members that are whole numbers in the range; the others are reported. */
  integers(field: string, range: Range): readonly number[] | null {
    const members = this.list(field);
    if (members === null) return null;
    const numbers: number[] = [];
    for (const [index, member] of members.entries()) {
      if (inRange(member, range) && Number.isInteger(member)) numbers.push(member);
      else this.refuse(`${field}[${index}]`, `${quote(member)} is no whole number from ${range.min} to ${range.max}`);
    }
    return numbers;
  }

  /** Reports each field that must be written and is not. */
  mandatory(...fields: readonly string[]): void {
    for (const field of fields) if (!this.has(field)) this.refuse(field, 'is missing');
  }
}

/** 0 to 100, fractions allowed. */
export const PERCENT: Range = { min: 0, max: 100 };

/** What counts and limits may be. */
export const COUNT: Range = { min: 0, max: 2 ** 31 - 1 };
export const POSITIVE: Range = { min: 1, max: 2 ** 31 - 1 };

export function quote(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : (JSON.stringify(value) ?? String(value));
}

function isObject(raw: unknown): raw is Readonly<Record<string, unknown>> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw);
}

function inRange(raw: unknown, range: Range): raw is number {
  return typeof raw === 'number' && raw >= range.min && raw <= range.max;
}
