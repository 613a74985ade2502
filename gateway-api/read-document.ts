// One document's text to the objects in it, each validated, with what is wrong and where.
import { hash } from 'node:crypto';
import { forgetPositions, locate, type Position, parseDocument, type SyntaxProblem } from './documents.ts';
import { DRY_RUN, findKind, type Kind, type KindName } from './kinds.ts';
import { formatPath, type Path, type Problem } from './problem.ts';
import type { AnyResource } from './resources.ts';
import type { Finding } from './store.ts';
import { trimmed } from './trimmed.ts';
import { validate } from './validate.ts';

/** A finding with lines counted from the start of its document, not yet of a file. */
type LocalFinding = Omit<Finding, 'file'>;

/** One object of a document. Two reads of one text give equal objects; the store decides which of them is kept. */
export interface ReadObject {
  readonly kind: KindName;
  /** `HTTPRoute shop/orders` */
  readonly title: string;
  /** `namespace/name`, or `name` for a cluster-scoped kind. */
  readonly key: string;
  /** null when the object is invalid. `origin.file` and, without a creationTimestamp, `createdAt` are still to be set. */
  readonly resource: AnyResource | null;
  /** Of an invalid object that guards others: what keeps its targets guarded. */
  readonly broken: AnyResource | null;
  /** It is of a kind that guards others. */
  readonly guards: boolean;
  /** Whether the object says itself when it was created. */
  readonly dated: boolean;
  readonly line: number;
  readonly findings: readonly LocalFinding[];
}

export interface ReadDocument {
  readonly objects: readonly ReadObject[];
  /** What is wrong with the document as a whole. */
  readonly findings: readonly LocalFinding[];
  readonly syntaxProblem: SyntaxProblem | null;
}

type Fields = Record<string, unknown>;

const noFindings: readonly LocalFinding[] = [];

interface Place {
  readonly text: string;
  /** Where the object is inside the document: empty, or the item of a List. */
  readonly path: Path;
}

export function readDocument(text: string): ReadDocument {
  try {
    return read(text);
  } finally {
    forgetPositions();
  }
}

function read(text: string): ReadDocument {
  const parsed = parseDocument(text);
  if ('problem' in parsed) {
    return {
      objects: guardsIn(parsed.salvage, parsed.problem, text),
      findings: noFindings,
      syntaxProblem: parsed.problem,
    };
  }
  const { value } = parsed;
  if (value === null) return { objects: [], findings: noFindings, syntaxProblem: null };
  const place: Place = { text, path: [] };
  if (isFields(value) && value['kind'] === 'List' && value['apiVersion'] === 'v1') return readList(value, text);
  return documentOf([readObject(value, place)]);
}

/** What is left of an object that guards others, if the broken text is one. The syntax is told of the document, not of it. */
function guardsIn(salvage: unknown, { message }: SyntaxProblem, text: string): readonly ReadObject[] {
  if (!isFields(salvage) || typeof salvage['apiVersion'] !== 'string' || typeof salvage['kind'] !== 'string') return [];
  const kind = findKind(salvage['apiVersion'].split('/', 1)[0] as string, salvage['kind']);
  if (kind?.broken === undefined) return [];
  const read = readKnown(kind, salvage, { text, path: [] }, [{ path: [], message }]);
  return 'kind' in read ? [{ ...read, findings: noFindings }] : [];
}

function readList(value: Fields, text: string): ReadDocument {
  const items = value['items'] ?? [];
  if (!Array.isArray(items)) {
    const problem = { path: ['items'], message: 'must be a list' };
    return documentOf([finding('List', problem, { text, path: [] })]);
  }
  return documentOf(items.map((item, index) => readObject(item, { text, path: ['items', index] })));
}

