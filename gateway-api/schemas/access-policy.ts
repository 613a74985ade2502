// What AuthorizationPolicy and RequestAuthentication have in common: whom they are for.
import * as names from './names.ts';
import { list, mapOf, object, type Schema, text } from './schema.ts';

/** PolicyTargetReference of Istio: the group of a Service may be left out. Which kinds there may be, the status says. */
const target: Schema = object(
  {
    group: {
      ...names.group,
      default: '',
      doc: '"" for a Service, gateway.networking.k8s.io for a Gateway or an HTTPRoute.',
    },
    kind: { ...names.kind, doc: 'Gateway, Service or HTTPRoute.' },
    name: { ...names.objectName, doc: 'In the namespace of the policy.' },
    namespace: { ...names.namespace, doc: 'That of the policy, if anything.' },
  },
  { required: ['kind', 'name'] },
);

/** Istio's fields in both groups. */
export const attachment: Readonly<Record<string, Schema>> = {
  selector: object(
    { matchLabels: mapOf(text, { doc: 'Labels of workloads.' }) },
    { doc: 'Of workloads, which a waypoint does not see: write targetRefs instead.' },
  ),
  targetRef: { ...target, doc: 'One target, as older manifests write it.' },
  targetRefs: list(target, { maxItems: 16, doc: 'What the policy is for.' }),
};
