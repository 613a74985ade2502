// The CRDs that we publish: file under manifests/crds, and what its schema does not say.

import { stringify } from 'yaml';
import { definition, type Published } from './definition.ts';

const CONDITION = '.status.ancestors[0].conditions[?(@.type=="Accepted")]';

const trafficPolicy: Published = {
  kind: 'TrafficPolicy',
  group: 'waypoint.dev',
  plural: 'trafficpolicies',
  shortNames: ['tpolicy'],
  // GEP-713: what is set on a Gateway holds for what is behind it.
  labels: { 'gateway.networking.k8s.io/policy': 'Inherited' },
  description:
    'How requests to a Service are balanced, limited, tried again and made to fail on purpose. Policies of several levels are merged field by field: a rule of a route before the route, before a port of a Service, before the Service, before the Gateway. At one level the oldest wins.',
  columns: [
    { name: 'Target', type: 'string', jsonPath: '.spec.targetRefs[0].name' },
    { name: 'Kind', type: 'string', jsonPath: '.spec.targetRefs[0].kind' },
    { name: 'Mode', type: 'string', jsonPath: '.spec.mode' },
    { name: 'Accepted', type: 'string', jsonPath: `${CONDITION}.status` },
    { name: 'Reason', type: 'string', jsonPath: `${CONDITION}.reason` },
    { name: 'Message', type: 'string', jsonPath: `${CONDITION}.message`, priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
};

const accessColumns = [
  { name: 'Target', type: 'string', jsonPath: '.spec.targetRefs[0].name' },
  { name: 'Kind', type: 'string', jsonPath: '.spec.targetRefs[0].kind' },
  { name: 'Accepted', type: 'string', jsonPath: `${CONDITION}.status` },
  { name: 'Reason', type: 'string', jsonPath: `${CONDITION}.reason` },
  { name: 'Message', type: 'string', jsonPath: `${CONDITION}.message`, priority: 1 },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
] as const;

const authorizationPolicy: Published = {
  kind: 'AuthorizationPolicy',
  group: 'waypoint.dev',
  plural: 'authorizationpolicies',
  shortNames: ['wap'],
  labels: { 'gateway.networking.k8s.io/policy': 'Inherited' },
  description:
    'Who may do what, with the fields and the meaning of AuthorizationPolicy of security.istio.io. All policies of a Gateway, of the Service behind it and of the route hold together: CUSTOM asks somebody else, then any DENY denies, and where there is any ALLOW one of them must match.',
  columns: [
    { name: 'Action', type: 'string', jsonPath: '.spec.action' },
    { name: 'Mode', type: 'string', jsonPath: '.spec.mode' },
    ...accessColumns,
  ],
};

const requestAuthentication: Published = {
  kind: 'RequestAuthentication',
  group: 'waypoint.dev',
  plural: 'requestauthentications',
  shortNames: ['wra'],
  labels: { 'gateway.networking.k8s.io/policy': 'Inherited' },
  description:
    'Which tokens are believed, with the fields and the meaning of RequestAuthentication of security.istio.io. A request without a token passes unauthenticated; whether that is enough an AuthorizationPolicy says.',
  columns: accessColumns,
};

const HEADER = '# Generated from gateway-api/schemas by `npm run crds`: edit the schema instead.\n';

/** Text by the name of its file. */
export const CRDS: ReadonlyMap<string, string> = new Map(
  [trafficPolicy, authorizationPolicy, requestAuthentication].map((each) => [
    `${each.group}_${each.plural}.yaml`,
    HEADER + stringify(definition(each), { lineWidth: 120, aliasDuplicateObjects: false }),
  ]),
);
