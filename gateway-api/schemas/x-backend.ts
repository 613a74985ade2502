// XBackend, gateway.networking.x-k8s.io/v1alpha1 (GEP-4894).
import { backendTlsValidation } from './backend-tls.ts';
import { resource } from './metadata.ts';
import * as names from './names.ts';
import { secretReference } from './references.ts';
import { anything, mapOf, object, oneOf, type Schema } from './schema.ts';

interface Spec {
  readonly type: string;
  readonly externalHostname?: unknown;
  readonly endpointSelector?: unknown;
  readonly protocol?: string;
  readonly tls?: unknown;
}

const tls = object(
  {
    mode: oneOf(['None', 'ServerOnly', 'ClientAndServer']),
    clientCertificateRef: secretReference,
    validation: backendTlsValidation,
  },
  {
    required: ['mode'],
    sure: (self: { readonly mode: string; readonly clientCertificateRef?: unknown }) =>
      (self.mode === 'ClientAndServer') === (self.clientCertificateRef !== undefined),
    rules: [
      {
        message: 'clientCertificateRef must be set if and only if mode is ClientAndServer',
        rule: "self.mode == 'ClientAndServer' ? has(self.clientCertificateRef) : !has(self.clientCertificateRef)",
      },
    ],
  },
);

const externalHostname = object(
  {
    hostname: {
      ...names.preciseHostname,
      sure: (self: string) => !self.endsWith('.cluster.local'),
      rules: [
        {
          message: 'hostname must not be an IP address or end with .cluster.local',
          rule: "!self.endsWith('.cluster.local')",
        },
      ],
    },
  },
  { required: ['hostname'] },
);

interface Port {
  readonly port?: number;
  readonly number?: number;
}

/** `port` in the release v1.6, `number` later. */
const port = object(
  {
    name: { ...names.dnsLabel, minLength: 0, pattern: '^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' },
    port: names.port,
    number: names.port,
  },
  {
    checks: [
      {
        message: 'exactly one of port and number must be set',
        holds: (self: Port): boolean => (self.port === undefined) !== (self.number === undefined),
      },
    ],
  },
);

/** The selector of labels is for pods, which no waypoint watches: it is read to be refused by name. */
const endpointSelector = object(
  { matchLabels: mapOf(names.labelValue, { maxProperties: 64 }) },
  { required: ['matchLabels'] },
);

const protocols = ['TCP', 'HTTP', 'HTTP2', 'HTTP11', 'H2C', 'MCP', 'GRPC', 'WSS'];

export const xBackend: Schema = resource(
  {
    spec: object(
      {
        type: oneOf(['ExternalHostname', 'EndpointSelector']),
        port,
        externalHostname,
        endpointSelector,
        protocol: oneOf(protocols),
        tls,
      },
      {
        required: ['type', 'port'],
        sure: (self: Spec) =>
          self.type === 'ExternalHostname' &&
          self.externalHostname !== undefined &&
          self.endpointSelector === undefined &&
          !['H2C', 'HTTP2', 'WSS'].includes(self.protocol ?? ''),
        rules: [
          {
            message: 'externalHostname must be set when type is ExternalHostname and must be unset otherwise',
            rule: "self.type == 'ExternalHostname' ? has(self.externalHostname) : !has(self.externalHostname)",
          },
          {
            message: 'endpointSelector must be set when type is EndpointSelector and must be unset otherwise',
            rule: "self.type == 'EndpointSelector' ? has(self.endpointSelector) : !has(self.endpointSelector)",
          },
          {
            message: 'tls must be unset when protocol is H2C, use protocol HTTP2 for HTTP/2 with tls',
            rule: "!has(self.protocol) || self.protocol != 'H2C' || !has(self.tls)",
          },
          {
            message: 'tls must be set when protocol is HTTP2, use protocol H2C for HTTP/2 without tls',
            rule: "!has(self.protocol) || self.protocol != 'HTTP2' || has(self.tls)",
          },
          {
            message: 'tls must be set when protocol is WSS',
            rule: "!has(self.protocol) || self.protocol != 'WSS' || has(self.tls)",
          },
        ],
      },
    ),
    status: anything,
  },
  { name: names.dnsSubdomain, required: ['spec'] },
);
