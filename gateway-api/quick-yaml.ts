// A fast reader for the plain part of YAML that Kubernetes manifests are written in.
// It returns a value only where the full parser would return the same one, and gives up on everything else: anchors, tags,
// block and multi-line scalars, escapes, tabs, duplicate keys, floats, YAML 1.1 booleans, and every error.

import { trimmed } from './trimmed.ts';

/** What the quick readers return where only the full parser can tell. */
export const GIVEN_UP: unique symbol = Symbol('given up');

export function readQuickly(text: string): unknown {
  if (unusual.test(text)) return GIVEN_UP;
  try {
    return new Reader(text).document();
  } catch (error) {
    if (error === GIVEN_UP) return GIVEN_UP;
    throw error;
  }
}

/** Tabs, carriage returns, other control characters, lone surrogates and byte order marks. */
const unusual = /[\0-\x09\x0b-\x1f\x7f\x85\u2028\u2029\ufeff]|[\ud800-\udfff]/;
const key = /(?!-(?: |$))[A-Za-z0-9_./-]+:(?= |$)/my;
const flowKey = /([A-Za-z0-9_./-]+): |"([A-Za-z0-9_./-]+)": ?/y;
const maxDepth = 64;

function giveUp(): never {
  throw GIVEN_UP;
}

class Reader {
  readonly #text: string;
  /** For each line that says something: its indent, and where what it says starts and ends. */
  readonly #indents: number[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #line = 0;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    let from = 0;
    while (from < text.length) {
      const newline = text.indexOf('\n', from);
      const end = newline === -1 ? text.length : newline;
      this.#addLine(from, end);
      from = end + 1;
    }
  }

  #addLine(from: number, lineEnd: number): void {
    const text = this.#text;
    let start = from;
    while (start < lineEnd && text.charCodeAt(start) === 32) start++;
    let end = lineEnd;
    while (end > start && text.charCodeAt(end - 1) === 32) end--;
    if (start === end || text.charCodeAt(start) === 35 /* # */) return;
    if (start === from) {
      const first = text.charCodeAt(start);
      if (first === 37 /* % */ || text.startsWith('...', start)) giveUp();
      if (text.startsWith('---', start)) {
        const rest = text.slice(start + 3, end).trimStart();
        if (this.#starts.length > 0 || (rest !== '' && (end === start + 3 || !rest.startsWith('#')))) giveUp();
        if (rest !== '' && text.charCodeAt(start + 3) !== 32) giveUp();
        return;
      }
    }
    this.#indents.push(start - from);
    this.#starts.push(start);
    this.#ends.push(end);
  }

  document(): unknown {
    if (this.#starts.length === 0) return null;
    const value = this.#block(this.#indents[0]!);
    return this.#line === this.#starts.length ? value : giveUp();
  }

  #block(indent: number): unknown {
    if (++this.#depth > maxDepth) giveUp();
    const value = this.#startsItem() ? this.#sequence(indent) : this.#mapping(indent);
    this.#depth--;
    return value;
  }

  #startsItem(): boolean {
    const start = this.#starts[this.#line]!;
    if (this.#text.charCodeAt(start) !== 45 /* - */) return false;
    return start + 1 === this.#ends[this.#line] || this.#text.charCodeAt(start + 1) === 32;
  }

  #sequence(indent: number): unknown[] {
    const items: unknown[] = [];
    while (this.#line < this.#starts.length && this.#indents[this.#line] === indent && this.#startsItem()) {
      items.push(this.#item(indent));
    }
    return trimmed(items);
  }

  #item(indent: number): unknown {
    const line = this.#line;
    const end = this.#ends[line]!;
    let start = this.#starts[line]! + 1;
    while (start < end && this.#text.charCodeAt(start) === 32) start++;
    if (start === end || this.#text.charCodeAt(start) === 35) return this.#below(indent);
    // What follows the dash is a block of its own, indented as far as it stands to the right.
    this.#indents[line] = indent + start - this.#starts[line]!;
    this.#starts[line] = start;
    if (this.#startsItem() || this.#keyAt(start) !== 0) return this.#block(this.#indents[line]!);
    const value = this.#scalar(start, end);
    this.#line++;
    this.#mustNotContinue(indent);
    return value;
  }

  /** The block on the lines below one that ends with its indicator; null when there is none. */
  #below(indent: number): unknown {
    this.#line++;
    const next = this.#indents[this.#line];
    return next !== undefined && next > indent ? this.#block(next) : null;
  }

  #mustNotContinue(indent: number): void {
    const next = this.#indents[this.#line];
    if (next !== undefined && next > indent) giveUp();
  }

  /** The length of the plain key at `start` with its colon, 0 when there is none. */
  #keyAt(start: number): number {
    key.lastIndex = start;
    return key.test(this.#text) ? key.lastIndex - start : 0;
  }

  #mapping(indent: number): Record<string, unknown> {
    const mapping: Record<string, unknown> = {};
    while (this.#line < this.#starts.length && this.#indents[this.#line] === indent && !this.#startsItem()) {
      const start = this.#starts[this.#line]!;
      const length = this.#keyAt(start);
      if (length === 0) giveUp();
      const name = this.#text.slice(start, start + length - 1);
      if (name in mapping) giveUp();
      mapping[name] = this.#member(start + length, indent);
    }
    return mapping;
  }

  #member(from: number, indent: number): unknown {
    const end = this.#ends[this.#line]!;
    let start = from;
    while (start < end && this.#text.charCodeAt(start) === 32) start++;
    if (start < end && this.#text.charCodeAt(start) !== 35) {
      const value = this.#scalar(start, end);
      this.#line++;
      this.#mustNotContinue(indent);
      return value;
    }
    this.#line++;
    const next = this.#indents[this.#line];
    if (next === undefined || next < indent) return null;
    if (next > indent) return this.#block(next);
    return this.#startsItem() ? this.#sequence(indent) : null;
  }

  /** A scalar or a flow collection that fills the rest of its line but for a comment. */
  #scalar(start: number, end: number): unknown {
    const first = this.#text[start]!;
    if (first === '"' || first === "'" || first === '{' || first === '[') {
      this.#at = start;
      const value = this.#flow(end);
      if (this.#at < end && !/^ +(?:#|$)/.test(this.#text.slice(this.#at, end))) giveUp();
      return value;
    }
    const rest = this.#text.slice(start, end);
    const comment = rest.indexOf(' #');
    const plain = comment === -1 ? rest : rest.slice(0, comment).trimEnd();
    if (plain.includes(': ') || plain.endsWith(':')) giveUp();
    return resolvePlain(plain);
  }

  #flow(end: number): unknown {
    const first = this.#text[this.#at];
    if (first === '"' || first === "'") return this.#quoted(first, end);
    if (first === '{') return this.#flowMapping(end);
    if (first === '[') return this.#flowSequence(end);
    const from = this.#at;
    while (this.#at < end && !',[]{}'.includes(this.#text[this.#at]!)) this.#at++;
    const plain = this.#text.slice(from, this.#at).trimEnd();
    if (plain === '' || plain.includes(':') || plain.includes('#')) giveUp();
    return resolvePlain(plain);
  }

  #quoted(quote: string, end: number): string {
    const from = this.#at + 1;
    const close = this.#text.indexOf(quote, from);
    if (close === -1 || close >= end || this.#text[close + 1] === quote) giveUp();
    const value = this.#text.slice(from, close);
    if (quote === '"' && value.includes('\\')) giveUp();
    this.#at = close + 1;
    return value;
  }

  #flowSequence(end: number): unknown[] {
    const items: unknown[] = [];
    this.#open();
    if (this.#closes(']')) return items;
    for (;;) {
      items.push(this.#flow(end));
      if (!this.#continues(']')) return trimmed(items);
    }
  }

  #flowMapping(end: number): Record<string, unknown> {
    const mapping: Record<string, unknown> = {};
    this.#open();
    if (this.#closes('}')) return mapping;
    for (;;) {
      flowKey.lastIndex = this.#at;
      const found = flowKey.exec(this.#text);
      const name = found?.[1] ?? found?.[2];
      if (name === undefined || name in mapping || flowKey.lastIndex >= end) giveUp();
      this.#at = flowKey.lastIndex;
      this.#skipSpaces();
      mapping[name] = this.#flow(end);
      if (!this.#continues('}')) return mapping;
    }
  }

  #open(): void {
    if (++this.#depth > maxDepth) giveUp();
    this.#at++;
    this.#skipSpaces();
  }

  #closes(bracket: string): boolean {
    if (this.#text[this.#at] !== bracket) return false;
    this.#at++;
    this.#depth--;
    return true;
  }

  #continues(bracket: string): boolean {
    this.#skipSpaces();
    if (this.#closes(bracket)) return false;
    if (this.#text[this.#at] !== ',') giveUp();
    this.#at++;
    this.#skipSpaces();
    return true;
  }

  #skipSpaces(): void {
    while (this.#text[this.#at] === ' ') this.#at++;
  }
}

const words: Readonly<Record<string, unknown>> = Object.assign(Object.create(null), {
  true: true,
  True: true,
  TRUE: true,
  false: false,
  False: false,
  FALSE: false,
  null: null,
  Null: null,
  NULL: null,
  '~': null,
});
const integer = /^[-+]?[0-9]{1,15}$/;
/** Numbers that are not decimal integers, and the words that only YAML 1.1 takes for truth. */
const notForUs = /^(?:[-+]?(?:\.[0-9]|[0-9]+\.?[0-9]*(?:[eE][-+]?[0-9]+)?$|0[xo]|\.inf|\.nan)|(?:y|n|yes|no|on|off)$)/i;

function resolvePlain(plain: string): unknown {
  const known = words[plain];
  if (known !== undefined) return known;
  if (integer.test(plain)) return Number(plain);
  if (notForUs.test(plain) || /^(?:[-?:](?: |$)|[,[\]{}#&*!|>'"%@`])/.test(plain)) giveUp();
  return plain;
}
