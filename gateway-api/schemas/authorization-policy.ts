// AuthorizationPolicy: security.istio.io as Istio publishes it, and waypoint.dev/v1alpha1 with `mode` besides.
import { attachment } from './access-policy.ts';
import { resource } from './metadata.ts';
import * as names from './names.ts';
import { policyStatus } from './policy.ts';
import { anything, list, object, oneOf, type Schema, text } from './schema.ts';

const value: Schema = { ...text, minLength: 1, maxLength: 4096 };

function values(doc: string): Schema {
  return list(value, { minItems: 1, maxItems: 1024, doc });
}

/** A field, and the one that excludes. */
function pair(name: string, doc: string): Record<string, Schema> {
  const negated = `not${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  return { [name]: values(doc), [negated]: values(`None of these: ${doc}`) };
}

const source = object(
  {
    ...pair('principals', 'Identities of clients: <trust domain>/ns/<namespace>/sa/<service account>.'),
    ...pair('requestPrincipals', 'Issuer and subject of the token: <iss>/<sub>.'),
    ...pair('namespaces', 'Namespaces of clients, of their identities.'),
    ...pair('serviceAccounts', 'Service accounts of clients, literally: <namespace>/<name> or <name>.'),
    ...pair('trustDomains', 'Trust domains of clients.'),
    ...pair('ipBlocks', 'Addresses or CIDR blocks of the peer.'),
    ...pair('remoteIpBlocks', 'Addresses or CIDR blocks of the client, as trusted proxies tell it.'),
  },
  { doc: 'All fields together, each by one of its values.' },
);

const operation = object(
  {
    ...pair('hosts', 'Hosts, in any case.'),
    ...pair('ports', 'Ports that are addressed.'),
    ...pair('methods', 'Methods, in capitals.'),
    ...pair('paths', 'Paths without query, normalised; {*} is one segment, {**} the rest.'),
  },
  { doc: 'All fields together, each by one of its values.' },
);

const condition = object(
  {
    key: { ...value, doc: 'An attribute such as request.headers[x-user] or request.auth.claims[groups].' },
    values: values('One of these.'),
    notValues: values('None of these.'),
  },
  { required: ['key'] },
);

const most = 512;

const rule = object({
  from: list(object({ source }, { required: ['source'] }), {
    minItems: 1,
    maxItems: most,
    doc: 'One of these; absent: anybody.',
  }),
  to: list(object({ operation }, { required: ['operation'] }), {
    minItems: 1,
    maxItems: most,
    doc: 'One of these; absent: anything.',
  }),
  when: list(condition, { maxItems: most, doc: 'All of these.' }),
});

const fields: Readonly<Record<string, Schema>> = {
  ...attachment,
  action: oneOf(['ALLOW', 'DENY', 'AUDIT', 'CUSTOM'], {
    default: 'ALLOW',
    doc: 'CUSTOM is asked first, then any DENY denies; where there is any ALLOW, one of them must match. AUDIT only marks.',
  }),
  provider: object({ name: value }, { required: ['name'], doc: 'Of CUSTOM: the extension provider that is asked.' }),
  rules: list(rule, {
    maxItems: most,
    doc: 'One of these must match; absent: nothing does. An empty rule matches everything.',
  }),
};

const frame = { name: names.dnsSubdomain };

/** Istio admits a policy without spec: an ALLOW that matches nothing. */
export const istioAuthorizationPolicy: Schema = resource({ spec: object(fields), status: anything }, frame);

export const authorizationPolicy: Schema = resource(
  {
    spec: object({
      ...fields,
      mode: oneOf(['Enforce', 'Shadow'], {
        default: 'Enforce',
        doc: 'Shadow: decides, counts and logs what would have happened, and changes nothing.',
      }),
    }),
    status: policyStatus,
  },
  { ...frame, required: ['spec'] },
);
