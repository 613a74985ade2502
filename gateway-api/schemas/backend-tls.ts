// How a backend's certificate is verified: what BackendTLSPolicy and XBackend have in common (GEP-1897, GEP-4894).
import * as names from './names.ts';
import { localReference } from './references.ts';
import { list, object, oneOf, type Schema } from './schema.ts';

interface SubjectAltName {
  readonly type: string;
  readonly hostname?: string;
  readonly uri?: string;
}

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain = `${label}(\\.${label})*`;

const absoluteUri: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 253,
  pattern: '^(([^:/?#]+):)(//([^/?#]*))([^?#]*)(\\?([^#]*))?(#(.*))?',
  description: 'a URI with a scheme and an authority, such as spiffe://cluster.local/ns/shop/sa/orders',
};

const subjectAltName = object(
  { type: oneOf(['Hostname', 'URI']), hostname: names.hostname, uri: absoluteUri },
  {
    required: ['type'],
    sure: ({ type, hostname, uri }: SubjectAltName) =>
      type === 'URI' ? uri !== undefined && hostname === undefined : hostname !== undefined && uri === undefined,
    rules: [
      {
        message: 'SubjectAltName element must contain Hostname, if Type is set to Hostname',
        rule: '!(self.type == "Hostname" && (!has(self.hostname) || self.hostname == ""))',
      },
      {
        message: 'SubjectAltName element must not contain Hostname, if Type is not set to Hostname',
        rule: '!(self.type != "Hostname" && has(self.hostname) && self.hostname != "")',
      },
      {
        message: 'SubjectAltName element must contain URI, if Type is set to URI',
        rule: '!(self.type == "URI" && (!has(self.uri) || self.uri == ""))',
      },
      {
        message: 'SubjectAltName element must not contain URI, if Type is not set to URI',
        rule: '!(self.type != "URI" && has(self.uri) && self.uri != "")',
      },
    ],
  },
);

interface Validation {
  readonly caCertificateRefs?: readonly unknown[];
  readonly wellKnownCACertificates?: string;
}

/** BackendTLSPolicyValidation. */
export const backendTlsValidation: Schema = object(
  {
    caCertificateRefs: list(localReference, { maxItems: 8 }),
    wellKnownCACertificates: {
      type: 'string',
      minLength: 1,
      maxLength: 253,
      pattern: `^(System|(${subdomain}/([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]))$`,
      description: 'System, or a name with a domain in front of it',
    },
    hostname: names.preciseHostname,
    subjectAltNames: list(subjectAltName, { maxItems: 5 }),
  },
  {
    required: ['hostname'],
    sure: ({ caCertificateRefs = [], wellKnownCACertificates }: Validation) =>
      caCertificateRefs.length > 0 !== (wellKnownCACertificates !== undefined),
    rules: [
      {
        message: 'must not contain both CACertificateRefs and WellKnownCACertificates',
        rule: '!(has(self.caCertificateRefs) && size(self.caCertificateRefs) > 0 && has(self.wellKnownCACertificates) && self.wellKnownCACertificates != "")',
      },
      {
        message: 'must specify either CACertificateRefs or WellKnownCACertificates',
        rule: '(has(self.caCertificateRefs) && size(self.caCertificateRefs) > 0 || has(self.wellKnownCACertificates) && self.wellKnownCACertificates != "")',
      },
    ],
  },
);
