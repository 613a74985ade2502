// Every published rule of HTTPRoute and Gateway has an object that violates it and one that only just does not.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { holds } from './cel.ts';
import { formatPath } from './problem.ts';
import { accept, SCHEMA_IN_DOUBT } from './schemas/accept.ts';
import { gateway } from './schemas/gateway.ts';
import { httpRoute } from './schemas/http-route.ts';
import { members } from './schemas/members.ts';
import type { Rule, Schema } from './schemas/schema.ts';
import { validate } from './validate.ts';

type Spec = Record<string, unknown>;
type Row = [message: string, path: string, bad: Spec, good: Spec];

const prefix = { type: 'ReplacePrefixMatch', replacePrefixMatch: '/x' };
const exact = [{ path: { type: 'Exact', value: '/a' } }];
const onePrefix = [{ path: { type: 'PathPrefix', value: '/a' } }];
const svc = { name: 'a', port: 80 };
const rule = (fields: Spec): Spec => ({ rules: [fields] });
const path = (value: string, type = 'Exact'): Spec => rule({ matches: [{ path: { type, value } }] });
const filter = (...filters: Spec[]): Spec => rule({ filters });
const backendFilter = (...filters: Spec[]): Spec => rule({ backendRefs: [{ ...svc, filters }] });
const redirect = (settings: Spec = {}): Spec => ({ type: 'RequestRedirect', requestRedirect: settings });
const rewrite = (settings: Spec = {}): Spec => ({ type: 'URLRewrite', urlRewrite: settings });
const mirror = (settings: Spec): Spec => ({ type: 'RequestMirror', requestMirror: { backendRef: svc, ...settings } });
const cors = (settings: Spec): Spec => ({ type: 'CORS', cors: settings });
const auth = (settings: Spec): Spec => ({ type: 'ExternalAuth', externalAuth: { backendRef: svc, ...settings } });
const valid: Record<string, Spec> = {
  cors: cors({}),
  requestHeaderModifier: { type: 'RequestHeaderModifier', requestHeaderModifier: {} },
  responseHeaderModifier: { type: 'ResponseHeaderModifier', responseHeaderModifier: {} },
  requestMirror: mirror({}),
  requestRedirect: redirect(),
  urlRewrite: rewrite(),
  externalAuth: auth({ protocol: 'GRPC', grpc: {} }),
  extensionRef: { type: 'ExtensionRef', extensionRef: { group: 'a.example', kind: 'B', name: 'c' } },
};
const matches = (count: number): Spec[] =>
  Array.from({ length: count }, (_, index) => ({ path: { value: `/${index}` } }));
const charset =
  "must only contain valid characters (matching ^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$) for types ['Exact', 'PathPrefix']";
const literal = "when type one of ['Exact', 'PathPrefix']";
const twice = { type: 'RequestHeaderModifier', requestHeaderModifier: {} };
const at = 'spec.rules[0]';

