// Every published rule of BackendTLSPolicy and XBackend has an object that violates it and one that does not.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { holds } from '../cel.ts';
import { findKind } from '../kinds.ts';
import { formatPath } from '../problem.ts';
import { backendTlsPolicy } from '../schemas/backend-tls-policy.ts';
import { members } from '../schemas/members.ts';
import type { Check, Rule, Schema } from '../schemas/schema.ts';
import { xBackend } from '../schemas/x-backend.ts';
import { validate } from '../validate.ts';

type Spec = Record<string, unknown>;
type Row = [message: string, path: string, bad: Spec, good: Spec];

const service = { group: '', kind: 'Service', name: 'a' };
const ref = { group: '', kind: 'ConfigMap', name: 'a' };
const system = { hostname: 'a.example', wellKnownCACertificates: 'System' };
const targets = (...targetRefs: Spec[]): Spec => ({ targetRefs });
const validation = (more: Spec): Spec => ({ validation: { ...system, ...more } });
const names = (...subjectAltNames: Spec[]): Spec => validation({ subjectAltNames });
const uri = 'spiffe://a/b';

const policyRows: Row[] = [
  [
    'sectionName must be specified when targetRefs includes 2 or more references to the same target',
    'spec.targetRefs',
    targets(service, { ...service, sectionName: 'b' }),
    targets({ ...service, sectionName: 'a' }, { ...service, sectionName: 'b' }),
  ],
  [
    'sectionName must be unique when targetRefs includes 2 or more references to the same target',
    'spec.targetRefs',
    targets({ ...service, sectionName: 'b' }, { ...service, sectionName: 'b' }),
    targets(service, { ...service, name: 'b' }),
  ],
  [
    'SubjectAltName element must contain Hostname, if Type is set to Hostname',
    'spec.validation.subjectAltNames[0]',
    names({ type: 'Hostname' }),
    names({ type: 'Hostname', hostname: '*.a.example' }),
  ],
  [
    'SubjectAltName element must not contain Hostname, if Type is not set to Hostname',
    'spec.validation.subjectAltNames[1]',
    names({ type: 'URI', uri }, { type: 'URI', uri, hostname: 'a.example' }),
    names({ type: 'URI', uri }, { type: 'Hostname', hostname: 'a.example' }),
  ],
  [
    'SubjectAltName element must contain URI, if Type is set to URI',
    'spec.validation.subjectAltNames[0]',
    names({ type: 'URI' }),
    names({ type: 'URI', uri }),
  ],
  [
    'SubjectAltName element must not contain URI, if Type is not set to URI',
    'spec.validation.subjectAltNames[0]',
    names({ type: 'Hostname', hostname: 'a.example', uri }),
    names({ type: 'Hostname', hostname: 'a.example' }),
  ],
  [
    'must not contain both CACertificateRefs and WellKnownCACertificates',
    'spec.validation',
    validation({ caCertificateRefs: [ref] }),
    validation({ caCertificateRefs: [] }),
  ],
  [
    'must specify either CACertificateRefs or WellKnownCACertificates',
    'spec.validation',
    { validation: { hostname: 'a.example' } },
    { validation: { hostname: 'a.example', caCertificateRefs: [ref] } },
  ],
];

const tls = (mode: string, more: Spec = {}): Spec => ({ tls: { mode, ...more } });
const own = { clientCertificateRef: { name: 'a' } };
const selector = { endpointSelector: { matchLabels: { a: 'b' } } };
const onlyOne = 'exactly one of port and number must be set';

const xBackendRows: Row[] = [
  [
    'externalHostname must be set when type is ExternalHostname and must be unset otherwise',
    'spec',
    { externalHostname: undefined },
    {},
  ],
  [
    'externalHostname must be set when type is ExternalHostname and must be unset otherwise',
    'spec',
    { type: 'EndpointSelector', ...selector },
    { type: 'EndpointSelector', ...selector, externalHostname: undefined },
  ],
  ['endpointSelector must be set when type is EndpointSelector and must be unset otherwise', 'spec', selector, {}],
  [
    'tls must be unset when protocol is H2C, use protocol HTTP2 for HTTP/2 with tls',
    'spec',
    { protocol: 'H2C', ...tls('None') },
    { protocol: 'H2C' },
  ],
  [
    'tls must be set when protocol is HTTP2, use protocol H2C for HTTP/2 without tls',
    'spec',
    { protocol: 'HTTP2' },
    { protocol: 'HTTP2', ...tls('None') },
  ],
  ['tls must be set when protocol is WSS', 'spec', { protocol: 'WSS' }, { protocol: 'WSS', ...tls('ServerOnly') }],
  [
    'clientCertificateRef must be set if and only if mode is ClientAndServer',
    'spec.tls',
    tls('ServerOnly', own),
    tls('ServerOnly'),
  ],
  [
    'clientCertificateRef must be set if and only if mode is ClientAndServer',
    'spec.tls',
    tls('ClientAndServer'),
    tls('ClientAndServer', own),
  ],
  [
    'hostname must not be an IP address or end with .cluster.local',
    'spec.externalHostname.hostname',
    { externalHostname: { hostname: 'a.shop.svc.cluster.local' } },
    { externalHostname: { hostname: 'cluster.local.example' } },
  ],
  ['must specify either CACertificateRefs or WellKnownCACertificates', 'spec.tls.validation', ...validated({}, system)],
  [onlyOne, 'spec.port', { port: { port: 1, number: 1 } }, { port: { port: 1 } }],
  [onlyOne, 'spec.port', { port: { name: 'a' } }, { port: { number: 1, name: 'a' } }],
];

