// References between objects as Gateway API writes them, and the label selector.
import * as names from './names.ts';
import { integer, list, mapOf, object, oneOf, type Rule, type Schema, text } from './schema.ts';

interface Parent {
  readonly group: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

function parentOf({ group, kind, namespace = '', name }: Parent): string {
  return [group, kind, namespace, name].join('\n');
}

export const parentRefs: Schema = list(
  object(
    {
      group: { ...names.group, default: 'gateway.networking.k8s.io' },
      kind: { ...names.kind, default: 'Gateway' },
      namespace: names.namespace,
      name: names.objectName,
      sectionName: names.sectionName,
      port: names.port,
    },
    { required: ['name'] },
  ),
  {
    maxItems: 32,
    sure: (self: readonly Parent[]) => self.length <= 1 || new Set(self.map(parentOf)).size === self.length,
    rules: [
      {
        message:
          'sectionName or port must be specified when parentRefs includes 2 or more references to the same parent',
        rule: "self.all(p1, self.all(p2, p1.group == p2.group && p1.kind == p2.kind && p1.name == p2.name && (((!has(p1.__namespace__) || p1.__namespace__ == '') && (!has(p2.__namespace__) || p2.__namespace__ == '')) || (has(p1.__namespace__) && has(p2.__namespace__) && p1.__namespace__ == p2.__namespace__)) ? ((!has(p1.sectionName) || p1.sectionName == '') == (!has(p2.sectionName) || p2.sectionName == '') && (!has(p1.port) || p1.port == 0) == (!has(p2.port) || p2.port == 0)): true))",
      },
      {
        message: 'sectionName or port must be unique when parentRefs includes 2 or more references to the same parent',
        rule: "self.all(p1, self.exists_one(p2, p1.group == p2.group && p1.kind == p2.kind && p1.name == p2.name && (((!has(p1.__namespace__) || p1.__namespace__ == '') && (!has(p2.__namespace__) || p2.__namespace__ == '')) || (has(p1.__namespace__) && has(p2.__namespace__) && p1.__namespace__ == p2.__namespace__ )) && (((!has(p1.sectionName) || p1.sectionName == '') && (!has(p2.sectionName) || p2.sectionName == '')) || ( has(p1.sectionName) && has(p2.sectionName) && p1.sectionName == p2.sectionName)) && (((!has(p1.port) || p1.port == 0) && (!has(p2.port) || p2.port == 0)) || (has(p1.port) && has(p2.port) && p1.port == p2.port))))",
      },
    ],
  },
);

interface BackendReference {
  readonly group: string;
  readonly kind: string;
  readonly port?: number;
}

/** A BackendObjectReference, with the fields that the place it is used in adds. */
export function backendReference(more: Record<string, Schema>): Schema {
  const rules: Rule[] = [
    {
      message: 'Must have port for Service reference',
      rule: "(size(self.group) == 0 && self.kind == 'Service') ? has(self.port) : true",
    },
  ];
  const properties = {
    group: { ...names.group, default: '' },
    kind: { ...names.kind, default: 'Service' },
    name: names.objectName,
    namespace: names.namespace,
    port: names.port,
    ...more,
  };
  return object(properties, {
    required: ['name'],
    rules,
    sure: (self: BackendReference) => self.port !== undefined || self.group !== '' || self.kind !== 'Service',
  });
}

export const weight: Schema = integer(0, 1_000_000, { default: 1 });

export const secretReference: Schema = object(
  {
    group: { ...names.group, default: '' },
    kind: { ...names.kind, default: 'Secret' },
    name: names.objectName,
    namespace: names.namespace,
  },
  { required: ['name'] },
);

export const objectReference: Schema = object(
  { group: names.group, kind: names.kind, name: names.objectName, namespace: names.namespace },
  { required: ['group', 'kind', 'name'] },
);

export const localReference: Schema = object(
  { group: names.group, kind: names.kind, name: names.objectName },
  { required: ['group', 'kind', 'name'] },
);

interface Requirement {
  readonly operator: string;
  readonly values?: readonly string[];
}

export const labelSelector: Schema = object({
  matchLabels: mapOf(text),
  matchExpressions: list(
    object(
      { key: text, operator: oneOf(['In', 'NotIn', 'Exists', 'DoesNotExist']), values: list(text) },
      {
        required: ['key', 'operator'],
        checks: [
          {
            message: 'values must list at least one value for In and NotIn, and none for Exists and DoesNotExist',
            holds: (self: Requirement): boolean =>
              (self.operator === 'In' || self.operator === 'NotIn') === (self.values ?? []).length > 0,
          },
        ],
      },
    ),
  ),
});