const routeRows: Row[] = [
  [
    'sectionName or port must be specified when parentRefs includes 2 or more references to the same parent',
    'spec.parentRefs',
    { parentRefs: [{ name: 'a' }, { name: 'a', sectionName: 's' }] },
    {
      parentRefs: [
        { name: 'a', sectionName: 't' },
        { name: 'a', sectionName: 's' },
      ],
    },
  ],
  [
    'sectionName or port must be unique when parentRefs includes 2 or more references to the same parent',
    'spec.parentRefs',
    {
      parentRefs: [
        { name: 'a', namespace: 'n', port: 80 },
        { name: 'a', namespace: 'n', port: 80 },
      ],
    },
    {
      parentRefs: [
        { name: 'a', namespace: 'n', port: 80 },
        { name: 'a', namespace: 'm', port: 80 },
      ],
    },
  ],
  [
    'Rule name must be unique within the route',
    'spec.rules',
    { rules: [{ name: 'a' }, { name: 'a' }] },
    { rules: [{ name: 'a' }, { name: 'b' }, {}, {}] },
  ],
  [
    'While 16 rules and 64 matches per rule are allowed, the total number of matches across all rules in a route must be less than 128',
    'spec.rules',
    { rules: [{ matches: matches(64) }, { matches: matches(64) }, {}] },
    { rules: [{ matches: matches(64) }, { matches: matches(63) }, {}] },
  ],
  [
    'RequestRedirect filter must not be used together with backendRefs',
    at,
    rule({ backendRefs: [svc], filters: [redirect()] }),
    rule({ backendRefs: [], filters: [redirect()] }),
  ],
  ...(['RequestRedirect', 'URLRewrite'] as const).flatMap((type): Row[] => {
    const settings = type === 'URLRewrite' ? rewrite({ path: prefix }) : redirect({ path: prefix });
    const inside = rule({ matches: exact, backendRefs: [{ ...svc, filters: [settings] }] });
    return [
      [
        `When using ${type} filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified`,
        at,
        rule({ matches: [...onePrefix, ...exact], filters: [settings] }),
        rule({ matches: onePrefix, filters: [settings] }),
      ],
      [
        `Within backendRefs, ${type === 'URLRewrite' ? 'When' : 'when'} using ${type} filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified`,
        at,
        inside,
        rule({ backendRefs: [{ ...svc, filters: [settings] }] }),
      ],
    ];
  }),
  [
    "value must be an absolute path and start with '/' when type one of ['Exact', 'PathPrefix']",
    `${at}.matches[0].path`,
    path('a'),
    path('a', 'RegularExpression'),
  ],
  ...['//', '/./', '/../', '%2f', '%2F', '#'].map(
    (what): Row => [
      `must not contain '${what}' ${literal}`,
      `${at}.matches[0].path`,
      path(`/a${what}b`),
      path(`/a${what}b`, 'RegularExpression'),
    ],
  ),
  ...['/..', '/.'].map(
    (what): Row => [
      `must not end with '${what}' ${literal}`,
      `${at}.matches[0].path`,
      path(`/a${what}`, 'PathPrefix'),
      path(`/a${what}x`),
    ],
  ),
  [charset, `${at}.matches[0].path`, path('/a b'), path('/a%20b')],
  [
    'backendRequest timeout cannot be longer than request timeout',
    `${at}.timeouts`,
    rule({ timeouts: { request: '1s', backendRequest: '1s1ms' } }),
    rule({ timeouts: { request: '0s', backendRequest: '1h' } }),
  ],
  [
    'AbsoluteTimeout must be specified when cookie lifetimeType is Permanent',
    `${at}.sessionPersistence`,
    rule({ sessionPersistence: { cookieConfig: { lifetimeType: 'Permanent' } } }),
    rule({ sessionPersistence: { cookieConfig: { lifetimeType: 'Permanent' }, absoluteTimeout: '1h' } }),
  ],
  [
    'cookieConfig can only be set with type Cookie',
    `${at}.sessionPersistence`,
    rule({ sessionPersistence: { type: 'Header', cookieConfig: {} } }),
    rule({ sessionPersistence: { type: 'Cookie', cookieConfig: {} } }),
  ],
  [
    'Must have port for Service reference',
    `${at}.backendRefs[0]`,
    rule({ backendRefs: [{ name: 'a' }] }),
    rule({ backendRefs: [{ name: 'a', group: 'g.example', kind: 'K' }] }),
  ],
  [
    'May specify either httpRouteFilterRequestRedirect or httpRouteFilterRequestRewrite, but not both',
    `${at}.filters`,
    filter(redirect(), rewrite()),
    filter(rewrite(), twice),
  ],
  ...['CORS', 'RequestHeaderModifier', 'ResponseHeaderModifier', 'RequestRedirect', 'URLRewrite'].map((type): Row => {
    const each = Object.values(valid).find((candidate) => candidate['type'] === type)!;
    return [
      `${type} filter cannot be repeated`,
      `${at}.backendRefs[0].filters`,
      backendFilter(each, each),
      backendFilter(each, mirror({}), mirror({})),
    ];
  }),
  ...Object.entries(valid).flatMap(([field, each]): Row[] => [
    [
      `filter.${field} must be nil if the filter.type is not ${each['type']}`,
      `${at}.filters[0]`,
      filter({ ...each, type: field === 'cors' ? 'URLRewrite' : 'CORS' }),
      filter(each),
    ],
    [
      `filter.${field} must be specified for ${each['type']} filter.type`,
      `${at}.filters[0]`,
      filter({ type: each['type'] }),
      filter(each),
    ],
  ]),
  ...[rewrite, redirect].flatMap((make): Row[] => {
    const place = `${at}.filters[0].${make === rewrite ? 'urlRewrite' : 'requestRedirect'}.path`;
    const full = filter(make({ path: { type: 'ReplaceFullPath', replaceFullPath: '/' } }));
    return [
      [
        "replaceFullPath must be specified when type is set to 'ReplaceFullPath'",
        place,
        filter(make({ path: { type: 'ReplaceFullPath' } })),
        full,
      ],
      [
        "type must be 'ReplaceFullPath' when replaceFullPath is set",
        place,
        filter(make({ path: { ...prefix, replaceFullPath: '/' } })),
        full,
      ],
      [
        "replacePrefixMatch must be specified when type is set to 'ReplacePrefixMatch'",
        place,
        filter(make({ path: { type: 'ReplacePrefixMatch' } })),
        filter(make({ path: prefix })),
      ],
      [
        "type must be 'ReplacePrefixMatch' when replacePrefixMatch is set",
        place,
        filter(make({ path: { ...prefix, type: 'ReplaceFullPath' } })),
        filter(make({ path: prefix })),
      ],
    ];
  }),
  [
    'numerator must be less than or equal to denominator',
    `${at}.filters[0].requestMirror.fraction`,
    filter(mirror({ fraction: { numerator: 101 } })),
    filter(mirror({ fraction: { numerator: 100 } })),
  ],
  [
    'Only one of percent or fraction may be specified in HTTPRequestMirrorFilter',
    `${at}.filters[0].requestMirror`,
    filter(mirror({ percent: 1, fraction: { numerator: 1 } })),
    filter(mirror({ percent: 1 })),
  ],
  [
    "AllowOrigins cannot contain '*' alongside other origins",
    `${at}.filters[0].cors.allowOrigins`,
    filter(cors({ allowOrigins: ['*', 'https://a.example'] })),
    filter(cors({ allowOrigins: ['*'] })),
  ],
  [
    "AllowMethods cannot contain '*' alongside other methods",
    `${at}.filters[0].cors.allowMethods`,
    filter(cors({ allowMethods: ['*', 'GET'] })),
    filter(cors({ allowMethods: ['GET', 'PUT'] })),
  ],
  [
    "AllowHeaders cannot contain '*' alongside other methods",
    `${at}.filters[0].cors.allowHeaders`,
    filter(cors({ allowHeaders: ['*', 'a'] })),
    filter(cors({ allowHeaders: ['*'] })),
  ],
  [
    "grpc must be specified when protocol is set to 'GRPC'",
    `${at}.filters[0].externalAuth`,
    filter(auth({ protocol: 'GRPC' })),
    filter(auth({ protocol: 'GRPC', grpc: {} })),
  ],
  [
    "protocol must be 'GRPC' when grpc is set",
    `${at}.filters[0].externalAuth`,
    filter(auth({ protocol: 'HTTP', http: {}, grpc: {} })),
    filter(auth({ protocol: 'HTTP', http: {} })),
  ],
  [
    "http must be specified when protocol is set to 'HTTP'",
    `${at}.filters[0].externalAuth`,
    filter(auth({ protocol: 'HTTP' })),
    filter(auth({ protocol: 'HTTP', http: {} })),
  ],
  [
    "protocol must be 'HTTP' when http is set",
    `${at}.filters[0].externalAuth`,
    filter(auth({ protocol: 'GRPC', http: {}, grpc: {} })),
    filter(auth({ protocol: 'GRPC', grpc: {} })),
  ],
];

