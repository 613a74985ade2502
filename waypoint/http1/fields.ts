// The field lines of one message: offsets into its head, edits kept beside it, and the lines to forward.

import type { Fields } from '../../routing/request.ts';
import { fieldName, fieldValue } from './field-text.ts';
import { classify, HOST, KINDS, OTHER } from './known-fields.ts';

/** Numbers per field in `marks`: where name and value start and end, where the line ends, and what it is. */
const STRIDE = 6;
const NAME_START = 0;
const NAME_END = 1;
const VALUE_START = 2;
const VALUE_END = 3;
const LINE_END = 4;
const KIND = 5;

/** Low bits of KIND: the known name. Above them: what becomes of the line. */
const KNOWN = 0x3f;
/** Neither seen nor forwarded. */
const REMOVED = 0x40;
/** Forwarded as `name: value`, since it was not sent so. */
const LOOSE = 0x80;

const ABSENT: readonly string[] = Object.freeze([]);

/** Never edited by a filter: they frame the message or end at this hop, and the codec alone writes them. */
const OWNED: ReadonlySet<string> = new Set([
  ...['content-length', 'transfer-encoding', 'connection', 'keep-alive', 'proxy-connection', 'te', 'upgrade'],
  'http2-settings',
]);

export class FieldBlock implements Fields {
  /** The head, Latin-1, from the first byte of its start line. */
  text = '';
  /** Lines in the head, removed ones included. */
  count = 0;
  /** Bit `1 << kind` for every known name that was sent (known-fields.ts), whatever became of it since. */
  sent = 0;
  /** The same for names that were sent more than once. */
  repeated = 0;
  readonly #lines: number[] = new Array(KINDS).fill(0);
  /** Lines dropped since `parsed`: what an edit took away, to be given back by `revert`. */
  readonly #dropped: number[] = [];
  /** Whether what happens now is an edit; while a head is parsed, nothing is. */
  #parsed = false;
  /** The parse itself restated a line: that can not be told from an edit later. */
  #restated = false;
  readonly #marks: number[] = [];
  #addedNames: string[] = [];
  #addedValues: string[] = [];

  reset(): void {
    this.text = '';
    this.count = 0;
    this.sent = 0;
    this.repeated = 0;
    this.#parsed = false;
    this.#dropped.length = 0;
    if (this.#addedNames.length > 0) {
      this.#addedNames = [];
      this.#addedValues = [];
    }
  }

