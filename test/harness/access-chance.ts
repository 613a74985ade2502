// AuthorizationPolicies and requests by chance, out of few enough words that they meet.

import type { VerifiedToken } from '../../policies/authentication.ts';
import type { AccessContext } from '../../policies/authorization.ts';
import type { Peer } from '../../routing/request.ts';
import type { WrittenPolicy, WrittenRule, WrittenSpec } from './access-oracle.ts';
import { requestHead } from './heads.ts';
import { peerOf } from './peer.ts';

export type Chance = () => number;

function pick<T>(chance: Chance, from: readonly T[]): T {
  return from[Math.floor(chance() * from.length)] as T;
}

function some<T>(chance: Chance, from: readonly T[], most: number): T[] {
  return Array.from({ length: 1 + Math.floor(chance() * most) }, () => pick(chance, from));
}

function happens(chance: Chance, share: number): boolean {
  return chance() < share;
}

const BLOCKS = [
  '10.0.0.0/8',
  '10.1.2.3',
  '192.168.0.0/16',
  '::1',
  'fd00::/8',
  '0.0.0.0/0',
  '::/0',
  '10.1.2.3/32',
  '10.1.0.7/30',
];

const SOURCES: Readonly<Record<string, readonly string[]>> = {
  principals: [
    ...['td1/ns/shop/sa/web', 'td2/ns/shop/sa/web', 'cluster.local/ns/bank/sa/teller', 'evil/ns/shop/sa/web'],
    ...['td1/ns/shop/*', 'td1*', '*', '*/sa/web', '*/ns/bank/sa/teller', '*d1/ns/shop/sa/web'],
  ],
  requestPrincipals: [
    '*',
    'https://idp/alice',
    'https://idp/*',
    '*/alice',
    'https://idp*',
    '*ice',
    'plain*',
    'https://idp/al*',
    'plain/bob',
  ],
  namespaces: ['shop', 'bank', 's*', '*k', '*', 's*p', 'other'],
  serviceAccounts: ['shop/web', 'web', 'bank/teller', 'teller', 'shop/other'],
  trustDomains: ['td1', 'td2', 'evil', 'cluster.local', 't*', '*'],
  ipBlocks: BLOCKS,
  remoteIpBlocks: BLOCKS,
};

const OPERATIONS: Readonly<Record<string, readonly string[]>> = {
  hosts: ['shop.test', 'SHOP.test', '*.test', 'shop.test:8080', 'shop*', '*', '*:8080', 'bank.test'],
  ports: ['80', '8080', '443'],
  methods: ['GET', 'POST', 'P*', '*T', '*', 'get'],
  paths: [
    ...['/admin', '/admin*', '/admin/*', '*.html', '/', '*', '/a/b', '/a/*', '/orders/17', '/api/v1*', '/api/v2*'],
    ...['/orders/{*}', '/orders/{**}', '/a/{*}/c', '/a/{*}/{**}', '/{**}.html', '/{*}'].filter(
      (each) => each !== '/{**}.html',
    ),
  ],
};

const CONDITIONS: Readonly<Record<string, readonly string[]>> = {
  'source.ip': BLOCKS,
  'remote.ip': BLOCKS,
  'destination.ip': BLOCKS,
  'source.namespace': SOURCES['namespaces'] as readonly string[],
  'source.principal': SOURCES['principals'] as readonly string[],
  'source.serviceAccount': SOURCES['serviceAccounts'] as readonly string[],
  'source.trustDomain': SOURCES['trustDomains'] as readonly string[],
  'request.auth.principal': SOURCES['requestPrincipals'] as readonly string[],
  'request.auth.audiences': ['shop', 'bank', '*', 's*'],
  'request.auth.presenter': ['app', 'a*', '*', 'other'],
  'request.auth.claims[groups]': ['admin', 'dev', 'a*', '*', 'true', '7'],
  'request.auth.claims[realm][roles]': ['admin', '*v', '*'],
  'request.auth.claims[__proto__]': ['admin', '*'],
  'request.headers[x-user]': ['alice', 'a*', '*', '*b', 'jürgen', 'jü*'],
  'request.headers[X-Role]': ['admin', 'dev', '*', 'd*'],
  'request.headers[constructor]': ['x', '*'],
  'destination.port': ['80', '8080'],
  'connection.sni': ['shop.test', '*.test', '*', 'SHOP*'],
};

function fieldsBy(
  chance: Chance,
  pool: Readonly<Record<string, readonly string[]>>,
): Record<string, readonly string[]> {
  const fields: Record<string, readonly string[]> = {};
  for (const name of new Set(some(chance, Object.keys(pool), 2))) {
    const values = pool[name] as readonly string[];
    const negated = `not${name.charAt(0).toUpperCase()}${name.slice(1)}`;
    const isNegated = happens(chance, 0.25);
    if (!isNegated || happens(chance, 0.3)) fields[name] = some(chance, values, 3);
    if (isNegated) fields[negated] = some(chance, values, 2);
  }
  const hasAccounts = 'serviceAccounts' in fields || 'notServiceAccounts' in fields;
  if (hasAccounts)
    for (const name of ['principals', 'notPrincipals', 'namespaces', 'notNamespaces']) delete fields[name];
  return fields;
}

function ruleBy(chance: Chance): WrittenRule {
  const list = <T>(make: () => T): T[] => Array.from({ length: happens(chance, 0.3) ? 2 : 1 }, make);
  return {
    ...(happens(chance, 0.5) ? { from: list(() => ({ source: fieldsBy(chance, SOURCES) })) } : {}),
    ...(happens(chance, 0.7) ? { to: list(() => ({ operation: fieldsBy(chance, OPERATIONS) })) } : {}),
    ...(happens(chance, 0.4) ? { when: list(() => conditionBy(chance)) } : {}),
  };
}