const http = { name: 'a', port: 80, protocol: 'HTTP' };
const tls = { certificateRefs: [{ name: 'c' }] };
const gw = (...listeners: Spec[]): Spec => ({ gatewayClassName: 'c', listeners });
const addresses = (...list: Spec[]): Spec => ({ ...gw(http), addresses: list });
const infrastructure = (settings: Spec): Spec => ({ ...gw(http), infrastructure: settings });
const long = `${'a.'.repeat(126)}ab/x`;
const perPort = (...ports: number[]): Spec => ({
  ...gw(http),
  tls: { frontend: { default: {}, perPort: ports.map((port) => ({ port, tls: {} })) } },
});
const hostnameRule =
  'Hostname value must be empty or contain only valid characters (matching ^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$)';
const keyForm =
  'keys must be in the form of an optional DNS subdomain prefix followed by a required name segment of up to 63 characters.';
const keyLength = "key's prefix must be a DNS subdomain not longer than 253 characters in total.";

const gatewayRows: Row[] = [
  [
    "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']",
    'spec.listeners',
    gw({ ...http, protocol: 'http', tls }),
    gw({ ...http, protocol: 'HTTPS', tls }),
  ],
  [
    'tls mode must be Terminate for protocol HTTPS',
    'spec.listeners',
    gw({ ...http, protocol: 'HTTPS', tls: { ...tls, mode: 'Passthrough' } }),
    gw({ ...http, protocol: 'HTTPS' }),
  ],
  [
    'tls mode must be set for protocol TLS',
    'spec.listeners',
    gw({ ...http, protocol: 'TLS' }),
    gw({ ...http, protocol: 'TLS', tls: { mode: 'Passthrough' } }),
  ],
  [
    "hostname must not be specified for protocols ['TCP', 'UDP']",
    'spec.listeners',
    gw({ ...http, protocol: 'TCP', hostname: 'a.example' }),
    gw({ ...http, protocol: 'TCP' }),
  ],
  [
    'Combination of port, protocol and hostname must be unique for each listener',
    'spec.listeners',
    gw(http, { ...http, name: 'b' }),
    gw(http, { ...http, name: 'b', hostname: 'b.example' }, { ...http, name: 'c', hostname: 'c.example' }),
  ],
  [
    'certificateRefs or options must be specified when mode is Terminate',
    'spec.listeners[0].tls',
    gw({ ...http, protocol: 'HTTPS', tls: {} }),
    gw({ ...http, protocol: 'HTTPS', tls: { options: { 'a.example/b': 'c' } } }),
  ],
  [
    hostnameRule,
    'spec.addresses[0]',
    addresses({ type: 'Hostname', value: 'A' }),
    addresses({ type: 'Hostname', value: 'a' }),
  ],
  [
    'value must be an IPv4 or IPv6 address for type IPAddress',
    'spec.addresses[0]',
    addresses({ value: 'a' }),
    addresses({ value: '::1' }, { type: 'IPAddress' }),
  ],
  [
    'IPAddress values must be unique',
    'spec.addresses',
    addresses({ value: '127.0.0.1' }, { value: '127.0.0.1' }),
    addresses({ value: '127.0.0.1' }, { value: '127.0.0.2' }),
  ],
  [
    'Hostname values must be unique',
    'spec.addresses',
    addresses({ type: 'Hostname', value: 'a' }, { type: 'Hostname', value: 'a' }),
    addresses({ type: 'Hostname', value: 'a' }, { type: 'Hostname', value: 'b' }),
  ],
  [
    `Label ${keyForm}`,
    'spec.infrastructure.labels',
    infrastructure({ labels: { 'a b': 'c' } }),
    infrastructure({ labels: { 'a.example/b': 'c' } }),
  ],
  [
    `If specified, the label ${keyLength}`,
    'spec.infrastructure.labels',
    infrastructure({ labels: { [`a${long}`]: 'c' } }),
    infrastructure({ labels: { [long.slice(2)]: 'c' } }),
  ],
  [
    `Annotation ${keyForm}`,
    'spec.infrastructure.annotations',
    infrastructure({ annotations: { '-a': 'c' } }),
    infrastructure({ annotations: { a: 'c' } }),
  ],
  [
    `If specified, the annotation ${keyLength}`,
    'spec.infrastructure.annotations',
    infrastructure({ annotations: { [`a${long}`]: 'c' } }),
    infrastructure({ annotations: { [long.slice(2)]: 'c' } }),
  ],
];

