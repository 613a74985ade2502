// BackendTLSPolicy, gateway.networking.k8s.io/v1 (GEP-1897).
import { backendTlsValidation } from './backend-tls.ts';
import { resource } from './metadata.ts';
import * as names from './names.ts';
import { anything, list, mapOf, object, type Schema } from './schema.ts';

interface Target {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
}

const target = object(
  { group: names.group, kind: names.kind, name: names.objectName, sectionName: names.sectionName },
  { required: ['group', 'kind', 'name'] },
);

const targetRefs = list(target, {
  minItems: 1,
  maxItems: 16,
  sure: (self: readonly Target[]) =>
    new Set(self.map(({ group, kind, name }) => `${group}\n${kind}\n${name}`)).size === self.length,
  rules: [
    {
      message: 'sectionName must be specified when targetRefs includes 2 or more references to the same target',
      rule: "self.all(p1, self.all(p2, p1.group == p2.group && p1.kind == p2.kind && p1.name == p2.name ? ((!has(p1.sectionName) || p1.sectionName == '') == (!has(p2.sectionName) || p2.sectionName == '')) : true))",
    },
    {
      message: 'sectionName must be unique when targetRefs includes 2 or more references to the same target',
      rule: "self.all(p1, self.exists_one(p2, p1.group == p2.group && p1.kind == p2.kind && p1.name == p2.name && (((!has(p1.sectionName) || p1.sectionName == '') && (!has(p2.sectionName) || p2.sectionName == '')) || (has(p1.sectionName) && has(p2.sectionName) && p1.sectionName == p2.sectionName))))",
    },
  ],
});

export const backendTlsPolicy: Schema = resource(
  {
    spec: object(
      {
        targetRefs,
        validation: backendTlsValidation,
        options: mapOf(names.annotationValue, { maxProperties: 16 }),
      },
      { required: ['targetRefs', 'validation'] },
    ),
    status: anything,
  },
  { name: names.dnsSubdomain, required: ['spec'] },
);
