import assert from 'node:assert/strict';
import { requestHead } from '../test/harness/heads.ts';
import { peerOf } from '../test/harness/peer.ts';
import type { VerifiedToken } from './authentication.ts';
import type { AccessContext, AuthorizationPlan } from './authorization.ts';
import { decodeAuthorization } from './authorization-decode.ts';
import { Authorizer } from './authorizer.ts';
import { parseSpiffeId } from './identity.ts';

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly port?: number;
  readonly headers?: readonly (readonly [string, string])[];
  /** Without `spiffe://`. */
  readonly principal?: string;
  readonly address?: string;
  readonly remote?: string;
  readonly claims?: Record<string, unknown>;
}

function request({ principal, address, remote, claims, headers = [], ...head }: Asked = {}): AccessContext {
  const { host = 'shop.test', port = 0 } = head;
  const identity = principal === undefined ? null : parseSpiffeId(`spiffe://${principal}`);
  return {
    head: requestHead({ ...head, host, port, authority: port === 0 ? host : `${host}:${port}`, headers }),
    peer: peerOf({ identity, ...(address === undefined ? {} : { address }) }),
    ...{ listenerPort: 80, matchedPrefix: null, destinationPort: 80 },
    remoteAddress: remote ?? '127.0.0.1',
    token: claims === undefined ? null : tokenOf(claims),
  };
}

function tokenOf(claims: Record<string, unknown>): VerifiedToken {
  return { principal: `${claims['iss']}/${claims['sub']}`, audiences: [], presenter: '', claims };
}

interface Options {
  readonly shadow?: true;
  readonly failure?: string;
}

function plan(name: string, spec: object, { shadow, failure }: Options = {}): AuthorizationPlan {
  const report = { unsupported: (path: string, message: string) => assert.fail(`${path}: ${message}`) };
  const decoded = decodeAuthorization(spec, 'spec', 'shop', report);
  assert.ok(decoded !== null);
  return { policy: name, ...decoded, externalAuth: null, shadow: shadow === true, failure: failure ?? null };
}

const ALL = { rules: [{}] };
const to = (operation: object): object => ({ rules: [{ to: [{ operation }] }] });
const from = (source: object): object => ({ rules: [{ from: [{ source }] }] });
const when = (key: string, more: object): object => ({ rules: [{ when: [{ key, ...more }] }] });
const denying = (spec: object): object => ({ action: 'DENY', ...spec });

const GET = to({ methods: ['GET'] });
const ADMIN = to({ paths: ['/admin*'] });

const ORDER: readonly (readonly [name: string, policies: readonly AuthorizationPlan[], asked: Asked, said: string])[] =
  [
    ['no policy', [], {}, 'allowed by  '],
    ['ALLOW without rules', [plan('a', {})], {}, 'denied by a '],
    ['ALLOW with an empty rule', [plan('a', ALL)], {}, 'allowed by a 0'],
    ['DENY without rules', [plan('d', denying({}))], {}, 'allowed by  '],
    ['DENY with an empty rule', [plan('d', denying(ALL))], {}, 'denied by d 0'],
    ['DENY before ALLOW', [plan('a', ALL), plan('d', denying(GET))], {}, 'denied by d 0'],
    ['an ALLOW that matches', [plan('a', {}), plan('b', GET)], {}, 'allowed by b 0'],
    ['no ALLOW that matches', [plan('a', {}), plan('b', GET)], { method: 'PUT' }, 'denied by a and 1 more '],
    ['a DENY that does not match, and no ALLOW', [plan('d', denying(ADMIN))], {}, 'allowed by  '],
    [
      'a DENY that does not match, and an ALLOW that does not',
      [plan('d', denying(ADMIN)), plan('a', ADMIN)],
      {},
      'denied by a ',
    ],
    [
      'the second rule',
      [plan('a', { rules: [{ to: [{ operation: { methods: ['PUT'] } }] }, {}] })],
      {},
      'allowed by a 1',
    ],
    ['AUDIT alone', [plan('u', { action: 'AUDIT', ...ALL })], {}, 'allowed by   audited by u'],
    [
      'AUDIT beside DENY',
      [plan('u', { action: 'AUDIT', ...ALL }), plan('d', denying(ALL))],
      {},
      'denied by d 0 audited by u',
    ],
    ['AUDIT that does not match', [plan('u', { action: 'AUDIT', ...ADMIN })], {}, 'allowed by  '],
    ['a policy that did not load', [plan('a', ALL), plan('x', ALL, { failure: 'bad' })], {}, 'denied by x failure'],
    [
      'a CUSTOM that did not load',
      [plan('x', { action: 'CUSTOM', provider: { name: 'p' } }, { failure: 'bad' })],
      {},
      'denied by x failure',
    ],
    ['an AUDIT that did not load', [plan('x', { action: 'AUDIT' }, { failure: 'bad' })], {}, 'denied by x failure'],
    [
      'policies in shadow',
      [plan('d', denying(ALL), { shadow: true }), plan('a', {}, { shadow: true })],
      {},
      'allowed by  ',
    ],
    ['a policy in shadow that did not load', [plan('x', ALL, { shadow: true, failure: 'bad' })], {}, 'allowed by  '],
    [
      'CUSTOM, which is asked elsewhere',
      [plan('c', { action: 'CUSTOM', provider: { name: 'p' }, ...ALL })],
      {},
      'allowed by  ',
    ],
  ];