/** Rules that nothing can violate alone: the schema refuses first. They are still evaluated. */
const unreachable = [
  "type must be one of ['Exact', 'PathPrefix', 'RegularExpression']",
  'Listener name must be unique within the Gateway',
  'Port for TLS configuration must be unique within the Gateway',
];

function problems(schema: Schema, kind: string, spec: Spec): string[] {
  const object = structuredClone({ apiVersion: 'gateway.networking.k8s.io/v1', kind, metadata: { name: 'x' }, spec });
  return validate(schema, object).map((problem) => `${formatPath(problem.path)}: ${problem.message}`);
}

function* rulesOf(schema: Schema, seen = new Set<Schema>()): Generator<Rule> {
  if (seen.has(schema)) return;
  seen.add(schema);
  yield* schema.rules ?? [];
  const values = schema.additionalProperties;
  for (const below of [...Object.values(schema.properties ?? {}), schema.items, values || undefined]) {
    if (below !== undefined) yield* rulesOf(below, seen);
  }
}

for (const [kind, schema, rows] of [
  ['HTTPRoute', httpRoute, routeRows],
  ['Gateway', gateway, gatewayRows],
] as const) {
  describe(`rules of ${kind}`, () => {
    for (const [message, where, bad, good] of rows) {
      it(`${message} (${where})`, () => {
        const found = problems(schema, kind, bad);
        assert.ok(found.includes(`${where}: ${message}`), `found: ${found.join('; ') || 'nothing'}`);
        assert.deepEqual(problems(schema, kind, good), []);
      });
    }

    it('all have a row', () => {
      const tested = new Set([...rows.map(([message]) => message), ...unreachable]);
      assert.deepEqual(
        [...rulesOf(schema)].map((each) => each.message).filter((message) => !tested.has(message)),
        [],
      );
    });

    it('hold on every node that is taken for granted', () => {
      for (const spec of rows.flatMap(([, , bad, good]) => [bad, good])) {
        const object = { apiVersion: 'v1', kind, metadata: { name: 'x' }, spec: structuredClone(spec) };
        validate(schema, object);
        assertSureNodesHold(schema, object);
      }
    });
  });
}