  /** One field line, offsets into `bytes`; `lineEnd` is behind its CRLF, trailing white space is still in. */
  add(bytes: Uint8Array, base: number, nameStart: number, nameEnd: number, valueStart: number, lineEnd: number): void {
    let valueEnd = lineEnd - 2;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === 0x20 || bytes[valueEnd - 1] === 0x09)) valueEnd--;
    const kind = classify(bytes, nameStart, nameEnd - nameStart);
    const exact = valueStart === nameEnd + 2 && bytes[nameEnd + 1] === 0x20 && valueEnd === lineEnd - 2;
    const marks = this.#marks;
    const i = this.count++ * STRIDE;
    marks[i] = nameStart - base;
    marks[i + NAME_END] = nameEnd - base;
    marks[i + VALUE_START] = valueStart - base;
    marks[i + VALUE_END] = valueEnd - base;
    marks[i + LINE_END] = lineEnd - base;
    marks[i + KIND] = exact ? kind : kind | LOOSE;
    if (kind === OTHER) return;
    this.repeated |= this.sent & (1 << kind);
    this.sent |= 1 << kind;
    this.#lines[kind] = this.count - 1;
  }

  /** Index of the (last) line of this kind, -1 when none was sent. */
  line(kind: number): number {
    return (this.sent & (1 << kind)) === 0 ? -1 : this.#lines[kind]!;
  }

  /** The known name of line `index`; OTHER also when it was removed. */
  kind(index: number): number {
    const mark = this.#marks[index * STRIDE + KIND]!;
    return (mark & REMOVED) === 0 ? mark & KNOWN : OTHER;
  }

  value(index: number): string {
    const i = index * STRIDE;
    return this.text.slice(this.#marks[i + VALUE_START]!, this.#marks[i + VALUE_END]!);
  }

  /** The name of line `index`, lower-case. */
  name(index: number): string {
    const i = index * STRIDE;
    return this.text.slice(this.#marks[i + NAME_START]!, this.#marks[i + NAME_END]!).toLowerCase();
  }

  /** The head is read: from here on everything is an edit. */
  parsed(): void {
    this.#parsed = true;
    this.#restated = this.#addedNames.length > 0;
  }

  /** Takes every edit back, so that the fields are again as they were parsed. false: that can not be done. */
  revert(): boolean {
    if (!this.#parsed || this.#restated) return false;
    for (const index of this.#dropped) this.#marks[index * STRIDE + KIND]! &= ~REMOVED;
    this.#dropped.length = 0;
    if (this.#addedNames.length > 0) {
      this.#addedNames = [];
      this.#addedValues = [];
    }
    return true;
  }

  drop(index: number): void {
    if (this.#parsed && this.kept(index)) this.#dropped.push(index);
    this.#marks[index * STRIDE + KIND]! |= REMOVED;
  }

  /** Drops every line whose kind is in the bit set. */
  dropAll(kinds: number): void {
    for (let i = 0; i < this.count; i++) if ((kinds & (1 << this.kind(i))) !== 0) this.drop(i);
  }

  /** What was sent means `value`: that is what is seen and forwarded, in a line behind the others. */
  restate(index: number, value: string): void {
    this.#push(this.name(index), value);
    this.drop(index);
  }

  /** Whether line `index` still is what matching may see. */
  kept(index: number): boolean {
    return (this.#marks[index * STRIDE + KIND]! & REMOVED) === 0;
  }

  has(name: string): boolean {
    return this.#next(name, 0) >= 0 || this.#addedNames.includes(name);
  }

  get(name: string): string | undefined {
    let found: string | undefined;
    for (let i = this.#next(name, 0); i >= 0; i = this.#next(name, i + 1)) {
      found = found === undefined ? this.value(i) : `${found},${this.value(i)}`;
    }
    for (let i = 0; i < this.#addedNames.length; i++) {
      if (this.#addedNames[i] === name) {
        found = found === undefined ? this.#addedValues[i]! : `${found},${this.#addedValues[i]!}`;
      }
    }
    return found;
  }

  values(name: string): readonly string[] {
    const found: string[] = [];
    for (let i = this.#next(name, 0); i >= 0; i = this.#next(name, i + 1)) found.push(this.value(i));
    for (let i = 0; i < this.#addedNames.length; i++) {
      if (this.#addedNames[i] === name) found.push(this.#addedValues[i]!);
    }
    return found.length === 0 ? ABSENT : found;
  }

  set(name: string, value: string): void {
    if (OWNED.has(name)) return;
    this.#cut(name);
    this.#push(name, value);
  }

  append(name: string, value: string): void {
    if (OWNED.has(name)) return;
    // Two Host lines would let the next hop choose.
    if (name === 'host') this.#cut(name);
    this.#push(name, value);
  }

  remove(name: string): void {
    if (!OWNED.has(name) && name !== 'host') this.#cut(name);
  }

  removeAlike(name: string): void {
    for (let i = 0; i < this.count; i++) if (this.kept(i) && this.#alike(i, name)) this.drop(i);
    if (this.#addedNames.length > 0) this.#cut(name);
  }

  entries(): readonly (readonly [name: string, value: string])[] {
    const found: [string, string][] = [];
    for (let i = 0; i < this.count; i++) {
      const start = i * STRIDE;
      if (this.kept(i))
        found.push([this.text.slice(this.#marks[start]!, this.#marks[start + NAME_END]!), this.value(i)]);
    }
    for (let i = 0; i < this.#addedNames.length; i++) found.push([this.#addedNames[i]!, this.#addedValues[i]!]);
    return found;
  }

  /**
   * The lines to forward, from offset `from` of the head: 0 takes the start line along as it was sent, else `from` is where
   * the first field line starts. Lines that nothing touched are cut out together. With `host`, all others of that name go.
   */
  write(from: number, host: string | null): string {
    const { text } = this;
    const marks = this.#marks;
    const length = this.count * STRIDE;
    let out = '';
    let runStart = from;
    let runEnd = length > 0 ? marks[0]! : from;
    if (length === 0) runEnd = Math.max(from, text.length - 2);
    for (let i = 0; i < length; i += STRIDE) {
      const mark = marks[i + KIND]!;
      if (mark <= KNOWN && (host === null || mark !== HOST)) {
        runEnd = marks[i + LINE_END]!;
        continue;
      }
      if (runEnd > runStart) out += text.slice(runStart, runEnd);
      runStart = runEnd = marks[i + LINE_END]!;
      if ((mark & REMOVED) !== 0 || (host !== null && (mark & KNOWN) === HOST)) continue;
      out += `${text.slice(marks[i]!, marks[i + NAME_END]!)}: ${text.slice(marks[i + VALUE_START]!, marks[i + VALUE_END]!)}\r\n`;
    }
    if (runEnd > runStart) out += text.slice(runStart, runEnd);
    if (host !== null) out += `host: ${host}\r\n`;
    for (let i = 0; i < this.#addedNames.length; i++) {
      if (host === null || this.#addedNames[i] !== 'host')
        out += `${this.#addedNames[i]!}: ${this.#addedValues[i]!}\r\n`;
    }
    return out;
  }

  #push(name: string, value: string): void {
    const safe = fieldName(name);
    if (safe === '') return;
    this.#addedNames.push(safe);
    this.#addedValues.push(fieldValue(value));
  }

  #cut(name: string): void {
    for (let i = this.#next(name, 0); i >= 0; i = this.#next(name, i + 1)) this.drop(i);
    if (!this.#addedNames.includes(name)) return;
    const names = this.#addedNames;
    this.#addedValues = this.#addedValues.filter((_, i) => names[i] !== name);
    this.#addedNames = names.filter((added) => added !== name);
  }

  /** Whether line `index` has this name, `_` and `.` counting as `-`. */
  #alike(index: number, name: string): boolean {
    const start = this.#marks[index * STRIDE]!;
    if (this.#marks[index * STRIDE + NAME_END]! - start !== name.length) return false;
    for (let at = 0; at < name.length; at++) {
      const code = this.text.charCodeAt(start + at);
      const wanted = name.charCodeAt(at);
      if (code === wanted || (code + 32 === wanted && wanted >= 97 && wanted <= 122)) continue;
      if (wanted !== 0x2d || (code !== 0x5f && code !== 0x2e)) return false;
    }
    return true;
  }

  /** Index of the first kept line of this name at or behind `index`, -1 when there is none. */
  #next(name: string, index: number): number {
    const marks = this.#marks;
    const length = name.length;
    for (let i = index; i < this.count; i++) {
      const start = marks[i * STRIDE]!;
      if (marks[i * STRIDE + NAME_END]! - start !== length || (marks[i * STRIDE + KIND]! & REMOVED) !== 0) continue;
      if (sameName(this.text, start, name)) return i;
    }
    return -1;
  }
}

function sameName(text: string, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const wanted = name.charCodeAt(i);
    const code = text.charCodeAt(start + i);
    if (code !== wanted && (code + 32 !== wanted || wanted < 97 || wanted > 122)) return false;
  }
  return true;
}
