// CORS by the conformance cases: preflights are answered here, other requests go on with or without permission.

import assert from 'node:assert/strict';
import { call } from '../harness/call.ts';
import { backendRef, prefix, type RuleSetup } from '../harness/manifests.ts';
import { RoutingWorld } from '../harness/routing-world.ts';

type Expected = Readonly<Record<string, string | undefined>>;
type Row = readonly [
  name: string,
  path: string,
  method: string,
  sent: Record<string, string>,
  status: readonly number[],
  expected: Expected,
];

const ORIGIN = 'access-control-allow-origin';
const METHODS = 'access-control-allow-methods';
const HEADERS = 'access-control-allow-headers';
const CREDENTIALS = 'access-control-allow-credentials';
const EXPOSE = 'access-control-expose-headers';
const AGE = 'access-control-max-age';

const POLICIES: Readonly<Record<string, unknown>> = {
  '/exact': {
    allowOrigins: ['https://www.foo.com', 'https://*.bar.com', 'http://port.com:8080'],
    allowMethods: ['GET', 'OPTIONS'],
    allowHeaders: ['x-header-1', 'x-header-2'],
    exposeHeaders: ['x-header-3', 'x-header-4'],
    allowCredentials: true,
    maxAge: 3600,
  },
  '/star': { allowOrigins: ['*'], allowMethods: ['*'], allowHeaders: ['*'], exposeHeaders: ['*'] },
  '/credentials': { allowOrigins: ['*'], allowMethods: ['*'], allowHeaders: ['*'], allowCredentials: true },
  '/plain': { allowOrigins: ['https://www.foo.com'] },
};

const preflight = (origin: string, method: string = 'GET', headers?: string): Record<string, string> => ({
  Origin: origin,
  'Access-Control-Request-Method': method,
  ...(headers === undefined ? {} : { 'Access-Control-Request-Headers': headers }),
});

const OK = [200, 204];
const REFUSED = [200, 204, 403];