function conditionBy(chance: Chance): { key: string; values?: readonly string[]; notValues?: readonly string[] } {
  const key = pick(chance, Object.keys(CONDITIONS));
  const values = CONDITIONS[key] as readonly string[];
  const isNegated = happens(chance, 0.35);
  return {
    key,
    ...(!isNegated || happens(chance, 0.3) ? { values: some(chance, values, 2) } : {}),
    ...(isNegated ? { notValues: some(chance, values, 2) } : {}),
  };
}

export function policyBy(chance: Chance, name: string): WrittenPolicy {
  const action = pick(chance, ['ALLOW', 'ALLOW', 'DENY', 'DENY', 'AUDIT', 'CUSTOM'] as const);
  const rules = Array.from({ length: Math.floor(chance() * 4) }, () => ruleBy(chance));
  const spec: WrittenSpec = {
    action,
    ...(action === 'CUSTOM' ? { provider: { name: 'opa' } } : {}),
    ...(rules.length === 0 && happens(chance, 0.5) ? {} : { rules }),
  };
  return { name, namespace: pick(chance, ['shop', 'bank']), shadow: false, spec };
}

const PATHS = [
  ...[
    '/',
    '/admin',
    '/admin/users',
    '/administer',
    '/a/b',
    '/a/b/c',
    '/a/x/c',
    '/index.html',
    '/orders/17',
    '/orders/17/items',
  ],
  ...[
    '/orders/',
    '/api/v1/x',
    '/api/v2',
    '/ADMIN',
    '/admin;x',
    '/;/admin',
    '/a;/b',
    '/a/..;/admin',
    '/x/.;a/admin',
    '/admin/;',
  ],
  ...['/orders/17;v=1', '/..;/..;/admin', '/a;b/c;d', '/;', '/a/;b/c', '/a//b;', '/orders/;x/', '/index.html;a', '*'],
];

const ADDRESSES = [
  '10.1.2.3',
  '10.9.9.9',
  '192.168.1.1',
  '::1',
  'fd00::7',
  '::ffff:10.1.2.3',
  '2001:db8::1',
  'unknown',
  '127.0.0.1',
];

const HEADERS: readonly (readonly [string, readonly string[]])[] = [
  ['x-user', ['alice', 'bob', '', 'j\u00c3\u00bcrgen', 'j\u00fcrgen', 'ab']],
  ['X-Role', ['admin', 'dev', 'guest', '\u00ff']],
  ['constructor', ['x', 'y']],
];

const CLAIMS: readonly (readonly [string, readonly unknown[]])[] = [
  ['groups', ['admin', ['dev', 'ops'], ['admin', 7], true, 7, null, {}, [], ['a', ['admin']]]],
  ['realm', [{ roles: ['admin', 'dev'] }, { roles: 'dev' }, 'admin', { roles: { admin: true } }, null]],
  ['iss', ['https://idp', 'plain', '', 'https://idp/alice']],
  ['sub', ['alice', 'bob', 'a/alice', '']],
];

function tokenBy(chance: Chance): VerifiedToken {
  const claims: Record<string, unknown> = {};
  for (const [name, values] of CLAIMS) if (happens(chance, 0.8)) claims[name] = pick(chance, values);
  const audiences = happens(chance, 0.3) ? [] : some(chance, ['shop', 'bank', 'x'], 2);
  const presenter = pick(chance, ['', 'app', 'other']);
  return { principal: `${claims['iss']}/${claims['sub']}`, audiences, presenter, claims };
}

function peerBy(chance: Chance): Peer {
  const trustDomain = pick(chance, ['td1', 'td2', 'evil']);
  const namespace = pick(chance, ['shop', 'bank', 'other']);
  const serviceAccount = pick(chance, ['web', 'teller']);
  const isPod = happens(chance, 0.85);
  const identity = {
    uri: isPod ? `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}` : `spiffe://${trustDomain}/vm/7`,
    trustDomain,
    namespace: isPod ? namespace : null,
    serviceAccount: isPod ? serviceAccount : null,
  };
  return peerOf({
    address: pick(chance, ADDRESSES),
    localAddress: pick(chance, ADDRESSES),
    namespace: happens(chance, 0.2) ? pick(chance, ['shop', 'bank']) : null,
    identity: happens(chance, 0.7) ? identity : null,
    serverName: pick(chance, [null, 'shop.test', 'bank.example']),
  });
}

export function requestBy(chance: Chance): AccessContext {
  const headers = HEADERS.flatMap(([name, values]): (readonly [string, string])[] =>
    happens(chance, 0.6) ? some(chance, values, 2).map((value) => [name, value] as const) : [],
  );
  const host = pick(chance, ['shop.test', 'bank.test', 'x.shop.test', '']);
  const port = host === '' ? 0 : pick(chance, [0, 0, 8080, 80]);
  const head = requestHead({
    method: pick(chance, ['GET', 'POST', 'PUT', 'get', 'DELETE']),
    path: pick(chance, PATHS),
    ...{ host, port, authority: port === 0 ? host : `${host}:${port}`, headers },
  });
  return {
    ...{ head, peer: peerBy(chance), listenerPort: 80, matchedPrefix: null },
    remoteAddress: pick(chance, ADDRESSES),
    destinationPort: pick(chance, [80, 8080, 443]),
    token: happens(chance, 0.6) ? tokenBy(chance) : null,
  };
}
