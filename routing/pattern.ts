// Regular expressions whose time is linear in what they read: whole-string match, bounded size, compiled once per source.
//
// Patterns come from whoever may write a route, values from whoever may send a request; neither may stall the event
// loop. RE2 has no backtracking, and two bounds keep its constant small: the size of the compiled program, and the
// memory of its state cache, which beyond a point costs more time to fill than it ever gives back.

import type { RE2JS } from 're2js';

export interface Pattern {
  readonly source: string;
  /** Whether the whole of `value` matches. */
  test(value: string): boolean;
}

/** The source is no pattern, or one that would cost too much; the message says which and why. */
export class PatternError extends Error {}

const MAX_SOURCE = 1024;
/** Steps of the compiled program (Envoy's own limit was 100 for years): what the worst one costs an 8 KiB path is some 40 ms. */
const MAX_STEPS = 300;
/** A step through a class of Unicode costs as much as these. */
const UNICODE_STEPS = 4;
const STATE_CACHE_BYTES = 512 * 1024;
const MAX_CACHED = 1024;

const cache = new Map<string, CompiledPattern>();

let loaded: typeof RE2JS | null = null;

/** Loaded with the first pattern: most configurations have none, and every thread would hold its 3 MB. */
function loadEngine(): typeof RE2JS {
  loaded ??= (
    process.getBuiltinModule('node:module').createRequire(import.meta.url)('re2js') as { RE2JS: typeof RE2JS }
  ).RE2JS;
  return loaded;
}

/** Syntax is RE2's: no look-around, no back-references. Throws PatternError. */
export function compilePattern(source: string): Pattern {
  const known = cache.get(source);
  if (known !== undefined) {
    // Re-inserted, so that the first key is always the one unused for longest.
    cache.delete(source);
    cache.set(source, known);
    return known;
  }
  const pattern = new CompiledPattern(source, compile(source));
  if (cache.size >= MAX_CACHED) {
    for (const oldest of cache.keys()) {
      cache.delete(oldest);
      break;
    }
  }
  cache.set(source, pattern);
  return pattern;
}

class CompiledPattern implements Pattern {
  readonly source: string;
  /** What every matching value begins with: most values are told apart here, without the engine. */
  private readonly prefix: string;
  private readonly engine: RE2JS;

  constructor(source: string, engine: RE2JS) {
    this.source = source;
    this.prefix = literalPrefix(source);
    this.engine = engine;
  }

  test(value: string): boolean {
    return value.startsWith(this.prefix) && this.engine.testExact(value);
  }
}

function compile(source: string): RE2JS {
  if (source.length > MAX_SOURCE) {
    throw new PatternError(`regular expression is ${source.length} characters long; the limit is ${MAX_SOURCE}`);
  }
  const expanded = expandedSize(source);
  // Before it is compiled: a repeat of a repeat would take seconds.
  if (expanded > MAX_STEPS) throw tooComplex(expanded);
  let engine: RE2JS;
  try {
    engine = loadEngine().compile(source);
  } catch (error) {
    throw new PatternError(`regular expression is invalid: ${error instanceof Error ? error.message : String(error)}`);
  }
  const size = engine.programSize();
  if (size > MAX_STEPS) throw tooComplex(size);
  const program = engine.re2();
  // A one-pass program needs no state cache: asking for its `dfa` would build one.
  if (program.onepass === null) {
    program.dfa.stateBudget = STATE_CACHE_BYTES;
    program.dfa.memBudget = STATE_CACHE_BYTES;
  }
  return engine;
}

function tooComplex(steps: number): PatternError {
  return new PatternError(
    `regular expression is too complex: ${steps} steps, the limit is ${MAX_STEPS}; use smaller counts or fewer alternatives`,
  );
}

const META = /[\\^$.|?*+()[\]{}]/;
const QUANTIFIER = /[?*+{]/;

/** The characters before the first operator; '' when an alternative at the top may begin otherwise. */
function literalPrefix(source: string): string {
  if (source.includes('|') || source.includes('\\Q')) return '';
  let prefix = '';
  let at = source.startsWith('^') ? 1 : 0;
  while (at < source.length) {
    let char = source.charAt(at);
    let next = at + 1;
    if (char === '\\') {
      char = source.charAt(next);
      next += 1;
      // An escaped sign stands for itself; an escaped letter or digit for a class, an anchor or a code.
      if (char === '' || /[\p{L}\p{N}]/u.test(char) || char > '\x7f') break;
    } else if (META.test(char)) break;
    if (QUANTIFIER.test(source.charAt(next))) break;
    // Half of a surrogate pair is not a character: what quantifies it stands behind the other half.
    if (char >= '\ud800' && char <= '\udfff') break;
    prefix += char;
    at = next;
  }
  return prefix;
}

const UNICODE_CLASS = /\\[pP]/;
const COUNT = /\{(\d+)(?:,(\d*))?\}/y;

/** Steps of the source, roughly, once every counted repeat is written out: what `(a{99}){99}` really asks for. */
function expandedSize(source: string): number {
  const outer: number[] = [];
  let total = 0;
  let last = 0;
  let at = 0;
  while (at < source.length) {
    const char = source.charAt(at);
    COUNT.lastIndex = at;
    const count = char === '{' ? COUNT.exec(source) : null;
    if (char === '(') {
      outer.push(total);
      total = 0;
      last = 0;
      at += 1;
    } else if (char === ')') {
      last = total;
      total += outer.pop() ?? 0;
      at += 1;
    } else if (count !== null) {
      const times = Math.max(1, Number(count[1]), Number(count[2] ?? 0));
      total += last * (times - 1);
      last *= times;
      at += count[0].length;
    } else if (QUANTIFIER.test(char) && char !== '{') {
      at += 1;
    } else {
      const end = endOfAtom(source, at);
      last = UNICODE_CLASS.test(source.slice(at, end)) ? UNICODE_STEPS : 1;
      total += last;
      at = end;
    }
  }
  return total;
}

function endOfAtom(source: string, at: number): number {
  if (source[at] === '[') {
    // A ']' that comes first is a member of its class.
    let end = source[at + 1] === '^' ? at + 3 : at + 2;
    while (end < source.length && source[end] !== ']') end += source[end] === '\\' ? 2 : 1;
    return end + 1;
  }
  if (source[at] !== '\\') return at + 1;
  // `\p{Greek}` and `\x{10ffff}`: these braces count nothing.
  const braced = /[pPx]/.test(source.charAt(at + 1)) && source[at + 2] === '{';
  const close = braced ? source.indexOf('}', at) : -1;
  return close === -1 ? at + 2 : close + 1;
}
