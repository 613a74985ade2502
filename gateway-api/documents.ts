// YAML or JSON text to documents: where each starts, its value, and positions inside it.
import { createRequire } from 'node:module';
import type { Document, LineCounter, Node, Pair, ScalarTag, YAMLError } from 'yaml';
import type { Path } from './problem.ts';
import { readJsonQuickly } from './quick-json.ts';
import { GIVEN_UP, readQuickly } from './quick-yaml.ts';

/** The largest document that is read. An API server takes objects of about this size. */
const maxDocumentBytes = 1_048_576;
const maxAliases = 100;

/** One document's text, without the text of its neighbours. */
export interface Piece {
  readonly text: string;
  /** The line of the file that the text starts on; the first is 1. */
  readonly line: number;
}

export interface Position {
  /** 1-based, counted from the start of the piece. */
  readonly line: number;
  readonly column: number;
}

export interface SyntaxProblem extends Position {
  readonly message: string;
}

/** `salvage`: what can be made out of a text that is broken, however little. */
export type Parsed = { readonly value: unknown } | { readonly problem: SyntaxProblem; readonly salvage: unknown };

/**
 * Cuts at every line that is `---` or starts with `--- `: nothing in YAML, not even a block scalar, may contain such a line
 * at its very start (YAML 1.2.2, section 9.1.2). The line itself belongs to the document it opens.
 */
export function splitDocuments(text: string): Piece[] {
  const pieces: Piece[] = [];
  let start = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  let line = 1;
  for (let at = text.indexOf('\n---', start); at !== -1; at = text.indexOf('\n---', at + 1)) {
    const next = text.charCodeAt(at + 4);
    if (!Number.isNaN(next) && next !== 10 && next !== 13 && next !== 32 && next !== 9) continue;
    const piece = text.slice(start, at + 1);
    pieces.push({ text: piece, line });
    line += countLines(piece);
    start = at + 1;
  }
  pieces.push({ text: text.slice(start), line });
  return pieces;
}

function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

export function parseDocument(text: string): Parsed {
  if (text.length > maxDocumentBytes) {
    const message = `the document has ${text.length} characters, more than the ${maxDocumentBytes} allowed: split it with lines of ---`;
    return { problem: { line: 1, column: 1, message }, salvage: null };
  }
  const value = /^\s*[{[]/.test(text) ? readJsonQuickly(text) : readQuickly(text);
  return value === GIVEN_UP ? parseFully(text) : { value };
}

type Yaml = typeof import('yaml');

/** YAML 1.1, which Kubernetes reads, takes these words for truth: a route that means the word must quote it. */
function truthOf11(words: RegExp, value: boolean): ScalarTag {
  return { tag: 'tag:yaml.org,2002:bool', default: true, test: words, resolve: () => value };
}
const tags11 = [truthOf11(/^(?:y|yes|on)$/i, true), truthOf11(/^(?:n|no|off)$/i, false)];

/** The parser costs 10 MB and 30 ms to load, and plain manifests do without it. */
let yaml: Yaml | null = null;

function compose(text: string): { document: Document.Parsed; lines: LineCounter; more: boolean } {
  yaml ??= createRequire(import.meta.url)('yaml') as Yaml;
  const lines = new yaml.LineCounter();
  const documents = yaml.parseAllDocuments(text, {
    merge: true,
    stringKeys: true,
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'silent',
    customTags: (tags) => [...tags11, ...tags],
  }) as Document.Parsed[];
  return { document: documents[0] ?? (new yaml.Document(null) as Document.Parsed), lines, more: documents.length > 1 };
}

/** By the full parser, whatever the text. */
export function parseFully(text: string): Parsed {
  const { document, lines, more } = compose(text);
  const error = document.errors[0] ?? document.warnings[0];
  if (error !== undefined) {
    return { problem: { ...positionOf(error, lines), message: inWords(error) }, salvage: salvageOf(document) };
  }
  if (more) {
    const problem = { line: 1, column: 1, message: 'a new document must start with a line of ---' };
    return { problem, salvage: salvageOf(document) };
  }
  try {
    return { value: document.toJS({ maxAliasCount: maxAliases }) };
  } catch (thrown) {
    return { problem: aliasProblem(thrown as Error, document, lines), salvage: null };
  }
}

function salvageOf(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: maxAliases });
  } catch {
    return null;
  }
}

function aliasProblem(thrown: Error, document: Document.Parsed, lines: LineCounter): SyntaxProblem {
  let offset = 0;
  yaml?.visit(document, {
    Alias: (_key, alias) => {
      if (alias.resolve(document) === undefined) offset = alias.range?.[0] ?? 0;
    },
  });
  const excessive = /excessive/i.test(thrown.message);
  const message = excessive ? `more than ${maxAliases} values through aliases: write them out` : thrown.message;
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1), message };
}

function positionOf(error: YAMLError, lines: LineCounter): Position {
  const { line, col } = lines.linePos(error.pos[0]);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

const advice: Readonly<Partial<Record<YAMLError['code'], string>>> = {
  TAB_AS_INDENT: 'a tab in the indentation: use spaces',
  DUPLICATE_KEY: 'the key occurs twice in this mapping: remove one of the two',
  BAD_INDENT: 'the indentation does not fit: align it with its neighbours, or close the bracket before it',
  MISSING_CHAR: 'a quote, bracket or colon is missing here',
  MULTILINE_IMPLICIT_KEY: 'a key must be on one line: is a colon or a quote missing?',
  BLOCK_AS_IMPLICIT_KEY: 'a second colon on this line: put the value in quotes',
  BAD_DQ_ESCAPE: 'an escape that double quotes do not know: use single quotes, or double the backslash',
  UNEXPECTED_TOKEN: 'unexpected text: check the indentation and the quotes around this place',
  TAG_RESOLVE_FAILED: 'a tag (!…) that means nothing here: remove it',
};

function inWords(error: YAMLError): string {
  const detail = error.message.split('\n')[0];
  const hint = advice[error.code];
  return hint === undefined ? `${detail}` : `${hint} (${detail})`;
}

let composed: { readonly text: string; readonly document: Document.Parsed; readonly lines: LineCounter } | null = null;

/** Lets go of the document that positions were last looked up in. */
export function forgetPositions(): void {
  composed = null;
}

/** Where the path leads inside the document; where a part of it is missing, the place that should hold it. */
export function locate(text: string, path: Path): Position {
  if (composed?.text !== text) composed = { text, ...compose(text) };
  const { document, lines } = composed;
  let offset = document.contents?.range?.[0] ?? 0;
  let node: unknown = document.contents;
  for (const step of path) {
    const found = stepInto(node, step);
    if (found === null) break;
    offset = found.offset;
    node = found.node;
  }
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

function stepInto(node: unknown, step: string | number): { offset: number; node: unknown } | null {
  const items = (node as { items?: unknown[] } | null)?.items;
  if (items === undefined) return null;
  if (typeof step === 'number') {
    const item = items[step] as Node | undefined;
    return item?.range ? { offset: item.range[0], node: item } : null;
  }
  const pair = (items as Pair<{ value?: unknown; range?: [number, number, number] }, Node | null>[]).find(
    (each) => String(each.key?.value) === step,
  );
  return pair?.key?.range ? { offset: pair.key.range[0], node: pair.value } : null;
}
