// Objects as the API server would judge them: exact messages, defaults, and that the quick verdict never accepts too much.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { explain } from './explain.ts';
import { findKind, type Kind } from './kinds.ts';
import { formatPath } from './problem.ts';
import { ACCEPTED, accept, SCHEMA_IN_DOUBT } from './schemas/accept.ts';
import { validate } from './validate.ts';

type Fields = Record<string, unknown>;

const gatewayApi = 'gateway.networking.k8s.io';
const groups: Record<string, string> = {
  EndpointSlice: 'discovery.k8s.io',
  Service: '',
  Namespace: '',
  Secret: '',
  ConfigMap: '',
};

function kindOf(name: string): Kind {
  return findKind(groups[name] ?? gatewayApi, name)!;
}

function make(kind: string, fields: Fields): Fields {
  return structuredClone({ apiVersion: 'v1', kind, metadata: { name: 'x', namespace: 'n' }, ...fields });
}

function problems(kind: string, fields: Fields): string[] {
  return validate(kindOf(kind).schema, make(kind, fields)).map((each) => `${formatPath(each.path)}: ${each.message}`);
}

const route = (rule: Fields): Fields => ({ spec: { rules: [rule] } });
const matching = (match: Fields): Fields => route({ matches: [match] });
const listener = { name: 'a', port: 80, protocol: 'HTTP' };
const service = (spec: Fields): Fields => ({ spec: { ports: [{ port: 80 }], ...spec } });

