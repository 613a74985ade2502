// Gateway, gateway.networking.k8s.io/v1, experimental channel.
import { isIP } from 'node:net';
import { resource } from './metadata.ts';
import * as names from './names.ts';
import { labelSelector, localReference, objectReference, secretReference } from './references.ts';
import { anything, list, mapOf, object, oneOf, type Rule, type Schema } from './schema.ts';

const hostnamePattern = '^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$';
const annotationKeyPattern =
  '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$';

const hostname = new RegExp(hostnamePattern);
const annotationKey = new RegExp(annotationKeyPattern);
const shortKeys = (self: Readonly<Record<string, string>>): boolean =>
  Object.keys(self).every((key) => key.length < 253 && annotationKey.test(key));

const listenerTls = object(
  {
    mode: oneOf(['Terminate', 'Passthrough'], { default: 'Terminate' }),
    certificateRefs: list(secretReference, { maxItems: 64 }),
    options: mapOf(names.annotationValue, { maxProperties: 16 }),
  },
  {
    sure: (self: { certificateRefs?: readonly unknown[] }) => (self.certificateRefs ?? []).length > 0,
    rules: [
      {
        message: 'certificateRefs or options must be specified when mode is Terminate',
        rule: "self.mode == 'Terminate' ? size(self.certificateRefs) > 0 || size(self.options) > 0 : true",
      },
    ],
  },
);

const routeKind = object(
  { group: { ...names.group, default: 'gateway.networking.k8s.io' }, kind: names.kind },
  { required: ['kind'] },
);

const allowedRoutes = object(
  {
    namespaces: object(
      { from: oneOf(['All', 'Selector', 'Same'], { default: 'Same' }), selector: labelSelector },
      { default: { from: 'Same' } },
    ),
    kinds: list(routeKind, { maxItems: 8 }),
  },
  { default: { namespaces: { from: 'Same' } } },
);

const listener = object(
  {
    name: names.sectionName,
    hostname: names.hostname,
    port: names.port,
    protocol: {
      type: 'string',
      minLength: 1,
      maxLength: 255,
      pattern:
        '^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\\/[A-Za-z0-9]+$',
      description: 'a protocol such as HTTP, HTTPS, TLS, TCP, UDP or example.com/NAME',
    },
    tls: listenerTls,
    allowedRoutes,
  },
  { required: ['name', 'port', 'protocol'] },
);

interface Listener {
  readonly port: number;
  readonly protocol: string;
  readonly hostname?: string;
  readonly tls?: { readonly mode: string };
}

/** Whether the listener's other fields certainly fit its protocol; for what is rarer than HTTP the rules tell. */
function fitsProtocol({ protocol, tls: settings }: Listener): boolean {
  switch (protocol.toUpperCase()) {
    case 'HTTP':
      return settings === undefined;
    case 'HTTPS':
      return settings === undefined || settings.mode === 'Terminate';
    case 'TLS':
    case 'TCP':
    case 'UDP':
      return false;
    default:
      return true;
  }
}

function distinctListeners(self: readonly Listener[]): boolean {
  const distinct = new Set(self.map((each) => `${each.port} ${each.protocol} ${each.hostname ?? ''}`));
  return distinct.size === self.length && self.every(fitsProtocol);
}

const listeners = list(listener, {
  minItems: 1,
  maxItems: 64,
  listMapKeys: ['name'],
  // That names are unique is the schema's part: they are the keys of the list.
  sure: distinctListeners,
  rules: [
    {
      message: "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']",
      rule: "self.all(l, l.protocol.matches('(?i)^(HTTP|TCP|UDP)$') ? !has(l.tls) : true)",
    },
    {
      message: 'tls mode must be Terminate for protocol HTTPS',
      rule: "self.all(l, (l.protocol.matches('(?i)^HTTPS$') && has(l.tls)) ? (l.tls.mode == '' || l.tls.mode == 'Terminate') : true)",
    },
    {
      message: 'tls mode must be set for protocol TLS',
      rule: "self.all(l, (l.protocol.matches('(?i)^TLS$') ? has(l.tls) && has(l.tls.mode) && l.tls.mode != '' : true))",
    },
    {
      message: "hostname must not be specified for protocols ['TCP', 'UDP']",
      rule: "self.all(l, l.protocol.matches('(?i)^(TCP|UDP)$')  ? (!has(l.hostname) || l.hostname == '') : true)",
    },
    {
      message: 'Listener name must be unique within the Gateway',
      rule: 'self.all(l1, self.exists_one(l2, l1.name == l2.name))',
    },
    {
      message: 'Combination of port, protocol and hostname must be unique for each listener',
      rule: 'self.all(l1, self.exists_one(l2, l1.port == l2.port && l1.protocol == l2.protocol && (has(l1.hostname) && has(l2.hostname) ? l1.hostname == l2.hostname : !has(l1.hostname) && !has(l2.hostname))))',
    },
  ],
});