/** The number of nodes that were taken for granted. */
function assertSureNodesHold(schema: Schema, value: unknown): number {
  let taken = 0;
  if ((schema.sure as ((self: unknown) => boolean) | undefined)?.(value) === true) {
    taken++;
    for (const each of schema.rules ?? []) assert.ok(holds(each, value), `${each.message} on ${JSON.stringify(value)}`);
  }
  for (const [, member, below] of members(schema, value)) taken += assertSureNodesHold(below, member);
  return taken;
}

type Arbitrary = fc.Arbitrary<unknown>;
const some = (...values: unknown[]): Arbitrary => fc.constantFrom(...values);
const partial = (fields: Record<string, Arbitrary>): fc.Arbitrary<Spec> => fc.record(fields, { requiredKeys: [] });
const few = (each: Arbitrary): Arbitrary => fc.array(each, { maxLength: 3 });
const pieces = some('/', '.', '..', 'a', 'B', '%2f', '%41', '#', ' ', '-', '~', '*', '//', 'é', '?', '@');
const anyPath = partial({
  type: some('Exact', 'PathPrefix', 'RegularExpression'),
  value: fc.array(pieces, { maxLength: 6 }).map((parts) => parts.join('')),
});
const modifier = partial({ path: some(prefix, { type: 'ReplaceFullPath', replaceFullPath: '/' }) });
const anyFilter = fc.oneof(
  modifier.map(redirect),
  modifier.map(rewrite),
  some(twice, cors({}), mirror({})),
  partial({ type: some('URLRewrite', 'CORS', 'ExtensionRef'), cors: some({}), urlRewrite: some({}) }),
);
const anyRoute = partial({
  parentRefs: few(
    partial({
      name: some('a'),
      namespace: some('n', 'm'),
      sectionName: some('s', 't'),
      port: some(1, 2),
      kind: some('K'),
    }),
  ),
  rules: few(
    partial({
      name: some('a', 'b', 'c'),
      matches: few(partial({ path: anyPath })),
      filters: few(anyFilter),
      backendRefs: few(fc.record({ name: some('a'), port: some(1, undefined), filters: few(anyFilter) })),
      timeouts: partial({ request: some('0s', '1s', '1m'), backendRequest: some('0s', '1s1ms', '59s') }),
      sessionPersistence: partial({
        type: some('Cookie', 'Header'),
        cookieConfig: some({}, { lifetimeType: 'Permanent' }),
        absoluteTimeout: some('1h'),
      }),
    }),
  ),
});
const keys = some({ a: 'b' }, { 'a.example/b': '' }, { '-a': '' }, { 'A.example/b': '' }, { [long]: '' });
const anyGateway = fc.record({
  gatewayClassName: some('c'),
  listeners: fc.uniqueArray(
    fc.record(
      {
        name: some('a', 'b', 'c', 'd'),
        port: some(1, 2),
        protocol: some('HTTP', 'http', 'HTTPS', 'TLS', 'TCP', 'a.example/B'),
        hostname: some('a', 'b'),
        tls: some(tls, { ...tls, mode: 'Passthrough' }, { mode: 'Terminate' }),
      },
      { requiredKeys: ['name', 'port', 'protocol'] },
    ),
    { minLength: 1, maxLength: 3, selector: (each) => each['name'] },
  ),
  addresses: few(partial({ type: some('IPAddress', 'Hostname', 'a.example/b'), value: some('', '::1', 'a', 'A') })),
  infrastructure: partial({ labels: keys, annotations: keys }),
});

