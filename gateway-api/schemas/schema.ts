// The part of OpenAPI v3 that Kubernetes' structural schemas use, and short builders for it.

/** A published validation rule in CEL (`x-kubernetes-validations`); `self` is the node it is attached to. */
export interface Rule {
  readonly message: string;
  readonly rule: string;
}

/** A check that the API server makes in Go code, where its API has no CEL rule for it. */
export interface Check {
  readonly message: string;
  readonly holds: (self: never) => boolean;
}

export interface Schema {
  readonly type: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | readonly ['integer', 'string'];
  /** What it is for: `kubectl explain`, for the kinds of which we publish the CRD. */
  readonly doc?: string;
  /** What a value matching `pattern` is, in words that complete "must be". */
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  /** false: unknown fields are errors; a schema: a map of such values; absent: anything goes. */
  readonly additionalProperties?: false | Schema;
  readonly maxProperties?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: true;
  readonly enum?: readonly (string | number | boolean)[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  /** Fields that together tell the items of a list apart (`x-kubernetes-list-map-keys`). */
  readonly listMapKeys?: readonly string[];
  readonly rules?: readonly Rule[];
  /**
   * True only for a node on which every one of `rules` certainly holds: a cheap proof that saves evaluating them.
   * False decides nothing, the rules then do. Runs after the node's own schema and defaults were applied.
   */
  readonly sure?: (self: never) => boolean;
  readonly checks?: readonly Check[];
}

type Extra = Partial<Omit<Schema, 'type'>>;

export function object(properties: Record<string, Schema>, extra: Extra = {}): Schema {
  return { type: 'object', properties, additionalProperties: false, ...extra };
}

export function mapOf(values: Schema, extra: Extra = {}): Schema {
  return { type: 'object', additionalProperties: values, ...extra };
}

export function list(items: Schema, extra: Extra = {}): Schema {
  return { type: 'array', items, ...extra };
}

export function integer(minimum: number, maximum: number, extra: Extra = {}): Schema {
  return { type: 'integer', minimum, maximum, ...extra };
}

export function number(minimum: number, maximum: number, extra: Extra = {}): Schema {
  return { type: 'number', minimum, maximum, ...extra };
}

export function oneOf(values: readonly string[], extra: Extra = {}): Schema {
  return { type: 'string', enum: values, ...extra };
}

export const text: Schema = { type: 'string' };
export const truth: Schema = { type: 'boolean' };
/** Fields that are accepted and not looked at: status, and what only an API server sets. */
export const anything: Schema = { type: 'object' };