const invalid: [name: string, kind: string, fields: Fields, expected: string[]][] = [
  [
    'an unknown path type',
    'HTTPRoute',
    matching({ path: { type: 'Prefix' } }),
    ['spec.rules[0].matches[0].path.type: must be one of Exact, PathPrefix, RegularExpression (got Prefix)'],
  ],
  [
    'a mistyped field',
    'HTTPRoute',
    route({ backendRef: [] }),
    ['spec.rules[0].backendRef: unknown field (did you mean backendRefs?)'],
  ],
  [
    'an unknown field',
    'HTTPRoute',
    route({ timeouts: { wholeRequest: '1s' } }),
    ['spec.rules[0].timeouts.wholeRequest: unknown field (known here: backendRequest, request)'],
  ],
  [
    'an unknown field at the top',
    'ConfigMap',
    { spec: {} },
    ['spec: unknown field (known here: apiVersion, binaryData, data, immutable, kind, metadata)'],
  ],
  [
    'a number for a string',
    'HTTPRoute',
    matching({ headers: [{ name: 'a', value: 1 }] }),
    ['spec.rules[0].matches[0].headers[0].value: must be a string (got 1: put it in quotes)'],
  ],
  [
    'a string for a number',
    'HTTPRoute',
    route({ backendRefs: [{ name: 'a', port: '80' }] }),
    ['spec.rules[0].backendRefs[0].port: must be a whole number (got "80": remove the quotes)'],
  ],
  ['a mapping for a list', 'HTTPRoute', { spec: { rules: {} } }, ['spec.rules: must be a list (got a mapping)']],
  ['a list for a mapping', 'HTTPRoute', { spec: [] }, ['spec: must be a mapping (got a list)']],
  [
    'a fraction',
    'HTTPRoute',
    route({ backendRefs: [{ name: 'a', port: 80, weight: 1.5 }] }),
    ['spec.rules[0].backendRefs[0].weight: must be a whole number (got 1.5)'],
  ],
  [
    'a missing name',
    'HTTPRoute',
    route({ backendRefs: [{ port: 80 }] }),
    ['spec.rules[0].backendRefs[0]: name: is required'],
  ],
  [
    'a port too large',
    'HTTPRoute',
    route({ backendRefs: [{ name: 'a', port: 65536 }] }),
    ['spec.rules[0].backendRefs[0].port: must be at most 65535 (got 65536)'],
  ],
  [
    'a weight below 0',
    'HTTPRoute',
    route({ backendRefs: [{ name: 'a', port: 80, weight: -1 }] }),
    ['spec.rules[0].backendRefs[0].weight: must be at least 0 (got -1)'],
  ],
  ['no rules', 'HTTPRoute', { spec: { rules: [] } }, ['spec.rules: must have at least 1 item (has 0)']],
  [
    'too many rules',
    'HTTPRoute',
    { spec: { rules: new Array(17).fill({}) } },
    ['spec.rules: must have at most 16 items (has 17)'],
  ],
  [
    'an IP with a port as hostname',
    'HTTPRoute',
    { spec: { hostnames: ['a.example:80'] } },
    [
      "spec.hostnames[0]: must be a lower-case DNS name, optionally starting with '*.' (no IP address, no port) (got a.example:80)",
    ],
  ],
  [
    'an empty value',
    'HTTPRoute',
    matching({ queryParams: [{ name: 'a', value: '' }] }),
    ['spec.rules[0].matches[0].queryParams[0].value: must not be empty'],
  ],
  [
    'a long path',
    'HTTPRoute',
    matching({ path: { value: `/${'a'.repeat(1024)}` } }),
    ['spec.rules[0].matches[0].path.value: must have at most 1024 characters (has 1025)'],
  ],
  [
    'a header matched twice',
    'HTTPRoute',
    matching({
      headers: [
        { name: 'a', value: 'b' },
        { name: 'a', value: 'c' },
      ],
    }),
    ['spec.rules[0].matches[0].headers[1]: name a is already used by item 0'],
  ],
  [
    'a code twice',
    'HTTPRoute',
    route({ retry: { codes: [503, 503] } }),
    ['spec.rules[0].retry.codes: must not repeat an item (items 0 and 1 are the same)'],
  ],
  [
    'a code outside 400 to 599',
    'HTTPRoute',
    route({ retry: { codes: [200], attempts: 1 } }),
    ['spec.rules[0].retry.codes[0]: must be at least 400 (got 200)'],
  ],
  [
    'a duration with a fraction',
    'HTTPRoute',
    route({ timeouts: { request: '1.5s' } }),
    ['spec.rules[0].timeouts.request: must be a duration such as 1h, 10s, 250ms or 1m30s (no fractions) (got 1.5s)'],
  ],
  [
    'a redirect status',
    'HTTPRoute',
    route({ filters: [{ type: 'RequestRedirect', requestRedirect: { statusCode: 200 } }] }),
    ['spec.rules[0].filters[0].requestRedirect.statusCode: must be one of 301, 302, 303, 307, 308 (got 200)'],
  ],
  [
    'several at once',
    'HTTPRoute',
    { metadata: { name: 'X', namespace: 'n' }, spec: { hostnames: 'a', extra: 1 } },
    [
      "metadata.name: must be a name of lower-case letters, digits, '-' and '.' (got X)",
      'spec.extra: unknown field (known here: hostnames, parentRefs, rules, useDefaultGateways)',
      'spec.hostnames: must be a list (got a)',
    ],
  ],
  ['no spec', 'HTTPRoute', {}, [': spec: is required']],
  [
    'a label that is no string',
    'HTTPRoute',
    { metadata: { name: 'x', labels: { version: 1 } }, ...route({}) },
    ['metadata.labels.version: must be a string (got 1: put it in quotes)'],
  ],
  [
    'a label key',
    'HTTPRoute',
    { metadata: { name: 'x', labels: { 'a b': 'c' } }, ...route({}) },
    [
      "metadata.labels: every key must be a name of letters, digits, '-', '_' and '.', optionally behind a DNS prefix and '/'",
    ],
  ],
  [
    'a controller name',
    'GatewayClass',
    { metadata: { name: 'x' }, spec: { controllerName: 'a' } },
    ['spec.controllerName: must be a domain-prefixed path such as example.com/controller (got a)'],
  ],
  [
    'no listeners',
    'Gateway',
    { spec: { gatewayClassName: 'c', listeners: [] } },
    ['spec.listeners: must have at least 1 item (has 0)'],
  ],
  [
    'a selector operator',
    'Gateway',
    {
      spec: {
        gatewayClassName: 'c',
        listeners: [
          {
            ...listener,
            allowedRoutes: {
              namespaces: { from: 'Selector', selector: { matchExpressions: [{ key: 'a', operator: 'In' }] } },
            },
          },
        ],
      },
    },
    [
      'spec.listeners[0].allowedRoutes.namespaces.selector.matchExpressions[0]: values must list at least one value for In and NotIn, and none for Exists and DoesNotExist',
    ],
  ],
  [
    'a grant to nothing',
    'ReferenceGrant',
    { spec: { from: [{ group: '', kind: 'Service', namespace: 'a' }], to: [] } },
    ['spec.to: must have at least 1 item (has 0)'],
  ],
  [
    'a Service without ports',
    'Service',
    { spec: {} },
    ['spec: ports: at least one port is required (only a headless or ExternalName Service may have none)'],
  ],
  [
    'unnamed ports',
    'Service',
    service({ ports: [{ port: 80 }, { port: 81 }] }),
    ['spec.ports: every port needs a name when there is more than one'],
  ],
  [
    'a port twice',
    'Service',
    service({
      ports: [
        { name: 'a', port: 80 },
        { name: 'b', port: 80 },
      ],
    }),
    ['spec.ports: the combination of protocol and port must be unique'],
  ],
  [
    'a cluster address',
    'Service',
    service({ clusterIP: 'a' }),
    ["spec: clusterIP: must be empty, 'None' or an IP address"],
  ],
  [
    'a target port',
    'Service',
    service({ ports: [{ port: 80, targetPort: true }] }),
    ['spec.ports[0].targetPort: must be a whole number or a string (got true)'],
  ],
  [
    'a Service name',
    'Service',
    { metadata: { name: '1a' }, ...service({}) },
    ["metadata.name: must be a name of lower-case letters, digits and '-', starting with a letter (got 1a)"],
  ],
  [
    'an address of the other family',
    'EndpointSlice',
    { addressType: 'IPv4', endpoints: [{ addresses: ['::1'] }], ports: [] },
    [': every address of every endpoint must be of the addressType'],
  ],
  [
    'no addresses',
    'EndpointSlice',
    { addressType: 'IPv4', endpoints: [{ addresses: [] }], ports: [] },
    ['endpoints[0].addresses: must have at least 1 item (has 0)'],
  ],
  [
    'plain text in a Secret',
    'Secret',
    { data: { a: 'not base64!' } },
    ['data: every value must be base64 (use stringData for plain text)'],
  ],
  [
    'half a certificate',
    'Secret',
    { type: 'kubernetes.io/tls', stringData: { 'tls.crt': '' } },
    [': a Secret of type kubernetes.io/tls needs both tls.crt and tls.key'],
  ],
  [
    'a key that is no file name',
    'ConfigMap',
    { data: { 'a/b': '' } },
    ["data: every key must consist of letters, digits, '-', '_' and '.'"],
  ],
  [
    'a null in a list',
    'HTTPRoute',
    { spec: { hostnames: [null] } },
    ['spec.hostnames[0]: must be a string (got null)'],
  ],
];