function validated(bad: Spec, good: Spec): [bad: Spec, good: Spec] {
  const whole = (more: Spec): Spec => tls('ServerOnly', { validation: { hostname: 'a.example', ...more } });
  return [whole(bad), whole(good)];
}

const BASES: Readonly<Record<string, Spec>> = {
  BackendTLSPolicy: { targetRefs: [service], validation: system },
  XBackend: { type: 'ExternalHostname', port: { port: 443 }, externalHostname: { hostname: 'a.example' } },
};

function make(kind: string, spec: Spec): { readonly spec: Spec } {
  // A field that is taken away is undefined here.
  return JSON.parse(
    JSON.stringify({ apiVersion: 'v1', kind, metadata: { name: 'x' }, spec: { ...BASES[kind], ...spec } }),
  );
}

function problems(kind: string, schema: Schema, spec: Spec): string[] {
  return validate(schema, make(kind, spec)).map((each) => `${formatPath(each.path)}: ${each.message}`);
}

function* rulesOf(schema: Schema): Generator<Rule | Check> {
  yield* schema.rules ?? [];
  yield* schema.checks ?? [];
  for (const below of Object.values(schema.properties ?? {})) yield* rulesOf(below);
  if (schema.items !== undefined) yield* rulesOf(schema.items);
}

function assertSureNodesHold(schema: Schema, value: unknown): void {
  const sure = schema.sure as ((self: unknown) => boolean) | undefined;
  if (sure?.(value) === true) for (const rule of schema.rules ?? []) assert.ok(holds(rule, value), rule.message);
  for (const [, member, below] of members(schema, value)) assertSureNodesHold(below, member);
}

for (const [kind, schema, rows, shared] of [
  ['BackendTLSPolicy', backendTlsPolicy, policyRows, []],
  ['XBackend', xBackend, xBackendRows, policyRows],
] as const) {
  describe(`rules of ${kind}`, () => {
    for (const [index, [message, path, bad, good]] of rows.entries()) {
      it(`${index}: ${message} (${path})`, () => {
        const found = problems(kind, schema, bad);
        assert.ok(found.includes(`${path}: ${message}`), found.join('; ') || 'nothing');
        assert.deepEqual(problems(kind, schema, good), []);
      });
    }

    it('all have a row', () => {
      const told = new Set([...rows, ...shared].map(([message]) => message));
      const own = [...rulesOf(schema.properties!['spec']!)];
      assert.deepEqual(
        own.filter(({ message }) => !told.has(message)),
        [],
      );
    });

    it('hold on every node that is taken for granted', () => {
      const specs = fc.tuple(...rows.map(([, , bad, good]) => fc.constantFrom({}, bad, good)));
      fc.assert(
        fc.property(specs, (parts) => {
          const object = make(kind, Object.assign({}, ...parts));
          if (validate(schema, object).every(({ message }) => rows.some(([known]) => known === message)))
            assertSureNodesHold(schema, object);
        }),
        { numRuns: 300, seed: 1 },
      );
    });
  });
}

describe('the shape of an XBackend', () => {
  /** [port as written, port as read]. */
  const cases: readonly (readonly [Spec, number])[] = [
    [{ port: 443 }, 443],
    [{ number: 8443 }, 8443],
    [{ name: 'https', port: 443 }, 443],
  ];
  for (const [port, expected] of cases) {
    it(`port ${JSON.stringify(port)}`, () => {
      const { spec } = findKind('gateway.networking.x-k8s.io', 'XBackend')!;
      assert.equal((spec(make('XBackend', { port })) as { port: number }).port, expected);
    });
  }
});
