// Gathers findings: each once, with the object and the place in a file that it is about.

import type { AnyResource } from '../resources.ts';
import type { Finding } from '../store.ts';

/** A finding before it knows where its object stands. `code` is snake_case and stable: people silence and search by it. */
export interface Note {
  readonly severity: Finding['severity'];
  readonly code: string;
  /** JSON path in the object, '' for the object as a whole. */
  readonly path: string;
  /** What is wrong, and the next step. */
  readonly message: string;
}

export class FindingReport {
  readonly #findings = new Map<string, Finding>();

  add(resource: AnyResource, note: Note): void {
    const object = nameOf(resource);
    const { file, line } = resource.origin;
    this.#findings.set(`${object}\n${note.code}\n${note.path}\n${note.message}`, {
      ...note,
      file,
      line,
      column: 1,
      object,
    });
  }

  /** By file, line, path, code: the order of the text that was read. */
  sorted(): Finding[] {
    return [...this.#findings.values()].sort(
      (a, b) =>
        compareText(a.file, b.file) || a.line - b.line || compareText(a.path, b.path) || compareText(a.code, b.code),
    );
  }
}

/** `HTTPRoute shop/orders`, `GatewayClass waypoint`. */
export function nameOf({ kind, metadata: { namespace, name } }: AnyResource): string {
  return namespace === '' ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

/** `file:line`, for messages that point at a second object. */
export function placeOf({ origin: { file, line } }: AnyResource): string {
  return `${file}:${line}`;
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
