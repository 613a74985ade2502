// The quick way through a schema: one pass that drops nulls, fills in defaults and either says yes or leaves the verdict open.
import type { Check, Schema } from './schema.ts';

/** Nothing is wrong with the value: it satisfies its schema, its checks and its rules. */
export const ACCEPTED = 0;
/** The schema may be violated: only the full validator can tell, and say where. */
export const SCHEMA_IN_DOUBT = 1;
/** The schema is satisfied, but some node's rules have to be evaluated. */
const RULES_IN_DOUBT = 2;

type Value = Record<string, unknown>;

/** Applies the schema's defaults to `value` in place. Errs on the side of doubt, never on the side of acceptance. */
export function accept(schema: Schema, value: unknown): number {
  return stepOf(schema)(value);
}

type Step = (value: unknown) => number;

const steps = new WeakMap<Schema, Step>();

function stepOf(schema: Schema): Step {
  let step = steps.get(schema);
  if (step === undefined) {
    step = withChecks(schema, compile(schema));
    steps.set(schema, step);
  }
  return step;
}

function withChecks(schema: Schema, step: Step): Step {
  const checks = schema.checks as readonly (Omit<Check, 'holds'> & { holds: (self: unknown) => boolean })[] | undefined;
  const sure = schema.rules === undefined ? undefined : (schema.sure as ((self: unknown) => boolean) | undefined);
  if (checks === undefined && schema.rules === undefined) return step;
  return (value) => {
    const verdict = step(value);
    if (verdict === SCHEMA_IN_DOUBT) return verdict;
    if (checks !== undefined && !checks.every((check) => check.holds(value))) return SCHEMA_IN_DOUBT;
    return schema.rules === undefined || sure?.(value) === true ? verdict : RULES_IN_DOUBT;
  };
}

function compile(schema: Schema): Step {
  switch (schema.type) {
    case 'object':
      return schema.properties === undefined ? compileMap(schema) : compileObject(schema, schema.properties);
    case 'array':
      return compileList(schema);
    case 'string':
      return compileString(schema);
    case 'integer':
      return compileNumber(schema, Number.isInteger);
    case 'number':
      return compileNumber(schema, Number.isFinite);
    case 'boolean':
      return compileBoolean(schema);
    default:
      return compileEither(schema);
  }
}

function isObject(value: unknown): value is Value {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

interface Default {
  readonly name: string;
  readonly value: unknown;
}

/** Default values are completed once and then shared by every object that lacks them. */
function defaultsOf(properties: Readonly<Record<string, Schema>>): Default[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    if (schema.default === undefined) return [];
    const value = structuredClone(schema.default);
    stepOf(schema)(value);
    return [{ name, value }];
  });
}

function compileObject(schema: Schema, properties: Readonly<Record<string, Schema>>): Step {
  const fields = new Map(Object.entries(properties).map(([name, field]) => [name, stepOf(field)]));
  const defaults = defaultsOf(properties);
  const required = schema.required ?? [];
  return (value) => {
    if (!isObject(value)) return SCHEMA_IN_DOUBT;
    let verdict = ACCEPTED;
    for (const name in value) {
      const field = fields.get(name);
      if (field === undefined) return SCHEMA_IN_DOUBT;
      const member = value[name];
      if (member === null) {
        delete value[name];
        continue;
      }
      const found = field(member);
      if (found === SCHEMA_IN_DOUBT) return found;
      verdict |= found;
    }
    for (const { name, value: preset } of defaults) if (value[name] === undefined) value[name] = preset;
    for (const name of required) if (value[name] === undefined) return SCHEMA_IN_DOUBT;
    return verdict;
  };
}

function compileMap(schema: Schema): Step {
  const values = schema.additionalProperties;
  if (values === undefined || values === false) return (value) => (isObject(value) ? ACCEPTED : SCHEMA_IN_DOUBT);
  const step = stepOf(values);
  const most = schema.maxProperties ?? Infinity;
  return (value) => {
    if (!isObject(value)) return SCHEMA_IN_DOUBT;
    let count = 0;
    for (const name in value) {
      if (++count > most || step(value[name]) !== ACCEPTED) return SCHEMA_IN_DOUBT;
    }
    return ACCEPTED;
  };
}

function compileList(schema: Schema): Step {
  const item = schema.items === undefined ? null : stepOf(schema.items);
  const { minItems = 0, maxItems = Infinity } = schema;
  return (value) => {
    if (!Array.isArray(value) || value.length < minItems || value.length > maxItems) return SCHEMA_IN_DOUBT;
    let verdict = ACCEPTED;
    if (item !== null) {
      for (const each of value) {
        const found = item(each);
        if (found === SCHEMA_IN_DOUBT) return found;
        verdict |= found;
      }
    }
    return value.length > 1 && !allDistinct(schema, value) ? SCHEMA_IN_DOUBT : verdict;
  };
}

function allDistinct(schema: Schema, items: readonly unknown[]): boolean {
  const keys = schema.listMapKeys;
  if (keys !== undefined) return new Set(items.map((item) => listKey(item, keys))).size === items.length;
  return schema.uniqueItems !== true || new Set(items).size === items.length;
}

/** What tells one item of a keyed list from the others. */
export function listKey(item: unknown, keys: readonly string[]): string {
  return keys.map((key) => String((item as Value)[key])).join('\n');
}

function compileString(schema: Schema): Step {
  const { minLength = 0, maxLength = Infinity } = schema;
  const allowed = schema.enum === undefined ? null : new Set<unknown>(schema.enum);
  const pattern = schema.pattern === undefined ? null : new RegExp(schema.pattern, 'u');
  return (value) => {
    if (typeof value !== 'string' || value.length < minLength || value.length > maxLength) return SCHEMA_IN_DOUBT;
    if (allowed !== null && !allowed.has(value)) return SCHEMA_IN_DOUBT;
    return pattern === null || pattern.test(value) ? ACCEPTED : SCHEMA_IN_DOUBT;
  };
}

function compileNumber(schema: Schema, isOfType: (value: unknown) => boolean): Step {
  const { minimum = -Infinity, maximum = Infinity } = schema;
  const allowed = schema.enum === undefined ? null : new Set<unknown>(schema.enum);
  return (value) => {
    if (!isOfType(value) || (value as number) < minimum || (value as number) > maximum) return SCHEMA_IN_DOUBT;
    return allowed === null || allowed.has(value) ? ACCEPTED : SCHEMA_IN_DOUBT;
  };
}

function compileBoolean(schema: Schema): Step {
  const allowed = new Set<unknown>(schema.enum ?? [true, false]);
  return (value) => (typeof value === 'boolean' && allowed.has(value) ? ACCEPTED : SCHEMA_IN_DOUBT);
}

function compileEither(schema: Schema): Step {
  const asText = compileString(schema);
  const asNumber = compileNumber(schema, Number.isInteger);
  return (value) => (typeof value === 'string' ? asText(value) : asNumber(value));
}