const HEADER_X = (...values: string[]): readonly (readonly [string, string])[] =>
  values.map((value) => ['X-Role', value]);
const TEACHER = {
  claims: { iss: 'https://idp', sub: 'alice', groups: ['teacher', 'staff'], realm: { roles: 'admin' } },
};

/** Whether the one rule matches: an ALLOW with it allows. */
const MATCHES: readonly (readonly [name: string, spec: object, asked: Asked, matches: boolean])[] = [
  ['a method', GET, {}, true],
  ['a method in another case', GET, { method: 'get' }, false],
  ['a method prefix', to({ methods: ['P*'] }), { method: 'PATCH' }, true],
  ['a host in another case', to({ hosts: ['SHOP.Test'] }), {}, true],
  ['a host, whatever the port', to({ hosts: ['shop.test'] }), { port: 8080 }, true],
  ['a host with its port', to({ hosts: ['shop.test:8080'] }), { port: 8080 }, true],
  ['a host with another port', to({ hosts: ['shop.test:8080'] }), { port: 8081 }, false],
  ['a host with a port that was not written', to({ hosts: ['shop.test:80'] }), {}, false],
  ['a host with a trailing dot', to({ hosts: ['shop.test.'] }), {}, true],
  ['a host suffix', to({ hosts: ['*.test'] }), {}, true],
  ['a host prefix', to({ hosts: ['shop.*'] }), {}, true],
  ['a host that is excluded on any port', to({ notHosts: ['shop.test'] }), { port: 8080 }, false],
  ['a port', to({ ports: ['80', '81'] }), {}, true],
  ['an excluded port', to({ notPorts: ['80'] }), {}, false],
  ['a path', to({ paths: ['/a'] }), { path: '/a' }, true],
  ['a path in another case', to({ paths: ['/a'] }), { path: '/A' }, false],
  ['a path below', to({ paths: ['/a'] }), { path: '/a/' }, false],
  ['a path prefix', ADMIN, { path: '/administer' }, true],
  ['a path suffix', to({ paths: ['*.html'] }), { path: '/x.html' }, true],
  ['any path', to({ paths: ['*'] }), {}, true],
  ['a path template', to({ paths: ['/o/{*}/i'] }), { path: '/o/1/i' }, true],
  ['a path that is excluded', to({ paths: ['/a*'], notPaths: ['/a/b'] }), { path: '/a/b' }, false],
  ['all fields of an operation', to({ methods: ['GET'], paths: ['/a'] }), { path: '/b' }, false],
  [
    'one operation of two',
    { rules: [{ to: [{ operation: { methods: ['PUT'] } }, { operation: { methods: ['GET'] } }] }] },
    {},
    true,
  ],
  ['a principal', from({ principals: ['cluster.local/ns/a/sa/b'] }), { principal: 'cluster.local/ns/a/sa/b' }, true],
  [
    'a principal of an alias',
    from({ principals: ['cluster.local/ns/a/sa/b'] }),
    { principal: 'old.local/ns/a/sa/b' },
    true,
  ],
  [
    'the local principal, by the name of an alias',
    from({ principals: ['old.local/ns/a/sa/b'] }),
    { principal: 'cluster.local/ns/a/sa/b' },
    true,
  ],
  [
    'a prefix of principals, of an alias',
    from({ principals: ['cluster.local/ns/a/*'] }),
    { principal: 'old.local/ns/a/sa/b' },
    true,
  ],
  [
    'a principal of a foreign domain',
    from({ principals: ['cluster.local/ns/a/sa/b'] }),
    { principal: 'evil/ns/a/sa/b' },
    false,
  ],
  ['a principal of any domain', from({ principals: ['*/ns/a/sa/b'] }), { principal: 'evil/ns/a/sa/b' }, true],
  ['any principal', from({ principals: ['*'] }), { principal: 'evil/x' }, true],
  ['any principal, of a client without', from({ principals: ['*'] }), {}, false],
  ['a principal suffix', from({ principals: ['*/sa/b'] }), { principal: 'cluster.local/ns/a/sa/b' }, true],
  ['another principal, of a client without', from({ notPrincipals: ['*'] }), {}, true],
  [
    'an excluded principal',
    from({ notPrincipals: ['cluster.local/ns/a/sa/b'] }),
    { principal: 'old.local/ns/a/sa/b' },
    false,
  ],
  ['a namespace', from({ namespaces: ['a'] }), { principal: 'cluster.local/ns/a/sa/b' }, true],
  ['a namespace of an id without', from({ namespaces: ['*'] }), { principal: 'cluster.local/vm/a' }, false],
  ['a service account', from({ serviceAccounts: ['a/b'] }), { principal: 'cluster.local/ns/a/sa/b' }, true],
  [
    'a service account of the own namespace',
    from({ serviceAccounts: ['b'] }),
    { principal: 'cluster.local/ns/shop/sa/b' },
    true,
  ],
  [
    'a service account of that name elsewhere',
    from({ serviceAccounts: ['b'] }),
    { principal: 'cluster.local/ns/a/sa/b' },
    false,
  ],
  [
    'a service account that is no pattern',
    from({ serviceAccounts: ['a/b.c'] }),
    { principal: 'cluster.local/ns/a/sa/bxc' },
    false,
  ],
  ['a service account of a client without', from({ notServiceAccounts: ['a/b'] }), {}, true],
  ['a trust domain', from({ trustDomains: ['cluster.local'] }), { principal: 'old.local/x' }, true],
  ['a foreign trust domain', from({ notTrustDomains: ['cluster.local'] }), { principal: 'evil/x' }, true],
  ['an address', from({ ipBlocks: ['10.0.0.0/8'] }), { address: '10.1.1.1' }, true],
  ['an address, mapped', from({ ipBlocks: ['10.0.0.0/8'] }), { address: '::ffff:10.1.1.1' }, true],
  ['an address of a proxy', from({ ipBlocks: ['10.0.0.0/8'] }), { remote: '10.1.1.1' }, false],
  ['an address behind a proxy', from({ remoteIpBlocks: ['10.0.0.0/8'] }), { remote: '10.1.1.1' }, true],
  ['an excluded address', from({ notRemoteIpBlocks: ['10.0.0.0/8'] }), { remote: '10.1.1.1' }, false],
  ['an address that is none', from({ notRemoteIpBlocks: ['10.0.0.0/8'] }), { remote: 'unknown' }, false],
  ['a request principal', from({ requestPrincipals: ['https://idp/alice'] }), TEACHER, true],
  ['any request principal', from({ requestPrincipals: ['*'] }), TEACHER, true],
  ['any request principal, without token', from({ requestPrincipals: ['*'] }), {}, false],
  [
    'any request principal, without subject',
    from({ requestPrincipals: ['*'] }),
    { claims: { iss: 'https://idp' } },
    false,
  ],
  ['whoever has no token', from({ notRequestPrincipals: ['*'] }), {}, true],
  ['all of an issuer', from({ requestPrincipals: ['https://idp/*'] }), TEACHER, true],
  ['issuers that begin alike', from({ requestPrincipals: ['https://i*'] }), TEACHER, true],
  [
    'a subject with a slash in it',
    from({ requestPrincipals: ['https://idp/a/b'] }),
    { claims: { iss: 'https://idp', sub: 'a/b' } },
    false,
  ],
  ['a claim that is a list', when('request.auth.claims[groups]', { values: ['staff'] }), TEACHER, true],
  ['a claim that is not in the list', when('request.auth.claims[groups]', { values: ['admin'] }), TEACHER, false],
  ['a claim in a claim', when('request.auth.claims[realm][roles]', { values: ['admin'] }), TEACHER, true],
  ['a claim in a text', when('request.auth.claims[sub][length]', { values: ['*'] }), TEACHER, false],
  ['a claim that every object has', when('request.auth.claims[constructor]', { values: ['*'] }), TEACHER, false],
  ['a claim that the prototype has', when('request.auth.claims[__proto__][x]', { values: ['*'] }), TEACHER, false],
  ['an excluded claim', when('request.auth.claims[groups]', { notValues: ['staff'] }), TEACHER, false],
  ['a claim that is no text', when('request.auth.claims[n]', { values: ['7'] }), { claims: { n: 7 } }, false],
  [
    'an excluded claim that is no text',
    when('request.auth.claims[n]', { notValues: ['7'] }),
    { claims: { n: 7 } },
    false,
  ],
  ['a header', when('request.headers[x-role]', { values: ['admin'] }), { headers: HEADER_X('admin') }, true],
  [
    'a header by another case of its name',
    when('request.headers[X-ROLE]', { values: ['admin'] }),
    { headers: HEADER_X('admin') },
    true,
  ],
  [
    'one of several header fields',
    when('request.headers[x-role]', { values: ['admin'] }),
    { headers: HEADER_X('guest', 'admin') },
    true,
  ],
  [
    'no joined header fields',
    when('request.headers[x-role]', { values: ['guest,admin'] }),
    { headers: HEADER_X('guest', 'admin') },
    false,
  ],
  [
    'an excluded header among others',
    when('request.headers[x-role]', { notValues: ['admin'] }),
    { headers: HEADER_X('guest', 'admin') },
    false,
  ],
  ['an excluded header that is absent', when('request.headers[x-role]', { notValues: ['admin'] }), {}, true],
  ['a header that is there', when('request.headers[x-role]', { values: ['*'] }), { headers: HEADER_X('') }, true],
  ['a header that is not there', when('request.headers[x-role]', { values: ['*'] }), {}, false],
  ['no header at all', when('request.headers[x-role]', { notValues: ['*'] }), { headers: HEADER_X('') }, false],
  [
    'a header beyond ASCII',
    when('request.headers[x-role]', { values: ['jürgen'] }),
    { headers: HEADER_X('j\u00c3\u00bcrgen') },
    true,
  ],
  [
    'a header that is no UTF-8',
    when('request.headers[x-role]', { notValues: ['admin'] }),
    { headers: HEADER_X('\u00ff') },
    false,
  ],
  ['a header that every object has', when('request.headers[constructor]', { values: ['*'] }), {}, false],
  [
    'conditions, all of them',
    {
      rules: [
        {
          when: [
            { key: 'destination.port', values: ['80'] },
            { key: 'source.ip', values: ['10.0.0.1'] },
          ],
        },
      ],
    },
    {},
    false,
  ],
];

