// The CustomResourceDefinition of a kind of ours, made of the schema that files are validated with.

import { findKind, type KindName } from '../../gateway-api/kinds.ts';
import type { Rule, Schema } from '../../gateway-api/schemas/schema.ts';

interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'date';
  readonly jsonPath: string;
  readonly description?: string;
  /** 1: only in wide output. */
  readonly priority?: number;
}

/** What the schema does not say about a kind. */
export interface Published {
  readonly kind: KindName;
  readonly group: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly description: string;
  readonly columns: readonly PrinterColumn[];
}

export function definition(published: Published): object {
  const { kind, group, plural, shortNames, labels, description, columns } = published;
  const found = findKind(group, kind);
  if (found === null) throw new Error(`there is no kind ${group}/${kind}`);
  const versions = found.versions.map((name, index) => ({
    name,
    served: true,
    storage: index === 0,
    additionalPrinterColumns: columns,
    schema: { openAPIV3Schema: { description, ...rootSchema(found.schema) } },
    subresources: { status: {} },
  }));
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, labels },
    spec: {
      group,
      names: {
        categories: ['gateway-api'],
        kind,
        listKind: `${kind}List`,
        plural,
        shortNames,
        singular: kind.toLowerCase(),
      },
      scope: found.scope,
      versions,
    },
  };
}

/** What every object has is the API server's to check. */
function rootSchema(schema: Schema): object {
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...own } = schema.properties ?? {};
  return {
    type: 'object',
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      ...mapped(own),
    },
    required: (schema.required ?? []).filter((name) => name in own),
  };
}

/** As a structural schema: fields that are not listed are unknown, keyed and unique lists have their own words. */
export function structural(schema: Schema): object {
  const { type, doc, description, properties, required, additionalProperties, items, listMapKeys, uniqueItems } =
    schema;
  if (schema.checks !== undefined) throw new Error(`a check in code cannot be published: ${schema.checks[0]!.message}`);
  if (Array.isArray(type)) throw new Error('a value of two types cannot be published yet');
  const words = doc ?? (description === undefined ? undefined : `Must be ${description}.`);
  return {
    ...(words === undefined ? {} : { description: words }),
    type,
    ...plain(schema),
    ...(properties === undefined ? {} : { properties: mapped(properties) }),
    ...(required === undefined ? {} : { required }),
    ...(typeof additionalProperties === 'object' ? { additionalProperties: structural(additionalProperties) } : {}),
    ...(items === undefined ? {} : { items: structural(items) }),
    ...(uniqueItems === true ? { 'x-kubernetes-list-type': 'set' } : {}),
    ...(listMapKeys === undefined
      ? {}
      : { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': listMapKeys }),
    ...(schema.rules === undefined ? {} : { 'x-kubernetes-validations': schema.rules.map(validation) }),
  };
}

const PLAIN = [
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'maxProperties',
  'default',
] as const;

/** Whatever means the same in both. */
function plain(schema: Schema): object {
  return Object.fromEntries(PLAIN.flatMap((name) => (schema[name] === undefined ? [] : [[name, schema[name]]])));
}

function mapped(properties: Readonly<Record<string, Schema>>): object {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, structural(schema)]));
}

function validation({ message, rule }: Rule): Rule {
  return { message, rule };
}
