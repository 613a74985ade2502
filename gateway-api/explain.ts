// The full validation of a value against its schema, by ajv: every violation, in plain words.
import { createRequire } from 'node:module';
import type { Ajv, ErrorObject, ValidateFunction } from 'ajv';
import { nearest } from './nearest.ts';
import type { Path, Problem } from './problem.ts';
import { listKey } from './schemas/accept.ts';
import { members } from './schemas/members.ts';
import type { Schema } from './schemas/schema.ts';

type Value = Record<string, unknown>;

/** All violations of the schema, then all failed checks. Fills in defaults in place, as the API server does. */
export function explain(schema: Schema, value: unknown): Problem[] {
  dropNulls(schema, value);
  const validate = validator(schema);
  if (!validate(value)) return (validate.errors ?? []).map((error) => toProblem(error, value));
  const problems: Problem[] = [];
  runChecks(schema, value, { path: [], problems });
  return problems;
}

const validators = new WeakMap<Schema, ValidateFunction>();
let ajv: Ajv | null = null;

function validator(schema: Schema): ValidateFunction {
  let validate = validators.get(schema);
  if (validate === undefined) {
    ajv ??= load();
    validate = ajv.compile(schema);
    validators.set(schema, validate);
  }
  return validate;
}

/** ajv costs 10 MB and 40 ms to load, and most configurations are never in doubt: it is loaded by the first that is. */
function load(): Ajv {
  const require = createRequire(import.meta.url);
  const { Ajv } = require('ajv') as typeof import('ajv');
  const instance = new Ajv({
    strict: true,
    allErrors: true,
    verbose: true,
    useDefaults: true,
    allowUnionTypes: true,
    strictTypes: true,
    // The published schemas list required fields beside properties, not inside them.
    strictRequired: false,
    // Our schemas carry functions (`sure`, `checks`), which the meta-schema has no word for.
    validateSchema: false,
  });
  instance.addVocabulary(['rules', 'sure', 'checks', 'doc']);
  instance.addKeyword({ keyword: 'listMapKeys', type: 'array', errors: true, validate: distinctItems });
  return instance;
}

function distinctItems(keys: string[], items: unknown[]): boolean {
  const seen = new Map<string, number>();
  const errors: Partial<ErrorObject>[] = [];
  items.forEach((item, index) => {
    const key = listKey(item ?? {}, keys);
    const first = seen.get(key);
    if (first === undefined) seen.set(key, index);
    else errors.push({ keyword: 'listMapKeys', params: { index, first, keys, key } });
  });
  (distinctItems as { errors?: Partial<ErrorObject>[] }).errors = errors;
  return errors.length === 0;
}

/** A field that holds null is a field that is not there, before defaults are filled in. */
function dropNulls(schema: Schema, value: unknown): void {
  if (Array.isArray(value)) {
    if (schema.items !== undefined) for (const item of value) dropNulls(schema.items, item);
  } else if (typeof value === 'object' && value !== null && schema.properties !== undefined) {
    for (const [name, field] of Object.entries(schema.properties)) {
      const member = (value as Value)[name];
      if (member === null) delete (value as Value)[name];
      else if (member !== undefined) dropNulls(field, member);
    }
  }
}

function runChecks(schema: Schema, value: unknown, found: { path: Path; problems: Problem[] }): void {
  for (const check of schema.checks ?? []) {
    if (!(check.holds as (self: unknown) => boolean)(value)) {
      found.problems.push({ path: found.path, message: check.message });
    }
  }
  for (const [step, member, below] of members(schema, value)) {
    runChecks(below, member, { path: [...found.path, step], problems: found.problems });
  }
}

function toProblem(error: ErrorObject, root: unknown): Problem {
  const path = pathOf(error.instancePath, root);
  switch (error.keyword) {
    case 'required':
      return { path, message: `${error.params['missingProperty']}: is required` };
    case 'additionalProperties':
      return unknownField(error, path);
    case 'listMapKeys': {
      const { index, first, keys, key } = error.params as { index: number; first: number; keys: string[]; key: string };
      return { path: [...path, index], message: `${keys.join(', ')} ${show(key)} is already used by item ${first}` };
    }
    default:
      return { path, message: inWords(error) };
  }
}

function unknownField(error: ErrorObject, path: Path): Problem {
  const name = String(error.params['additionalProperty']);
  const known = Object.keys((error.parentSchema as unknown as Schema).properties ?? {});
  const similar = nearest(name, known);
  const hint = similar === null ? `known here: ${known.sort().join(', ')}` : `did you mean ${similar}?`;
  return { path: [...path, name], message: `unknown field (${hint})` };
}

function pathOf(pointer: string, root: unknown): Path {
  let at: unknown = root;
  return pointer
    .split('/')
    .slice(1)
    .map((escaped) => {
      const step = escaped.replaceAll('~1', '/').replaceAll('~0', '~');
      const key = Array.isArray(at) ? Number(step) : step;
      at = (at as Value | undefined)?.[step];
      return key;
    });
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'a string',
  integer: 'a whole number',
  number: 'a number',
  'integer,string': 'a whole number or a string',
  boolean: 'true or false',
  object: 'a mapping',
  array: 'a list',
};

function inWords(error: ErrorObject): string {
  const limit: unknown = error.params['limit'];
  const got = show(error.data);
  switch (error.keyword) {
    case 'enum':
      return `must be one of ${(error.params['allowedValues'] as unknown[]).join(', ')} (got ${got})`;
    case 'type':
      return wrongType(String(error.params['type']), error.data);
    case 'pattern':
      return `must be ${(error.parentSchema as unknown as Schema).description ?? `text matching ${error.params['pattern']}`} (got ${got})`;
    case 'minimum':
      return `must be at least ${limit} (got ${got})`;
    case 'maximum':
      return `must be at most ${limit} (got ${got})`;
    case 'minLength':
      return limit === 1 ? 'must not be empty' : `must have at least ${limit} characters (got ${got})`;
    case 'maxLength':
      return `must have at most ${limit} characters (has ${[...String(error.data)].length})`;
    case 'minItems':
      return `must have at least ${limit} ${limit === 1 ? 'item' : 'items'} (has ${(error.data as unknown[]).length})`;
    case 'maxItems':
      return `must have at most ${limit} items (has ${(error.data as unknown[]).length})`;
    case 'maxProperties':
      return `must have at most ${limit} entries (has ${Object.keys(error.data as Value).length})`;
    case 'uniqueItems':
      return `must not repeat an item (items ${error.params['i']} and ${error.params['j']} are the same)`;
    default:
      return error.message ?? `violates ${error.keyword}`;
  }
}

function wrongType(type: string, got: unknown): string {
  const wanted = typeWords[type] ?? type;
  if (type === 'string' && (typeof got === 'number' || typeof got === 'boolean')) {
    return `must be a string (got ${show(got)}: put it in quotes)`;
  }
  if ((type === 'integer' || type === 'number') && typeof got === 'string' && /^\d+$/.test(got)) {
    return `must be ${wanted} (got "${got}": remove the quotes)`;
  }
  if (Array.isArray(got)) return `must be ${wanted} (got a list)`;
  if (typeof got === 'object' && got !== null) return `must be ${wanted} (got a mapping)`;
  return `must be ${wanted} (got ${show(got)})`;
}

function show(value: unknown): string {
  const text = typeof value === 'string' && value !== '' ? value : (JSON.stringify(value) ?? 'nothing');
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