/** What cannot be told makes a DENY match. */
const UNKNOWN: readonly (readonly [name: string, spec: object, asked: Asked])[] = [
  ['an address that is none', from({ remoteIpBlocks: ['10.0.0.0/8'] }), { remote: 'unknown' }],
  [
    'a header that is no UTF-8',
    when('request.headers[x-role]', { values: ['admin'] }),
    { headers: HEADER_X('\u00ff') },
  ],
  ['a claim that reads like the value', when('request.auth.claims[n]', { values: ['true'] }), { claims: { n: true } }],
  ['a claim that is an object', when('request.auth.claims[n]', { values: ['a'] }), { claims: { n: { a: 1 } } }],
];

const TRUST_DOMAINS = ['cluster.local', 'old.local'];

describe('Authorizer', () => {
  for (const [name, policies, asked, expected] of ORDER) {
    it(`${name}: ${expected}`, () => {
      const { allowed, policy, rule, audited } = new Authorizer(policies, TRUST_DOMAINS).decide(request(asked));
      const marks = audited.length === 0 ? '' : ` audited by ${audited.join()}`;
      assert.equal(`${allowed ? 'allowed' : 'denied'} by ${policy} ${rule}${marks}`, expected);
    });
  }

  for (const [name, spec, asked, expected] of MATCHES) {
    it(`${name} ${expected ? 'matches' : 'does not match'}`, () => {
      const { allowed } = new Authorizer([plan('a', spec)], TRUST_DOMAINS).decide(request(asked));
      assert.equal(allowed, expected);
    });
  }

  for (const [name, spec, asked] of UNKNOWN) {
    it(`${name} makes a DENY match and no ALLOW`, () => {
      assert.equal(new Authorizer([plan('d', denying(spec))], TRUST_DOMAINS).decide(request(asked)).allowed, false);
      assert.equal(new Authorizer([plan('a', spec)], TRUST_DOMAINS).decide(request(asked)).allowed, false);
    });
  }

  it('allocates nothing for those that pass', () => {
    const authorizer = new Authorizer([plan('a', GET)], TRUST_DOMAINS);
    assert.equal(authorizer.decide(request()), authorizer.decide(request()));
    assert.equal(authorizer.custom(request()), authorizer.custom(request()));
  });
});