const valid: [name: string, kind: string, fields: Fields][] = [
  ['a route of defaults', 'HTTPRoute', { spec: {} }],
  [
    'nulls',
    'HTTPRoute',
    {
      metadata: { name: 'x', creationTimestamp: null, labels: null },
      spec: { rules: null, parentRefs: null },
      status: null,
    },
  ],
  [
    'what a server sets',
    'HTTPRoute',
    {
      metadata: {
        name: 'x',
        uid: 'u',
        resourceVersion: '1',
        generation: 3,
        managedFields: [{ manager: 'm' }],
        creationTimestamp: '2026-01-31T12:00:00Z',
      },
      spec: {},
      status: { parents: [] },
    },
  ],
  [
    'a route with everything',
    'HTTPRoute',
    {
      spec: {
        parentRefs: [{ group: '', kind: 'Service', name: 'a', port: 80 }],
        hostnames: ['*.a.example'],
        rules: [
          {
            name: 'r',
            matches: [
              {
                method: 'GET',
                headers: [{ name: 'a', value: 'b c' }],
                queryParams: [{ name: 'a', type: 'RegularExpression', value: '.*' }],
              },
            ],
            filters: [
              {
                type: 'RequestHeaderModifier',
                requestHeaderModifier: { set: [{ name: 'a', value: 'b' }], remove: ['c'] },
              },
            ],
            backendRefs: [{ name: 'a', port: 80, weight: 0, filters: [] }],
            timeouts: { request: '10s', backendRequest: '1s' },
            retry: { codes: [500, 503], attempts: 2, backoff: '50ms' },
            sessionPersistence: { sessionName: 's', type: 'Header', absoluteTimeout: '1h', idleTimeout: '5m' },
          },
        ],
      },
    },
  ],
  [
    'a Gateway',
    'Gateway',
    {
      spec: {
        gatewayClassName: 'waypoint',
        listeners: [listener, { ...listener, name: 'b', port: 15088, protocol: 'waypoint.dev/PROXY' }],
      },
    },
  ],
  ['a GatewayClass with a namespace', 'GatewayClass', { spec: { controllerName: 'waypoint.dev/controller' } }],
  [
    'a grant',
    'ReferenceGrant',
    {
      spec: { from: [{ group: gatewayApi, kind: 'HTTPRoute', namespace: 'a' }], to: [{ group: '', kind: 'Service' }] },
    },
  ],
  ['a headless Service', 'Service', { spec: { clusterIP: 'None', selector: { app: 'a' } } }],
  [
    'a Service from a cluster',
    'Service',
    service({
      clusterIP: '10.0.0.1',
      clusterIPs: ['10.0.0.1'],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
      ports: [{ name: '', port: 80, protocol: 'TCP', targetPort: 'http' }],
    }),
  ],
  [
    'slices',
    'EndpointSlice',
    {
      addressType: 'IPv6',
      endpoints: [{ addresses: ['::1'], conditions: { ready: true }, hints: { forZones: [{ name: 'z' }] } }],
      ports: [{ name: '', port: 80 }],
    },
  ],
  ['a Namespace', 'Namespace', { metadata: { name: 'x' } }],
  ['a Secret', 'Secret', { data: { a: 'YQ==\n' }, type: 'Opaque' }],
  ['a ConfigMap', 'ConfigMap', { data: { 'ca.crt': 'x' } }],
];

