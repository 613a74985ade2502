// Service, core v1, with the checks that the API server makes in Go code.
import { isIP } from 'node:net';
import { resource } from './metadata.ts';
import * as names from './names.ts';
import { anything, type Check, integer, list, mapOf, object, oneOf, type Schema, text, truth } from './schema.ts';

interface Port {
  readonly name?: string;
  readonly protocol: string;
  readonly port: number;
}

interface Spec {
  readonly type: string;
  readonly clusterIP?: string;
  readonly clusterIPs?: readonly string[];
  readonly externalName?: string;
  readonly ports?: readonly Port[];
}

const isAddress = (value: string): boolean => value === '' || value === 'None' || isIP(value) !== 0;

const checks: Check[] = [
  {
    message: 'ports: at least one port is required (only a headless or ExternalName Service may have none)',
    holds: (self: Spec): boolean =>
      self.type === 'ExternalName' || self.clusterIP === 'None' || (self.ports ?? []).length > 0,
  },
  {
    message: 'externalName: is required for type ExternalName',
    holds: (self: Spec): boolean => self.type !== 'ExternalName' || (self.externalName ?? '') !== '',
  },
  {
    message: "clusterIP: must be empty, 'None' or an IP address",
    holds: (self: Spec): boolean => [self.clusterIP ?? '', ...(self.clusterIPs ?? [])].every(isAddress),
  },
  {
    message: 'clusterIPs: its first entry must be the same as clusterIP',
    holds: (self: Spec): boolean =>
      self.clusterIPs?.[0] === undefined || self.clusterIP === undefined || self.clusterIPs[0] === self.clusterIP,
  },
];

const portChecks: Check[] = [
  {
    message: 'every port needs a name when there is more than one',
    holds: (self: readonly Port[]): boolean => self.length <= 1 || self.every((each) => (each.name ?? '') !== ''),
  },
  {
    message: 'port names must be unique',
    holds: (self: readonly Port[]): boolean => {
      const named = self.flatMap((each) => (each.name === undefined || each.name === '' ? [] : [each.name]));
      return new Set(named).size === named.length;
    },
  },
  {
    message: 'the combination of protocol and port must be unique',
    holds: (self: readonly Port[]): boolean =>
      new Set(self.map((each) => `${each.protocol}/${each.port}`)).size === self.length,
  },
];

const portName: Schema = { ...names.dnsLabel, minLength: 0, pattern: '^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' };

const port = object(
  {
    name: portName,
    protocol: oneOf(['TCP', 'UDP', 'SCTP'], { default: 'TCP' }),
    appProtocol: text,
    port: names.port,
    targetPort: {
      type: ['integer', 'string'],
      minimum: 1,
      maximum: 65535,
      minLength: 1,
      maxLength: 15,
      pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
      description: "a port number, or a port's name of at most 15 lower-case letters, digits and '-'",
    },
    nodePort: integer(0, 65535),
  },
  { required: ['port'] },
);

export const service: Schema = resource(
  {
    spec: object(
      {
        type: oneOf(['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'], { default: 'ClusterIP' }),
        ports: list(port, { checks: portChecks }),
        selector: mapOf(text),
        clusterIP: text,
        clusterIPs: list(text, { maxItems: 2 }),
        externalName: text,
        externalIPs: list(text),
        sessionAffinity: oneOf(['None', 'ClientIP']),
        sessionAffinityConfig: anything,
        loadBalancerIP: text,
        loadBalancerSourceRanges: list(text),
        loadBalancerClass: text,
        externalTrafficPolicy: oneOf(['Cluster', 'Local']),
        internalTrafficPolicy: oneOf(['Cluster', 'Local']),
        healthCheckNodePort: integer(0, 65535),
        publishNotReadyAddresses: truth,
        ipFamilies: list(oneOf(['IPv4', 'IPv6']), { maxItems: 2, uniqueItems: true }),
        ipFamilyPolicy: oneOf(['SingleStack', 'PreferDualStack', 'RequireDualStack']),
        allocateLoadBalancerNodePorts: truth,
        trafficDistribution: oneOf(['PreferClose', 'PreferSameZone', 'PreferSameNode']),
      },
      { checks },
    ),
    status: anything,
  },
  { name: names.serviceName, required: ['spec'] },
);
