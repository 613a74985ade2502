// Every published rule of the policies has an object that violates it and one that does not, and what the schemas let
// through means something to the decoders.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { holds } from '../cel.ts';
import { formatPath } from '../problem.ts';
import { accept, SCHEMA_IN_DOUBT } from '../schemas/accept.ts';
import { members } from '../schemas/members.ts';
import type { Rule, Schema } from '../schemas/schema.ts';
import { trafficPolicy } from '../schemas/traffic-policy.ts';
import { xBackendTrafficPolicy } from '../schemas/x-backend-traffic-policy.ts';
import { validate } from '../validate.ts';
import { decodeSettings } from './decode.ts';
import { type PolicyResource, settingsOf } from './settings.ts';

type Spec = Record<string, unknown>;
type Row = [message: string, path: string, bad: Spec, good: Spec];

const group = 'gateway.networking.k8s.io';
const service = { group: '', kind: 'Service', name: 'a' };
const retry = { attempts: 1 };
const on = (...targetRefs: Spec[]): Spec => ({ targetRefs, retry });
const balancing = (loadBalancing: Spec): Spec => ({ loadBalancing });
const hash = (consistentHash: Spec): Spec => balancing({ consistentHash });
const health = (healthCheck: Spec): Spec => ({ healthCheck });
const outlier = (outlierDetection: Spec): Spec => ({ outlierDetection });
const limit = (more: Spec): Spec => ({ rateLimit: { local: [{ requests: 1, per: '1s', ...more }] } });
const globally = (more: Spec, entry: Spec = { key: 'k', value: 'v' }): Spec => ({
  rateLimit: { global: { domain: 'd', service: { name: 's', port: 1 }, descriptors: [[entry]], ...more } },
});
const longer = 'must be longer than 0s';

const rows: Row[] = [
  [
    `must be a Service (group ''), or an HTTPRoute or a Gateway (group ${group})`,
    'spec.targetRefs[0]',
    on({ group, kind: 'GRPCRoute', name: 'a' }),
    on({ group, kind: 'Gateway', name: 'a' }),
  ],
  [
    `must be a Service (group ''), or an HTTPRoute or a Gateway (group ${group})`,
    'spec.targetRefs[0]',
    on({ group, kind: 'Service', name: 'a' }),
    on({ group, kind: 'HTTPRoute', name: 'a', sectionName: 'b' }),
  ],
  [
    'a policy is for a whole Gateway: remove sectionName',
    'spec.targetRefs[0]',
    on({ group, kind: 'Gateway', name: 'a', sectionName: 'b' }),
    on({ ...service, sectionName: 'b' }),
  ],
  [
    'each target once',
    'spec.targetRefs',
    on({ ...service, sectionName: 'b' }, service, { ...service, sectionName: 'b' }),
    on({ ...service, sectionName: 'b' }, service, { ...service, name: 'b' }),
  ],
  [
    'at least one of loadBalancing, connections, circuitBreaker, outlierDetection, healthCheck, retry, rateLimit, fault must be set',
    'spec',
    { mode: 'Shadow' },
    { mode: 'Shadow', retry },
  ],
  [
    'exactly one of header, cookie, query, sourceIP must be set',
    'spec.loadBalancing.consistentHash',
    hash({ header: 'a', sourceIP: true }),
    hash({ sourceIP: true }),
  ],
  [
    'algorithm ConsistentHash needs consistentHash: what requests are told apart by',
    'spec.loadBalancing',
    balancing({ algorithm: 'ConsistentHash' }),
    balancing({ algorithm: 'ConsistentHash', consistentHash: { query: 'a' } }),
  ],
  [
    longer,
    'spec.loadBalancing.slowStart.window',
    balancing({ slowStart: { window: '0s' } }),
    balancing({ slowStart: { window: '1ms' } }),
  ],
  [
    longer,
    'spec.connections.connectTimeout',
    { connections: { connectTimeout: '0ms' } },
    { connections: { idleTimeout: '0ms' } },
  ],
  [longer, 'spec.outlierDetection.interval', outlier({ interval: '0s' }), outlier({ interval: '1h' })],
  [
    longer,
    'spec.outlierDetection.baseEjectionTime',
    outlier({ baseEjectionTime: '0s' }),
    outlier({ baseEjectionTime: '1s' }),
  ],
  [
    longer,
    'spec.outlierDetection.maxEjectionTime',
    outlier({ baseEjectionTime: '1s', maxEjectionTime: '0s' }),
    outlier({ maxEjectionTime: '30s' }),
  ],
  [
    'maxEjectionTime (300s where absent) must not be shorter than baseEjectionTime (30s where absent)',
    'spec.outlierDetection',
    outlier({ baseEjectionTime: '301s' }),
    outlier({ baseEjectionTime: '5m' }),
  ],
  [
    'exactly one of http, tcp must be set',
    'spec.healthCheck',
    health({ interval: '1s' }),
    health({ interval: '1s', tcp: {} }),
  ],
  [longer, 'spec.healthCheck.interval', health({ tcp: {}, interval: '0s' }), health({ tcp: {}, interval: '1s' })],
  [longer, 'spec.healthCheck.timeout', health({ tcp: {}, timeout: '0s' }), health({ tcp: {}, timeout: '1ms' })],
  [
    'timeout (1s where absent) must not be longer than interval (5s where absent)',
    'spec.healthCheck',
    health({ tcp: {}, interval: '500ms' }),
    health({ tcp: {}, timeout: '5s' }),
  ],
  [longer, 'spec.rateLimit.local[0].per', limit({ per: '0s' }), limit({ per: '1ms' })],
  [
    'exactly one of header, cookie, query, sourceIP, method, path must be set',
    'spec.rateLimit.local[0].key[0]',
    limit({ key: [{ header: 'a', path: true }] }),
    limit({ key: [{ header: 'a' }, { path: true }] }),
  ],
  [
    'exactly one of value, header, cookie, query, claim, sourceIP, remoteIP, method, path, principal must be set',
    'spec.rateLimit.global.descriptors[0][0]',
    globally({}, { key: 'k', header: 'a', path: true }),
    globally({}, { key: 'k', path: true }),
  ],
  [longer, 'spec.rateLimit.global.timeout', globally({ timeout: '0s' }), globally({ timeout: '1ms' })],
  [
    longer,
    'spec.fault.delay.duration',
    { fault: { delay: { duration: '0s', percent: 1 } } },
    { fault: { delay: { duration: '1s', percent: 0 } } },
  ],
];