const ROWS: readonly Row[] = [
  [
    'exact origin, preflight',
    '/exact',
    'OPTIONS',
    preflight('https://www.foo.com', 'GET', 'x-header-1, x-header-2'),
    OK,
    {
      [ORIGIN]: 'https://www.foo.com',
      [METHODS]: 'GET,OPTIONS',
      [HEADERS]: 'x-header-1,x-header-2',
      [EXPOSE]: 'x-header-3,x-header-4',
      [AGE]: '3600',
      [CREDENTIALS]: 'true',
    },
  ],
  [
    'wildcard origin, preflight',
    '/exact',
    'OPTIONS',
    preflight('https://www.bar.com'),
    OK,
    { [ORIGIN]: 'https://www.bar.com' },
  ],
  [
    'wildcard origin over several labels',
    '/exact',
    'OPTIONS',
    preflight('https://xpto.www.bar.com'),
    OK,
    { [ORIGIN]: 'https://xpto.www.bar.com' },
  ],
  [
    'origin with a port',
    '/exact',
    'OPTIONS',
    preflight('http://port.com:8080'),
    OK,
    { [ORIGIN]: 'http://port.com:8080' },
  ],
  [
    'origin with another port',
    '/exact',
    'OPTIONS',
    preflight('http://port.com:8081'),
    REFUSED,
    { [ORIGIN]: undefined },
  ],
  [
    'origin with a port where none is allowed',
    '/exact',
    'OPTIONS',
    preflight('https://www.foo.com:8443'),
    REFUSED,
    { [ORIGIN]: undefined },
  ],
  [
    'foreign origin, preflight',
    '/exact',
    'OPTIONS',
    preflight('https://foobar.com'),
    REFUSED,
    { [ORIGIN]: undefined, [METHODS]: undefined, [HEADERS]: undefined },
  ],
  ['origin of another scheme', '/exact', 'OPTIONS', preflight('http://www.foo.com'), REFUSED, { [ORIGIN]: undefined }],
  ['bare domain of a wildcard', '/exact', 'OPTIONS', preflight('https://bar.com'), REFUSED, { [ORIGIN]: undefined }],
  [
    'a suffix that only looks alike',
    '/exact',
    'OPTIONS',
    preflight('https://evilbar.com'),
    REFUSED,
    { [ORIGIN]: undefined },
  ],
  [
    'exact origin, simple request',
    '/exact',
    'GET',
    { Origin: 'https://www.foo.com' },
    [200],
    { [ORIGIN]: 'https://www.foo.com', [CREDENTIALS]: 'true', [EXPOSE]: 'x-header-3,x-header-4' },
  ],
  [
    'foreign origin, simple request: forwarded without permission',
    '/exact',
    'GET',
    { Origin: 'https://foobar.com' },
    [200],
    { [ORIGIN]: undefined },
  ],
  ['no origin', '/exact', 'GET', {}, [200], { [ORIGIN]: undefined }],
  [
    'OPTIONS without a requested method is no preflight',
    '/exact',
    'OPTIONS',
    { Origin: 'https://www.foo.com' },
    [200],
    { [ORIGIN]: 'https://www.foo.com' },
  ],
  [
    'any origin, no credentials header at all',
    '/star',
    'OPTIONS',
    preflight('https://any.com', 'PUT', 'x-a, x-b'),
    OK,
    { [CREDENTIALS]: undefined, [AGE]: '5' },
  ],
  ['any origin, simple request', '/star', 'GET', { Origin: 'https://any.com' }, [200], { [CREDENTIALS]: undefined }],
  [
    'any origin with credentials is echoed, never *',
    '/credentials',
    'OPTIONS',
    preflight('https://any.com', 'PUT', 'x-a, x-b'),
    OK,
    { [ORIGIN]: 'https://any.com', [METHODS]: 'PUT', [HEADERS]: 'x-a,x-b', [CREDENTIALS]: 'true' },
  ],
  [
    'no requested headers, none allowed by name',
    '/credentials',
    'OPTIONS',
    preflight('https://any.com', 'PUT'),
    OK,
    { [HEADERS]: undefined, [METHODS]: 'PUT' },
  ],
  [
    'any origin with credentials, simple request',
    '/credentials',
    'GET',
    { Origin: 'https://any.com' },
    [200],
    { [ORIGIN]: 'https://any.com', [CREDENTIALS]: 'true' },
  ],
  [
    'default age',
    '/plain',
    'OPTIONS',
    preflight('https://www.foo.com'),
    OK,
    { [ORIGIN]: 'https://www.foo.com', [AGE]: '5', [CREDENTIALS]: undefined },
  ],
];

describe('CORS', () => {
  let world: RoutingWorld;
  before(async () => {
    const rules = Object.entries(POLICIES).map(
      ([path, cors]): RuleSetup => ({
        matches: [prefix(path)],
        filters: [{ type: 'CORS', cors }],
        backendRefs: [backendRef('v1')],
      }),
    );
    world = await RoutingWorld.start([{ name: 'cors', rules }]);
  });
  after(() => world.close());

  for (const [name, path, method, sent, statuses, expected] of ROWS) {
    it(name, async () => {
      const from = world.backend('v1').requests.length;
      const answer = await call(world.port, { path, method, fields: Object.entries(sent) });
      assert.ok(statuses.includes(answer.status), `${answer.status}`);
      for (const [field, value] of Object.entries(expected)) {
        assert.equal(
          answer.message.get(field)?.replaceAll(' ', ''),
          value,
          `${field} in ${JSON.stringify(answer.message.fields)}`,
        );
      }
      const forwarded = world.backend('v1').requests.length - from;
      assert.equal(forwarded, 'Access-Control-Request-Method' in sent ? 0 : 1, 'preflights stay here, others go on');
    });
  }

  it('any origin answers * or the origin', async () => {
    const answer = await call(world.port, { path: '/star', fields: [['Origin', 'https://any.com']] });
    assert.ok(['*', 'https://any.com'].includes(answer.message.get(ORIGIN) ?? ''));
  });

  it('what the backend says about origins is replaced', async () => {
    const backend = world.backend('v1');
    const { script } = backend;
    backend.script = (request) => request.respond({ fields: [['Access-Control-Allow-Origin', 'https://evil.com']] });
    const answer = await call(world.port, { path: '/plain', fields: [['Origin', 'https://www.foo.com']] });
    backend.script = script;
    assert.deepEqual(answer.message.values(ORIGIN), ['https://www.foo.com']);
  });
});
