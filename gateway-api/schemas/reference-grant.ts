// ReferenceGrant, gateway.networking.k8s.io/v1 and v1beta1 (the same fields).
import { resource } from './metadata.ts';
import * as names from './names.ts';
import { list, object, type Schema } from './schema.ts';

const from = object(
  { group: names.group, kind: names.kind, namespace: names.namespace },
  { required: ['group', 'kind', 'namespace'] },
);
const to = object({ group: names.group, kind: names.kind, name: names.objectName }, { required: ['group', 'kind'] });

export const referenceGrant: Schema = resource(
  {
    spec: object(
      { from: list(from, { minItems: 1, maxItems: 16 }), to: list(to, { minItems: 1, maxItems: 16 }) },
      { required: ['from', 'to'] },
    ),
  },
  { name: names.dnsSubdomain, required: ['spec'] },
);