describe('validate', () => {
  for (const [name, kind, fields, expected] of invalid) {
    it(`refuses ${name} (${kind})`, () => assert.deepEqual(problems(kind, fields).sort(), expected.sort()));
  }

  for (const [name, kind, fields] of valid) {
    it(`accepts ${name} (${kind}), quickly and fully alike`, () => {
      const { schema } = kindOf(kind);
      const quickly = make(kind, fields);
      const fully = make(kind, fields);
      assert.notEqual(accept(schema, quickly), SCHEMA_IN_DOUBT);
      assert.deepEqual(explain(schema, fully), []);
      assert.deepEqual(quickly, fully);
      assert.deepEqual(problems(kind, fields), []);
    });
  }

  it('fills in the defaults of a route', () => {
    const object = make('HTTPRoute', {
      spec: {
        parentRefs: [{ name: 'g' }],
        rules: [{ backendRefs: [{ name: 'a', port: 80 }] }, { matches: [{ headers: [{ name: 'a', value: 'b' }] }] }],
      },
    });
    assert.deepEqual(validate(kindOf('HTTPRoute').schema, object), []);
    const path = { type: 'PathPrefix', value: '/' };
    assert.deepEqual(object['spec'], {
      parentRefs: [{ name: 'g', group: gatewayApi, kind: 'Gateway' }],
      rules: [
        { backendRefs: [{ name: 'a', port: 80, group: '', kind: 'Service', weight: 1 }], matches: [{ path }] },
        { matches: [{ headers: [{ name: 'a', value: 'b', type: 'Exact' }], path }] },
      ],
    });
  });

  it('never accepts quickly what the full validation refuses', () => {
    const value = fc.constantFrom<unknown>(
      '',
      'a',
      'A_b',
      '*',
      0,
      -1,
      80,
      1.5,
      99999,
      true,
      null,
      [],
      {},
      [null],
      [1, 1],
      ['a', 'a'],
      { a: 1 },
    );
    const steps = fc.array(fc.nat(9), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.constantFrom(...valid), steps, value, fc.boolean(), ([, kind, fields], at, put, rename) => {
        const { schema } = kindOf(kind);
        const object = make(kind, fields);
        damage(object, at, rename ? undefined : put);
        const again = structuredClone(object);
        if (accept(schema, object) === SCHEMA_IN_DOUBT) return;
        assert.deepEqual(explain(schema, again), [], JSON.stringify(again));
        assert.deepEqual(object, again);
      }),
      { numRuns: 2000, seed: 1 },
    );
  });

  it('takes what is plain for granted', () => {
    const { schema } = kindOf('HTTPRoute');
    const plain = matching({ path: { type: 'PathPrefix', value: '/a/b.c' }, headers: [{ name: 'x', value: 'y' }] });
    assert.equal(accept(schema, make('HTTPRoute', plain)), ACCEPTED);
  });
});

/** Walks into the object and there replaces a member by `put`, or renames it. */
function damage(object: unknown, steps: readonly number[], put: unknown): void {
  let at = object as Record<string, unknown>;
  for (const [depth, step] of steps.entries()) {
    const keys = Object.keys(at);
    const key = keys[step % Math.max(keys.length, 1)];
    if (key === undefined) return;
    const below = at[key];
    if (depth < steps.length - 1 && typeof below === 'object' && below !== null) {
      at = below as Record<string, unknown>;
      continue;
    }
    if (put === undefined) {
      at[`${key}s`] = below;
      delete at[key];
    } else at[key] = structuredClone(put);
    return;
  }
}