describe('CUSTOM', () => {
  const custom = (name: string, spec: object, options: Options = {}): AuthorizationPlan =>
    plan(name, { action: 'CUSTOM', provider: { name: 'opa' }, ...spec }, options);
  const policies = [custom('x', ADMIN), custom('y', {}), custom('z', ALL), custom('s', ALL, { shadow: true })];
  policies.push(custom('f', ALL, { failure: 'bad' }));

  it('is asked by those of which a rule matches, in their order', () => {
    const authorizer = new Authorizer(policies, TRUST_DOMAINS);
    const names = (path: string): readonly string[] => authorizer.custom(request({ path })).map(({ policy }) => policy);
    assert.deepEqual(names('/admin'), ['x', 'z']);
    assert.deepEqual(names('/;/admin'), ['x', 'z']);
    assert.deepEqual(names('/a'), ['z']);
  });
});

const SHADOWS: readonly (readonly [name: string, policies: readonly AuthorizationPlan[], told: string])[] = [
  ['a DENY that would deny', [plan('d', denying(ALL), { shadow: true })], 'deny d rule 0'],
  ['a DENY of what is denied', [plan('d', denying(ALL), { shadow: true }), plan('e', denying(ALL))], ''],
  ['a DENY that does not match', [plan('d', denying(ADMIN), { shadow: true })], ''],
  ['an ALLOW that would deny', [plan('a', ADMIN, { shadow: true })], 'deny a'],
  ['an ALLOW that would allow', [plan('a', ALL, { shadow: true }), plan('b', ADMIN)], 'allow a rule 0'],
  ['an ALLOW against a DENY', [plan('a', ALL, { shadow: true }), plan('d', denying(ALL))], ''],
  ['an ALLOW beside one that allows', [plan('a', ADMIN, { shadow: true }), plan('b', ALL)], ''],
  ['what did not load', [plan('x', ALL, { shadow: true, failure: 'bad' })], 'deny x failure'],
  ['a CUSTOM', [plan('c', { action: 'CUSTOM', provider: { name: 'opa' }, ...ALL }, { shadow: true })], 'ask opa c'],
  ['an AUDIT', [plan('u', { action: 'AUDIT', ...ALL }, { shadow: true })], ''],
  ['nothing', [plan('a', ALL)], ''],
];