describe('a node that is taken for granted', () => {
  for (const [kind, schema, spec] of [
    ['HTTPRoute', httpRoute, anyRoute],
    ['Gateway', gateway, anyGateway],
  ] as const) {
    it(`violates no rule of ${kind}`, () => {
      let taken = 0;
      fc.assert(
        fc.property(spec, (each) => {
          const object = { apiVersion: 'v1', kind, metadata: { name: 'x' }, spec: structuredClone(each) };
          if (accept(schema, object) !== SCHEMA_IN_DOUBT) taken += assertSureNodesHold(schema, object);
        }),
        { numRuns: 1000, seed: 1 },
      );
      assert.ok(taken > 200, `only ${taken} nodes were taken for granted`);
    });
  }

  it('reports listeners of one name and ports configured twice by their lists’ keys', () => {
    assert.deepEqual(problems(gateway, 'Gateway', gw(http, { ...http, port: 81 })), [
      'spec.listeners[1]: name a is already used by item 0',
    ]);
    assert.deepEqual(problems(gateway, 'Gateway', perPort(1, 1)), [
      'spec.tls.frontend.perPort[1]: port 1 is already used by item 0',
    ]);
    assert.deepEqual(problems(gateway, 'Gateway', perPort(1, 2)), []);
  });
});
