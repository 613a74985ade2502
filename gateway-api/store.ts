// The objects of all files at one moment: per-document cache, last good versions, reading order, findings.
import { hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type Piece, splitDocuments } from './documents.ts';
import { FileOrder } from './file-order.ts';
import { type Held, ObjectTable } from './object-table.ts';
import { type ReadDocument, type ReadObject, readDocument } from './read-document.ts';
import type { AnyResource, Resources } from './resources.ts';

export interface Finding {
  readonly severity: 'error' | 'warning' | 'info';
  /** snake_case, from a bounded set. */
  readonly code: string;
  readonly file: string;
  /** 1-based; 0 when the finding is about no line. */
  readonly line: number;
  readonly column: number;
  /** `HTTPRoute shop/orders`, or ''. */
  readonly object: string;
  /** Where in the object: `spec.rules[0].matches[0].path.type`, or ''. */
  readonly path: string;
  readonly message: string;
}

/** A finding about a file as such. */
export type Note = Omit<Finding, 'file' | 'object' | 'path'>;

/** A file's text, read and validated but not yet believed. */
export interface Draft {
  readonly file: string;
  readonly documents: readonly CachedDocument[];
  /** The text cannot be read as a whole; committing it keeps what the file said before. */
  readonly broken: boolean;
  /** Objects that the file held before are not in it any more. */
  readonly losesObjects: boolean;
  /** Objects that the file did not hold before are held by another file. */
  readonly repeatsObjects: boolean;
  /** Broken, or something in it is invalid. */
  readonly flawed: boolean;
}

interface CachedDocument {
  readonly hash: string;
  /** The line of the file that the document starts on. */
  readonly line: number;
  readonly read: ReadDocument;
}

interface FileEntry {
  readonly documents: readonly CachedDocument[];
  /** By `Kind namespace/name`, in reading order. */
  readonly held: ReadonlyMap<string, Held>;
  readonly findings: readonly Finding[];
}

interface Placement {
  readonly file: string;
  readonly document: CachedDocument;
  readonly before: ReadonlyMap<string, Held>;
  readonly held: Map<string, Held>;
  readonly findings: Finding[];
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const noEntry: FileEntry = { documents: [], held: new Map(), findings: [] };

export class Store {
  readonly #files = new Map<string, FileEntry>();
  readonly #order = new FileOrder();
  readonly #objects = new ObjectTable();
  readonly #notes = new Map<string, Note>();
  /** Files with findings: of thousands usually none. */
  readonly #flawed = new Map<string, readonly Finding[]>();
  #findings: readonly Finding[] | null = null;

  /** All objects, immutable: maps of kinds and objects that did not change are the ones of before. */
  get resources(): Resources {
    return this.#objects.resources;
  }