const constraint = (retryConstraint: Spec): Spec => ({ retryConstraint });
const backendRows: Row[] = [
  [
    'interval cannot be greater than one hour or less than one second',
    'spec.retryConstraint.budget.interval',
    constraint({ budget: { interval: '61m' } }),
    constraint({ budget: { interval: '1s' } }),
  ],
  [
    'interval cannot be greater than one hour',
    'spec.retryConstraint.minRetryRate.interval',
    constraint({ minRetryRate: { interval: '0s' } }),
    constraint({ minRetryRate: { interval: '1h' } }),
  ],
  [
    'AbsoluteTimeout must be specified when cookie lifetimeType is Permanent',
    'spec.sessionPersistence',
    { sessionPersistence: { cookieConfig: { lifetimeType: 'Permanent' } } },
    { sessionPersistence: { cookieConfig: { lifetimeType: 'Permanent' }, absoluteTimeout: '1h' } },
  ],
  [
    'cookieConfig can only be set with type Cookie',
    'spec.sessionPersistence',
    { sessionPersistence: { type: 'Header', cookieConfig: {} } },
    { sessionPersistence: { type: 'Header' } },
  ],
];

const KINDS: [kind: string, schema: Schema, rows: Row[]][] = [
  ['TrafficPolicy', trafficPolicy, rows],
  ['XBackendTrafficPolicy', xBackendTrafficPolicy, backendRows],
];

function make(kind: string, spec: Spec): { readonly spec: Spec } {
  return structuredClone({ apiVersion: 'v1', kind, metadata: { name: 'x' }, spec: { targetRefs: [service], ...spec } });
}

function problems(kind: string, schema: Schema, spec: Spec): string[] {
  return validate(schema, make(kind, spec)).map((each) => `${formatPath(each.path)}: ${each.message}`);
}

