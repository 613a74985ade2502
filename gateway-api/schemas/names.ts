// The named string and number types of the Gateway API and of Kubernetes' object metadata.
import type { Schema } from './schema.ts';

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain = `${label}(\\.${label})*`;
const segment = '([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]';

/** `pattern` of a label or annotation key. */
export const qualifiedName: string = `^(${subdomain}/)?${segment}$`;

export const hostname: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 253,
  pattern: `^(\\*\\.)?${subdomain}$`,
  description: "a lower-case DNS name, optionally starting with '*.' (no IP address, no port)",
};
export const preciseHostname: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 253,
  pattern: `^${subdomain}$`,
  description: 'a lower-case DNS name without a wildcard',
};
export const group: Schema = {
  type: 'string',
  maxLength: 253,
  pattern: `^$|^${subdomain}$`,
  description: "an API group, or '' for the core group",
};
export const kind: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 63,
  pattern: '^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$',
  description: 'the name of a kind, such as Service',
};
export const objectName: Schema = { type: 'string', minLength: 1, maxLength: 253 };
export const namespace: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 63,
  pattern: `^${label}$`,
  description: "a namespace's name (lower-case letters, digits and '-')",
};
export const sectionName: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 253,
  pattern: `^${subdomain}$`,
  description: "a name of lower-case letters, digits, '-' and '.'",
};
/** The name of most objects. */
export const dnsSubdomain: Schema = { ...sectionName };
export const dnsLabel: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 63,
  pattern: `^${label}$`,
  description: "a name of lower-case letters, digits and '-', starting and ending with a letter or digit",
};
export const serviceName: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 63,
  pattern: '^[a-z]([-a-z0-9]*[a-z0-9])?$',
  description: "a name of lower-case letters, digits and '-', starting with a letter",
};
export const headerName: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 256,
  pattern: "^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]+$",
  description: 'a header name (letters, digits and the marks of an RFC 9110 token)',
};
export const headerValue: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 4096,
  pattern: '^[!-~]+([\\t ]?[!-~]+)*$',
  description: 'printable ASCII characters, at most one space or tab between them',
};
export const duration: Schema = {
  type: 'string',
  pattern: '^([0-9]{1,5}(h|m|s|ms)){1,4}$',
  description: 'a duration such as 1h, 10s, 250ms or 1m30s (no fractions)',
};
export const controllerName: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 253,
  pattern: `^${subdomain}\\/[A-Za-z0-9\\/\\-._~%!$&'()*+,;=:]+$`,
  description: 'a domain-prefixed path such as example.com/controller',
};
export const labelValue: Schema = {
  type: 'string',
  maxLength: 63,
  pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
  description: "a label value (letters, digits, '-', '_' and '.', starting and ending with a letter or digit)",
};
export const annotationValue: Schema = { type: 'string', maxLength: 4096 };
export const corsOrigin: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 253,
  pattern: '(^\\*$)|(^(http(s)?):\\/\\/(((\\*\\.)?([a-zA-Z0-9\\-]+\\.)*[a-zA-Z0-9-]+|\\*)(:([0-9]{1,5}))?)$)',
  description: "'*' or an origin such as https://shop.example.com, https://*.example.com or http://localhost:8080",
};
export const port: Schema = { type: 'integer', minimum: 1, maximum: 65535 };
