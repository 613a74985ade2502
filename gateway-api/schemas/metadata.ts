// Object metadata, and the frame every kind has in common.
import * as names from './names.ts';
import { anything, integer, list, mapOf, object, type Schema, text } from './schema.ts';

const keyPattern = new RegExp(names.qualifiedName);
const keysAreQualified = {
  message: "every key must be a name of letters, digits, '-', '_' and '.', optionally behind a DNS prefix and '/'",
  holds: (self: Record<string, string>): boolean => Object.keys(self).every((key) => keyPattern.test(key)),
};

const ownerReference = object(
  {
    apiVersion: text,
    kind: text,
    name: text,
    uid: text,
    controller: { type: 'boolean' },
    blockOwnerDeletion: { type: 'boolean' },
  },
  { required: ['apiVersion', 'kind', 'name', 'uid'] },
);

function metadata(name: Schema): Schema {
  const properties: Record<string, Schema> = {
    name,
    // kubectl drops it from kinds that have none.
    namespace: names.namespace,
    generateName: text,
    labels: mapOf(names.labelValue, { checks: [keysAreQualified] }),
    annotations: mapOf(text, { checks: [keysAreQualified] }),
    finalizers: list(text),
    ownerReferences: list(ownerReference),
    creationTimestamp: {
      type: 'string',
      pattern: '^\\d{4}-\\d\\d-\\d\\d[Tt]\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?([Zz]|[+-]\\d\\d:\\d\\d)$',
      description: 'a time such as 2026-01-31T12:00:00Z',
    },
    deletionTimestamp: text,
    deletionGracePeriodSeconds: integer(0, Number.MAX_SAFE_INTEGER),
    generation: integer(0, Number.MAX_SAFE_INTEGER),
    resourceVersion: text,
    selfLink: text,
    uid: text,
    managedFields: list(anything),
  };
  return object(properties, { required: ['name'] });
}

/** A whole object: its frame and its own fields. */
export function resource(
  fields: Record<string, Schema>,
  frame: { name: Schema; required?: string[]; checks?: Schema['checks'] },
): Schema {
  return object(
    { apiVersion: text, kind: text, metadata: metadata(frame.name), ...fields },
    {
      required: ['apiVersion', 'kind', 'metadata', ...(frame.required ?? [])],
      ...(frame.checks === undefined ? {} : { checks: frame.checks }),
    },
  );
}