function documentOf(parts: readonly (ReadObject | LocalFinding)[]): ReadDocument {
  const objects = trimmed(parts.filter((part) => 'kind' in part));
  const findings = parts.filter((part) => 'code' in part);
  return { objects, findings: findings.length === 0 ? noFindings : findings, syntaxProblem: null };
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readObject(value: unknown, place: Place): ReadObject | LocalFinding {
  if (!isFields(value)) {
    return finding('', { path: [], message: 'a document must be a mapping with apiVersion, kind and metadata' }, place);
  }
  const { apiVersion, kind: kindName } = value;
  if (typeof kindName !== 'string' || kindName === '') return finding('', missing('kind'), place);
  if (typeof apiVersion !== 'string' || apiVersion === '') return finding(kindName, missing('apiVersion'), place);
  const slash = apiVersion.indexOf('/');
  const group = slash === -1 ? '' : apiVersion.slice(0, slash);
  const kind = findKind(group, kindName);
  if (kind === null) return unknownKind(`${kindName} (${apiVersion})`, place);
  if (!kind.versions.includes(apiVersion.slice(slash + 1))) {
    const versions = kind.versions.map((version) => (group === '' ? version : `${group}/${version}`));
    const problem = { path: ['apiVersion'], message: `must be ${versions.join(' or ')} (got ${apiVersion})` };
    return kind.broken === undefined ? finding(kindName, problem, place) : readKnown(kind, value, place, [problem]);
  }
  return readKnown(kind, value, place, validate(kind.schema, value));
}

function missing(field: string): Problem {
  return { path: [], message: `${field}: is required` };
}

function readKnown(kind: Kind, value: Fields, place: Place, problems: readonly Problem[]): ReadObject | LocalFinding {
  const metadata = isFields(value['metadata']) ? value['metadata'] : {};
  const line = firstLine(place.text);
  const name = nameOf(metadata, kind, value);
  if (name === null) return finding(kind.name, problems[0] ?? missing('metadata.name'), place);
  const namespace = kind.scope === 'Cluster' ? '' : namespaceOf(metadata);
  const plain = namespace === '' ? name : `${namespace}/${name}`;
  const key = `${plain}${kind.suffix ?? ''}`;
  const title = `${kind.name} ${key}`;
  const dated = typeof metadata['creationTimestamp'] === 'string';
  const frame = { kind: kind.name, title, key, guards: kind.broken !== undefined, dated, line };
  if (problems.length === 0) {
    const resource = resourceOf(kind, value, { namespace, line });
    return { ...frame, resource, broken: null, findings: noFindings };
  }
  const broken = brokenOf(kind, value, problems, { name, namespace, line });
  const findings = problems.map((problem) => finding(`${kind.name} ${plain}`, problem, place));
  return { ...frame, resource: null, broken, findings };
}

/** What guards others has a name even where nobody gave it one: without it, its targets would stand open. */
function nameOf({ name }: Fields, { broken }: Kind, value: Fields): string | null {
  if (typeof name === 'string' && name !== '') return name;
  return broken === undefined ? null : `unnamed-${hash('sha1', JSON.stringify(value)).slice(0, 8)}`;
}

/** Labels and all else that nobody asks of it may be as wrong as the rest. */
function brokenOf(
  kind: Kind,
  value: Fields,
  problems: readonly Problem[],
  { name, ...at }: { name: string; namespace: string; line: number },
): AnyResource | null {
  if (kind.broken === undefined) return null;
  const { annotations } = isFields(value['metadata']) ? value['metadata'] : noFields;
  const [first, ...others] = problems.map(({ path, message }) =>
    path.length === 0 ? message : `${formatPath(path)}: ${message}`,
  );
  const failure = others.length === 0 ? String(first) : `${first} (and ${others.length} more)`;
  const isDryRun = isFields(annotations) && annotations[DRY_RUN] === 'true';
  const metadata = { name, annotations: isDryRun ? { [DRY_RUN]: 'true' } : noLabels };
  return resourceOf({ ...kind, spec: (object) => kind.broken?.(object, failure) }, { ...value, metadata }, at);
}

function namespaceOf(metadata: Fields): string {
  const { namespace } = metadata;
  return typeof namespace === 'string' && namespace !== '' ? namespace : 'default';
}

const noLabels: Readonly<Record<string, string>> = {};
const noFields: Fields = {};

function resourceOf(kind: Kind, value: Fields, at: { namespace: string; line: number }): AnyResource {
  const metadata = value['metadata'] as Fields;
  return {
    kind: kind.name,
    apiVersion: value['apiVersion'],
    metadata: {
      name: metadata['name'],
      namespace: at.namespace,
      labels: metadata['labels'] ?? noLabels,
      annotations: metadata['annotations'] ?? noLabels,
      generation: metadata['generation'] ?? 1,
    },
    spec: kind.spec(value),
    origin: { file: '', line: at.line },
    createdAt: Date.parse(String(metadata['creationTimestamp'])),
  } as AnyResource;
}

/** The first line that says something. An item of a List has its List's: finding each one's own is not worth a full parse. */
function firstLine(text: string): number {
  let line = 1;
  for (let at = 0; at < text.length; line++) {
    const newline = text.indexOf('\n', at);
    const end = newline === -1 ? text.length : newline;
    const content = text.slice(at, end).trim();
    if (content !== '' && !content.startsWith('#') && !content.startsWith('---')) return line;
    at = end + 1;
  }
  return 1;
}

function positionOf(place: Place, path: Path): Position {
  if (place.path.length + path.length === 0) return { line: firstLine(place.text), column: 1 };
  return locate(place.text, [...place.path, ...path]);
}

function finding(object: string, problem: Problem, place: Place): LocalFinding {
  const position = positionOf(place, problem.path);
  const path = formatPath(problem.path);
  return { severity: 'error', code: 'invalid', ...position, object, path, message: problem.message };
}

function unknownKind(what: string, place: Place): LocalFinding {
  const message = `${what} means nothing to a waypoint and is ignored`;
  return { severity: 'warning', code: 'unknown_kind', ...positionOf(place, []), object: '', path: '', message };
}
