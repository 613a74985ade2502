// Which rule takes a request where several could: elements of a path, patterns, age, names, hostnames.

import { backendRef, prefix, type RouteSetup } from '../harness/manifests.ts';
import { type Expectation, RoutingWorld } from '../harness/routing-world.ts';

type Case = readonly [request: string, expected: Expectation];

interface Table {
  readonly name: string;
  readonly routes: readonly Omit<RouteSetup, 'parents'>[];
  readonly cases: readonly Case[];
}

function header(name: string, value: string, type?: string): Record<string, unknown> {
  return type === undefined ? { name, value } : { name, value, type };
}

function to(backend: string, ...matches: readonly unknown[]): { matches?: readonly unknown[]; backendRefs: unknown[] } {
  return matches.length === 0
    ? { backendRefs: [backendRef(backend)] }
    : { matches, backendRefs: [backendRef(backend)] };
}

const TABLES: readonly Table[] = [
  {
    name: 'prefixes by element, trailing slash ignored',
    routes: [{ name: 'prefixes', rules: [to('v1', prefix('/abc/')), to('v2', prefix('/x/y'))] }],
    cases: [
      ['GET /abc', 'v1'],
      ['GET /abc/', 'v1'],
      ['GET /abc/d', 'v1'],
      ['GET /abcd', 404],
      ['GET /ABC', 404],
      ['GET /x/y', 'v2'],
      ['GET /x/yz', 404],
      ['GET /x', 404],
      ['GET //x//y', 'v2'],
      ['GET /abc/../x/y', 'v2'],
    ],
  },
  {
    name: 'regular expressions match whole',
    routes: [
      {
        name: 'patterns',
        rules: [
          to('v1', { path: { type: 'RegularExpression', value: '/user/[0-9]+' } }),
          to('v2', { headers: [header('x-v', 'v[12]', 'RegularExpression')] }),
          to('v3', { queryParams: [header('q', 'a+', 'RegularExpression')] }),
        ],
      },
    ],
    cases: [
      ['GET /user/12', 'v1'],
      ['GET /user/12/x', 404],
      ['GET /user/x', 404],
      ['GET / x-v: v2', 'v2'],
      ['GET / x-v: v23', 404],
      ['GET /?q=aaa', 'v3'],
      ['GET /?q=ab', 404],
    ],
  },
  {
    name: 'named rules (HTTPRouteNamedRule)',
    routes: [
      { name: 'named', rules: [{ name: 'first', ...to('v1', prefix('/named')) }, to('v2', prefix('/unnamed'))] },
    ],
    cases: [
      ['GET /named', 'v1'],
      ['GET /unnamed', 'v2'],
    ],
  },
  {
    name: 'conflicts: the older route wins, then its name, then rule order',
    routes: [
      { name: 'b-young', created: '2024-02-01T00:00:00Z', rules: [to('v2', prefix('/age'), prefix('/same'))] },
      { name: 'c-old', created: '2024-01-01T00:00:00Z', rules: [to('v1', prefix('/age'))] },
      { name: 'a-young', created: '2024-02-01T00:00:00Z', rules: [to('v3', prefix('/same'))] },
      {
        name: 'order',
        created: '2024-03-01T00:00:00Z',
        rules: [to('v1', prefix('/order')), to('v2', prefix('/order'))],
      },
    ],
    cases: [
      ['GET /age', 'v1'],
      ['GET /same', 'v3'],
      ['GET /order', 'v1'],
    ],
  },
  {
    name: 'hostnames: the most specific one first',
    routes: [
      { name: 'exact-host', hostnames: ['very.specific.com'], rules: [to('v1', prefix('/s1'))] },
      { name: 'wild', hostnames: ['*.specific.com'], rules: [to('v2')] },
      { name: 'wider', hostnames: ['*.com'], rules: [to('v3')] },
    ],
    cases: [
      ['GET very.specific.com/s1', 'v1'],
      ['GET very.specific.com/other', 'v2'],
      ['GET a.b.specific.com/', 'v2'],
      ['GET specific.com/', 'v3'],
      ['GET VERY.Specific.COM/s1', 'v1'],
      ['GET very.specific.com:8080/s1', 'v1'],
      ['GET very.specific.com./s1', 'v1'],
      ['GET com/', 404],
      ['GET other.org/', 404],
    ],
  },
];

for (const table of TABLES) {
  describe(`matching: ${table.name}`, () => {
    let world: RoutingWorld;
    before(async () => {
      world = await RoutingWorld.start(table.routes);
    });
    after(() => world.close());
    for (const [request, expected] of table.cases) {
      it(`${request} → ${expected}`, () => world.expect(request, expected));
    }
  });
}
