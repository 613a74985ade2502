// What policies have in common (GEP-713): whom they are for, and what they are told about it.
import * as names from './names.ts';
import { integer, list, object, oneOf, type Schema } from './schema.ts';

interface Target {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly sectionName?: string;
}

const gatewayApi = 'gateway.networking.k8s.io';
const identify = ({ group, kind, name, sectionName = '' }: Target): string =>
  [group, kind, name, sectionName].join('\n');
const section = (of: string): string => `(has(${of}.sectionName) ? ${of}.sectionName : '')`;

const target = object(
  {
    group: { ...names.group, doc: `"" for a Service, ${gatewayApi} for a route or a Gateway.` },
    kind: names.kind,
    name: { ...names.objectName, doc: 'In the namespace of the policy.' },
    sectionName: {
      ...names.sectionName,
      doc: 'A port of the Service or a rule of the route, by name; absent: all of it.',
    },
  },
  {
    required: ['group', 'kind', 'name'],
    sure: ({ group, kind, sectionName }: Target) =>
      group === '' ? kind === 'Service' : group === gatewayApi && kind === 'HTTPRoute' && sectionName === undefined,
    rules: [
      {
        message: `must be a Service (group ''), or an HTTPRoute or a Gateway (group ${gatewayApi})`,
        rule: `(self.group == '' && self.kind == 'Service') || (self.group == '${gatewayApi}' && self.kind in ['HTTPRoute', 'Gateway'])`,
      },
      {
        message: 'a policy is for a whole Gateway: remove sectionName',
        rule: "self.kind != 'Gateway' || !has(self.sectionName)",
      },
    ],
  },
);

/** LocalPolicyTargetReferenceWithSectionName: no namespace, a policy never reaches beyond its own. */
export const targetRefs: Schema = list(target, {
  doc: 'What the policy is for.',
  minItems: 1,
  maxItems: 16,
  sure: (self: readonly Target[]) => self.length === 1 || new Set(self.map(identify)).size === self.length,
  rules: [
    {
      message: 'each target once',
      rule: `self.all(a, self.exists_one(b, a.group == b.group && a.kind == b.kind && a.name == b.name && ${section('a')} == ${section('b')}))`,
    },
  ],
});

const condition = object(
  {
    type: { type: 'string', maxLength: 316 },
    status: oneOf(['True', 'False', 'Unknown']),
    reason: { type: 'string', minLength: 1, maxLength: 1024 },
    message: { type: 'string', maxLength: 32768 },
    observedGeneration: integer(0, Number.MAX_SAFE_INTEGER),
    lastTransitionTime: { type: 'string', maxLength: 64 },
  },
  { required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'] },
);

/** PolicyStatus of the Gateway API. */
export const policyStatus: Schema = object(
  {
    ancestors: list(
      object(
        {
          ancestorRef: object(
            {
              group: names.group,
              kind: names.kind,
              namespace: names.namespace,
              name: names.objectName,
              sectionName: names.sectionName,
              port: names.port,
            },
            { required: ['name'], doc: 'The target that the entry is about.' },
          ),
          controllerName: { ...names.controllerName, doc: 'Who wrote the entry.' },
          conditions: list(condition, { maxItems: 8, listMapKeys: ['type'] }),
        },
        { required: ['ancestorRef', 'controllerName'] },
      ),
      { maxItems: 16, doc: 'One entry for each target.' },
    ),
  },
  { doc: 'Written by the waypoint: whether and where the policy is in force.' },
);