interface Address {
  readonly type: string;
  readonly value?: string;
}

const address = object(
  {
    type: {
      type: 'string',
      minLength: 1,
      maxLength: 253,
      pattern:
        "^Hostname|IPAddress|NamedAddress|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\\/[A-Za-z0-9\\/\\-._~%!$&'()*+,;=:]+$",
      description: 'IPAddress, Hostname, NamedAddress or a domain-prefixed type such as example.com/Address',
      default: 'IPAddress',
    },
    value: { type: 'string', maxLength: 253 },
  },
  {
    sure: ({ type, value }: Address) =>
      value === undefined ||
      (type === 'IPAddress' && isIP(value) !== 0) ||
      (type === 'Hostname' && hostname.test(value)),
    rules: [
      {
        message: `Hostname value must be empty or contain only valid characters (matching ${hostnamePattern})`,
        rule: `self.type == 'Hostname' ? (!has(self.value) || self.value.matches(r"""${hostnamePattern}""")): true`,
      },
      {
        // The API says this with `format: ipv4` and `format: ipv6`, which need a oneOf of the whole node.
        message: 'value must be an IPv4 or IPv6 address for type IPAddress',
        rule: "self.type == 'IPAddress' && has(self.value) ? isIP(self.value) : true",
      },
    ],
  },
);

const addresses = list(address, {
  maxItems: 16,
  sure: (self: readonly Address[]) =>
    self.length <= 1 || new Set(self.map(({ type, value }) => `${type} ${value}`)).size === self.length,
  rules: ['IPAddress', 'Hostname'].map((type) => ({
    message: `${type} values must be unique`,
    rule: `self.all(a1, a1.type == '${type}' && has(a1.value) ? self.exists_one(a2, a2.type == a1.type && has(a2.value) && a2.value == a1.value) : true )`,
  })),
});

function keyRules(what: 'Label' | 'Annotation'): Rule[] {
  return [
    {
      message: `${what} keys must be in the form of an optional DNS subdomain prefix followed by a required name segment of up to 63 characters.`,
      rule: `self.all(key, key.matches(r"""${annotationKeyPattern}"""))`,
    },
    {
      message: `If specified, the ${what.toLowerCase()} key's prefix must be a DNS subdomain not longer than 253 characters in total.`,
      rule: 'self.all(key, key.split("/")[0].size() < 253)',
    },
  ];
}

const infrastructure = object({
  labels: mapOf(names.labelValue, { maxProperties: 8, rules: keyRules('Label'), sure: shortKeys }),
  annotations: mapOf(names.annotationValue, { maxProperties: 16, rules: keyRules('Annotation'), sure: shortKeys }),
  parametersRef: localReference,
});

const validation = object(
  {
    caCertificateRefs: list(objectReference, { minItems: 1, maxItems: 8 }),
    mode: oneOf(['AllowValidOnly', 'AllowInsecureFallback'], { default: 'AllowValidOnly' }),
  },
  { required: ['caCertificateRefs'] },
);
const clientTls = object({ validation });

const tls = object({
  backend: object({ clientCertificateRef: secretReference }),
  frontend: object(
    {
      default: clientTls,
      perPort: list(object({ port: names.port, tls: clientTls }, { required: ['port', 'tls'] }), {
        maxItems: 64,
        listMapKeys: ['port'],
        sure: (self: readonly unknown[]) => self.length <= 1,
        rules: [
          {
            message: 'Port for TLS configuration must be unique within the Gateway',
            rule: 'self.all(t1, self.exists_one(t2, t1.port == t2.port))',
          },
        ],
      }),
    },
    { required: ['default'] },
  ),
});

const allowedListeners = object({
  namespaces: object(
    { from: oneOf(['All', 'Selector', 'Same', 'None'], { default: 'None' }), selector: labelSelector },
    { default: { from: 'None' } },
  ),
});

export const gateway: Schema = resource(
  {
    spec: object(
      {
        gatewayClassName: names.objectName,
        listeners,
        addresses,
        infrastructure,
        allowedListeners,
        tls,
        defaultScope: oneOf(['All', 'None']),
      },
      { required: ['gatewayClassName', 'listeners'] },
    ),
    status: anything,
  },
  { name: names.dnsSubdomain, required: ['spec'] },
);