for (const [kind, schema, all] of KINDS) {
  describe(`rules of ${kind}`, () => {
    for (const [message, path, bad, good] of all) {
      it(`${message} (${path})`, () => {
        const found = problems(kind, schema, bad);
        assert.ok(found.includes(`${path}: ${message}`), found.join('; '));
        assert.deepEqual(problems(kind, schema, good), []);
      });
    }

    it('all have a row', () => {
      const told = new Set(all.map(([message]) => message));
      assert.deepEqual(
        [...rulesOf(schema)].filter(({ message }) => !told.has(message)),
        [],
      );
    });
  });
}

/** Not of the frame that every kind has. */
function* rulesOf(schema: Schema): Generator<Rule> {
  yield* schema.rules ?? [];
  for (const below of Object.values(schema.properties ?? {})) yield* rulesOf(below);
  if (schema.items !== undefined) yield* rulesOf(schema.items);
}

const durations = ['0s', '1ms', '1s', '30s', '5m', '2h', '1h1h'];

/** Whatever is near what a schema allows. */
function near(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case 'object': {
      const fields = Object.entries(schema.properties ?? {}).map(([name, below]) => [name, near(below)] as const);
      const required = schema.required ?? [];
      const few = fc.subarray(fields.map(([name]) => name));
      return fc
        .tuple(fc.record(Object.fromEntries(fields)), few)
        .map(([all, kept]) =>
          Object.fromEntries(Object.entries(all).filter(([name]) => required.includes(name) || kept.includes(name))),
        );
    }
    case 'array':
      return fc.uniqueArray(near(schema.items!), {
        minLength: 1,
        maxLength: 2,
        selector: (item) => JSON.stringify(item),
      });
    case 'integer':
      return fc.integer({ min: schema.minimum!, max: Math.min(schema.maximum!, schema.minimum! + 600) });
    case 'number':
      return fc.double({ min: schema.minimum!, max: schema.maximum!, noNaN: true });
    case 'boolean':
      return fc.boolean();
    default: {
      const pattern = schema.pattern === undefined ? null : new RegExp(schema.pattern, 'u');
      return fc.constantFrom(...[...durations, 'a', '/a', 'GET', 'POST'].filter((text) => pattern?.test(text) ?? true));
    }
  }
}

const SECTIONS = ['loadBalancing', 'connections', 'circuitBreaker', 'outlierDetection', 'healthCheck', 'retry'];
// A sessionName may be anything in the published schema: its decoder refuses what is no name of a field.
const MORE = ['rateLimit', 'fault', 'retryConstraint'];

describe('a policy that its schema lets through', () => {
  for (const [kind, schema] of KINDS) {
    const fields = schema.properties!['spec']!.properties!;
    for (const section of [...SECTIONS, ...MORE]) {
      const below = fields[section];
      if (below === undefined) continue;
      it(`can be decoded, and breaks no rule it is excused from: ${section}`, () => {
        let decoded = 0;
        fc.assert(
          fc.property(near(below), (value) => {
            const object = make(kind, { [section]: value });
            if (accept(schema, object) !== SCHEMA_IN_DOUBT) assertSureNodesHold(schema, object);
            if (validate(schema, object).length > 0) return;
            decoded++;
            assertDecodes({ ...object, kind } as unknown as PolicyResource);
          }),
          { numRuns: 300, seed: 1 },
        );
        assert.ok(decoded > 5, `only ${decoded} were valid`);
      });
    }
  }
});

function assertDecodes(policy: PolicyResource): void {
  for (const [section, settings] of Map.groupBy(settingsOf(policy), (each) => each.section)) {
    assert.equal(decodeSettings(section, settings).problem, null, JSON.stringify(policy.spec));
  }
}

function assertSureNodesHold(schema: Schema, value: unknown): void {
  const { rules = [], sure } = schema;
  if ((sure as ((self: unknown) => boolean) | undefined)?.(value) === true) {
    for (const rule of rules) assert.ok(holds(rule, value), `${rule.rule} of ${JSON.stringify(value)}`);
  }
  for (const [, member, below] of members(schema, value)) assertSureNodesHold(below, member);
}
