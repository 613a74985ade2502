// EndpointSlice, discovery.k8s.io/v1.
import { isIPv4, isIPv6 } from 'node:net';
import { resource } from './metadata.ts';
import * as names from './names.ts';
import { list, mapOf, object, oneOf, type Schema, text, truth } from './schema.ts';

interface Slice {
  readonly addressType: string;
  readonly endpoints?: readonly { readonly addresses: readonly string[] }[];
}

const fits: Readonly<Record<string, (address: string) => boolean>> = { IPv4: isIPv4, IPv6: isIPv6, FQDN: () => true };

const endpoint = object(
  {
    addresses: list(text, { minItems: 1, maxItems: 100 }),
    conditions: object({ ready: truth, serving: truth, terminating: truth }),
    hostname: names.dnsLabel,
    nodeName: text,
    zone: text,
    targetRef: object({
      apiVersion: text,
      kind: text,
      namespace: text,
      name: text,
      uid: text,
      resourceVersion: text,
      fieldPath: text,
    }),
    hints: object({
      forZones: list(object({ name: text }, { required: ['name'] }), { maxItems: 8 }),
      forNodes: list(object({ name: text }, { required: ['name'] }), { maxItems: 8 }),
    }),
    deprecatedTopology: mapOf(text),
  },
  { required: ['addresses'] },
);

const port = object({
  name: { ...names.dnsLabel, minLength: 0, pattern: '^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' },
  protocol: oneOf(['TCP', 'UDP', 'SCTP'], { default: 'TCP' }),
  port: names.port,
  appProtocol: text,
});

export const endpointSlice: Schema = resource(
  {
    addressType: oneOf(['IPv4', 'IPv6', 'FQDN']),
    endpoints: list(endpoint, { maxItems: 1000 }),
    ports: list(port, { maxItems: 20_000 }),
  },
  {
    name: names.dnsSubdomain,
    required: ['addressType'],
    checks: [
      {
        message: 'every address of every endpoint must be of the addressType',
        holds: (self: Slice): boolean =>
          (self.endpoints ?? []).every((each) => each.addresses.every(fits[self.addressType] ?? (() => false))),
      },
    ],
  },
);