describe('policies in shadow', () => {
  for (const [name, policies, expected] of SHADOWS) {
    it(`tell of ${name}: '${expected}'`, () => {
      const authorizer = new Authorizer(policies, TRUST_DOMAINS);
      assert.equal(authorizer.shadowed(request(), authorizer.decide(request())), expected);
    });
  }
});

/** Servers that take `;` for parameters would serve /admin or /secret for each of them. */
const SPELLINGS = [
  '/admin;x',
  '/;/admin',
  '/;a=b/admin',
  '/public/..;/admin',
  '/admin/;x',
  '/public;a/..;/admin',
  '/.;/admin',
  '/admin;',
];

describe('paths with parameters', () => {
  for (const path of SPELLINGS) {
    it(`${path} meets a DENY of /admin, and no ALLOW of all else`, () => {
      assert.equal(new Authorizer([plan('d', denying(ADMIN))], TRUST_DOMAINS).decide(request({ path })).allowed, false);
      const rest = plan('a', to({ notPaths: ['/admin*'] }));
      assert.equal(new Authorizer([rest], TRUST_DOMAINS).decide(request({ path })).allowed, false);
    });
  }

  it('must be allowed in both readings', () => {
    const publicOnly = [plan('a', to({ paths: ['/public*'] }))];
    const decide = (path: string): boolean =>
      new Authorizer(publicOnly, TRUST_DOMAINS).decide(request({ path })).allowed;
    assert.equal(decide('/public;v=1/x'), true);
    assert.equal(decide('/public/..;/admin'), false);
    assert.equal(decide('/admin/..;/public'), false);
  });
});