  /** By file, then line. */
  get findings(): readonly Finding[] {
    this.#findings ??= [
      ...[...this.#notes].map(([file, note]) => ({ ...note, file, object: '', path: '' })),
      ...[...this.#flawed.values()].flat(),
      ...[...this.#objects.contested].flatMap(([title, holders]) => duplicates(title, holders)),
    ].sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
    return this.#findings;
  }

  get files(): Iterable<string> {
    return this.#files.keys();
  }

  /** Puts the text in place of what the file said. True when resources or findings may have changed. */
  apply(file: string, text: string): boolean {
    return this.commit(this.draft(file, text));
  }

  /** A finding about the file as such, in place of the one before; null takes it back. True when that changed something. */
  note(file: string, note: Note | null): boolean {
    const before = this.#notes.get(file);
    if (note === null ? before === undefined : isDeepStrictEqual(before, note)) return false;
    if (note === null) this.#notes.delete(file);
    else this.#notes.set(file, note);
    this.#findings = null;
    return true;
  }

  /** Reads the text, only those documents anew that the file did not have already. */
  draft(file: string, text: string): Draft {
    const entry = this.#files.get(file) ?? noEntry;
    const known = new Map(entry.documents.map((document) => [document.hash, document.read]));
    const documents = splitDocuments(text).map((piece) => readCached(piece, known));
    const broken = documents.some((document) => document.read.syntaxProblem !== null);
    const titles = new Set(documents.flatMap((document) => document.read.objects.map((object) => object.title)));
    return {
      file,
      documents,
      broken,
      losesObjects: [...entry.held.keys()].some((title) => !titles.has(title)),
      repeatsObjects: [...titles].some((title) => !entry.held.has(title) && this.#objects.holds(title)),
      flawed: broken || documents.some(isFlawed),
    };
  }

  commit(draft: Draft): boolean {
    const { file, documents } = draft;
    const entry = this.#files.get(file) ?? noEntry;
    this.#findings = null;
    // A file that was once good keeps what it said.
    if (draft.broken && entry.documents.length > 0) {
      this.#keep(file, { ...entry, findings: syntaxFindings(draft, entry.held.size === 0 ? '' : KEPT) });
      return true;
    }
    const findings: Finding[] = [];
    const held = new Map<string, Held>();
    for (const document of documents) {
      for (const finding of document.read.findings) findings.push(placed(finding, document, file));
      // One that never was leaves what guards others, as far as it can be read: where it should be, nothing may be open.
      const objects = draft.broken ? document.read.objects.filter(({ guards }) => guards) : document.read.objects;
      for (const object of objects) hold(object, { file, document, before: entry.held, held, findings });
    }
    if (draft.broken) findings.push(...syntaxFindings(draft, ''));
    this.#keep(file, { documents: draft.broken ? [] : documents, held, findings });
    const renumbered = this.#number(file, held);
    const changed = this.#objects.exchange(entry.held, held);
    return changed || renumbered || findings.length + entry.findings.length > 0;
  }

  #keep(file: string, entry: FileEntry): void {
    this.#files.set(file, entry);
    if (entry.findings.length > 0) this.#flawed.set(file, entry.findings);
    else this.#flawed.delete(file);
  }

  /** The file is gone, and its objects with it. */
  remove(file: string): boolean {
    const noted = this.note(file, null);
    const entry = this.#files.get(file);
    if (entry === undefined) return noted;
    this.#files.delete(file);
    this.#flawed.delete(file);
    this.#order.remove(file);
    this.#findings = null;
    const changed = this.#objects.exchange(entry.held, noEntry.held);
    return changed || noted || entry.findings.length > 0;
  }

  /** Gives each object its place in reading order. True when other files' objects had to move for it. */
  #number(file: string, held: ReadonlyMap<string, Held>): boolean {
    const objects = [...held.values()];
    const had = objects.map((object) => (Number.isNaN(object.order) ? null : object.order));
    const orders = this.#order.place(file, had);
    if (orders !== null) {
      for (const [index, object] of objects.entries()) setOrder(object, orders[index]!);
      return false;
    }
    for (const [each, numbers] of this.#order.restart((name) => this.#files.get(name)!.held.size)) {
      const entry = this.#files.get(each)!;
      for (const [index, object] of [...entry.held.values()].entries()) setOrder(object, numbers[index]!);
      if (each !== file) this.#objects.exchange(entry.held, entry.held);
    }
    return true;
  }
}

function readCached(piece: Piece, known: ReadonlyMap<string, ReadDocument>): CachedDocument {
  const digest = hash('sha1', piece.text, 'base64');
  return { hash: digest, line: piece.line, read: known.get(digest) ?? readDocument(detached(piece.text)) };
}

/**
 * A copy that stands for itself. Strings cut out of a text keep all of it alive: without the copy, one value of one
 * document would hold on to the whole file, in every version that some object stems from.
 */
function detached(text: string): string {
  return Buffer.from(text).toString();
}

function isFlawed({ read }: CachedDocument): boolean {
  return read.findings.some((each) => each.severity === 'error') || read.objects.some((each) => each.resource === null);
}

/** Takes the object into `held`, in the version that may serve, and tells what is wrong with it. */
function hold(object: ReadObject, { file, document, before, held, findings }: Placement): void {
  const first = held.get(object.title);
  if (first !== undefined) {
    const message = `is defined here and before, on line ${first.resource.origin.line}: the first one counts`;
    findings.push({ ...duplicate, file, line: document.line + object.line - 1, object: object.title, message });
    return;
  }
  const old = before.get(object.title);
  const isKept = object.resource === null && old !== undefined && !isBroken(old.resource);
  // Without a good version there is nothing to keep: what guards others then keeps them closed.
  const read = object.resource ?? (isKept ? null : object.broken);
  const kept = isKept ? '; its last good version keeps serving' : read === null ? '' : `; ${CLOSED}`;
  for (const finding of object.findings) {
    findings.push(placed({ ...finding, message: finding.message + kept }, document, file));
  }
  if (read === null) {
    if (old !== undefined) held.set(object.title, old);
    return;
  }
  const unchanged = old !== undefined && sameObject(old.resource, read);
  const { kind, key, dated } = object;
  const resource = unchanged ? old.resource : read;
  // The place is kept up to date on the object itself: that a document moved down by a line is no change of the object.
  const origin = resource.origin as Mutable<AnyResource['origin']>;
  origin.file = file;
  origin.line = document.line + object.line - 1;
  held.set(object.title, unchanged ? old : { kind, key, dated, resource, order: old?.order ?? Number.NaN });
}

const CLOSED = 'until it is valid it fails closed: whatever it is about is refused at its targets';

/** Read only as far as is needed to keep its targets guarded. */
function isBroken({ spec }: AnyResource): boolean {
  return 'failure' in spec;
}

function sameObject(a: AnyResource, b: AnyResource): boolean {
  if (a === b) return true;
  const dated = !(a.createdAt < 0 || Number.isNaN(a.createdAt));
  if (a.apiVersion !== b.apiVersion || (dated ? a.createdAt !== b.createdAt : b.createdAt >= 0)) return false;
  return isDeepStrictEqual(a.metadata, b.metadata) && isDeepStrictEqual(a.spec, b.spec);
}

function setOrder(held: Held, order: number): void {
  held.order = order;
  const { resource } = held;
  if (held.dated || resource.createdAt === order) return;
  // A resource that nobody has seen takes its number; one that is in use is replaced.
  if (Number.isNaN(resource.createdAt)) (resource as Mutable<AnyResource>).createdAt = order;
  else held.resource = { ...resource, createdAt: order };
}

function placed(finding: Omit<Finding, 'file'>, document: CachedDocument, file: string): Finding {
  return { ...finding, file, line: document.line + finding.line - 1 };
}

const duplicate = { severity: 'error', code: 'duplicate_object', column: 1, path: '' } as const;

function duplicates(title: string, [first, ...rest]: readonly Held[]): Finding[] {
  const { origin } = first!.resource;
  const message = `is defined here and in ${origin.file}:${origin.line}: the first one counts`;
  return rest.map(({ resource: { origin: here } }) => ({
    ...duplicate,
    file: here.file,
    line: here.line,
    object: title,
    message,
  }));
}

const KEPT = '; the last good version of this file keeps serving';

/** `kept`: what serves in place of the file, in words that follow the problem. */
function syntaxFindings(draft: Draft, kept: string): Finding[] {
  return draft.documents.flatMap((document): Finding[] => {
    const { syntaxProblem: problem, objects } = document.read;
    if (problem === null) return [];
    const finding = { severity: 'error', code: 'syntax', object: '', path: '', ...problem } as const;
    const consequence = kept === '' && objects.length > 0 ? `; ${CLOSED}` : kept;
    return [placed({ ...finding, message: problem.message + consequence }, document, draft.file)];
  });
}
