// Which rule takes a request: the conformance tables of matching, precedence and merging, as our own routes.

import { backendRef, exact, prefix, type RouteSetup } from '../harness/manifests.ts';
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
    name: 'HTTPRouteExactPathMatching',
    routes: [{ name: 'exact', rules: [to('v1', exact('/one')), to('v2', exact('/two'))] }],
    cases: [
      ['GET /one', 'v1'],
      ['GET /two', 'v2'],
      ['GET /', 404],
      ['GET /one/example', 404],
      ['GET /two/', 404],
      ['GET /Two', 404],
      ['GET /one?a=b', 'v1'],
    ],
  },
  {
    name: 'HTTPRouteMatching',
    routes: [
      {
        name: 'matching',
        rules: [
          to('v1', prefix('/'), { headers: [header('version', 'one')] }),
          to('v2', prefix('/v2'), { headers: [header('version', 'two')] }),
        ],
      },
    ],
    cases: [
      ['GET /', 'v1'],
      ['GET /example', 'v1'],
      ['GET / version: one', 'v1'],
      ['GET /v2', 'v2'],
      ['GET /v2/', 'v2'],
      ['GET /v2/example', 'v2'],
      ['GET / version: two', 'v2'],
      ['GET /v2example', 'v1'],
      ['GET /foo/v2/example', 'v1'],
    ],
  },
  {
    name: 'HTTPRouteMatchingAcrossRoutes',
    routes: [
      {
        name: 'part1',
        hostnames: ['example.com', 'example.net'],
        rules: [to('v1', prefix('/'), { headers: [header('version', 'one')] })],
      },
      {
        name: 'part2',
        hostnames: ['example.com'],
        rules: [to('v2', prefix('/v2'), { headers: [header('version', 'two')] })],
      },
    ],
    cases: [
      ['GET example.com/', 'v1'],
      ['GET example.com/example', 'v1'],
      ['GET example.net/example', 'v1'],
      ['GET example.com/ version: one', 'v1'],
      ['GET example.com/v2', 'v2'],
      ['GET example.net/v2', 'v1'],
      ['GET example.com/v2/example', 'v2'],
      ['GET example.com/ version: two', 'v2'],
      ['GET other.com/', 404],
    ],
  },
  {
    name: 'HTTPRoutePathMatchOrder',
    routes: [
      {
        name: 'order',
        rules: [
          to('v3', exact('/match/exact/one')),
          to('v2', exact('/match/exact')),
          to('v1', prefix('/match')),
          to('v1', prefix('/match/prefix/')),
          to('v2', prefix('/match/prefix/one')),
          to('v3', prefix('/match/prefix/one/two')),
        ],
      },
    ],
    cases: [
      ['GET /match/exact/one', 'v3'],
      ['GET /match/exact', 'v2'],
      ['GET /match', 'v1'],
      ['GET /match/prefix/one/any', 'v2'],
      ['GET /match/prefix/any', 'v1'],
      ['GET /match/prefix/one/two/any', 'v3'],
      ['GET /match/any', 'v1'],
      ['GET /match/prefix', 'v1'],
    ],
  },
  {
    name: 'HTTPRouteHeaderMatching',
    routes: [
      {
        name: 'headers',
        rules: [
          to('v1', { headers: [header('version', 'one')] }),
          to('v2', { headers: [header('version', 'two')] }),
          to('v1', { headers: [header('version', 'two'), header('color', 'orange')] }),
          to('v1', { headers: [header('color', 'blue')] }, { headers: [header('color', 'green')] }),
          to('v2', { headers: [header('color', 'red')] }, { headers: [header('color', 'yellow')] }),
        ],
      },
    ],
    cases: [
      ['GET / version: one', 'v1'],
      ['GET / version: two', 'v2'],
      ['GET / version: two;color: orange', 'v1'],
      ['GET / color: blue', 'v1'],
      ['GET / color: green', 'v1'],
      ['GET / color: red', 'v2'],
      ['GET / color: yellow', 'v2'],
      ['GET / color: purple', 404],
      ['GET /', 404],
      ['GET / VERSION: one', 'v1'],
      ['GET / version: One', 404],
    ],
  },
  {
    name: 'HTTPRouteMethodMatching',
    routes: [
      {
        name: 'methods',
        rules: [
          to('v1', { method: 'POST' }),
          to('v2', { method: 'GET' }),
          to('v1', { ...prefix('/path1'), method: 'GET' }),
          to('v2', { headers: [header('version', 'one')], method: 'PUT' }),
          to('v3', { ...prefix('/path2'), headers: [header('version', 'two')], method: 'POST' }),
          to('v1', { ...prefix('/path3'), method: 'PATCH' }),
          to('v2', { ...prefix('/path4'), method: 'DELETE', headers: [header('version', 'three')] }),
          to('v3', prefix('/path5')),
          to('v2', { ...prefix('/path5'), method: 'PATCH' }),
          to('v1', { ...prefix('/path5'), headers: [header('version', 'four')] }),
        ],
      },
    ],
    cases: [
      ['POST /', 'v1'],
      ['GET /', 'v2'],
      ['HEAD /', 404],
      ['GET /path1', 'v1'],
      ['PUT / version: one', 'v2'],
      ['POST /path2 version: two', 'v3'],
      ['PATCH /path3', 'v1'],
      ['DELETE /path4 version: three', 'v2'],
      ['PUT /', 404],
      ['HEAD /path1', 404],
      ['PATCH /path5 version: four', 'v2'],
      ['GET /path5 version: four', 'v1'],
      ['GET /path5', 'v3'],
    ],
  },
  {
    name: 'HTTPRouteQueryParamMatching',
    routes: [
      {
        name: 'query',
        rules: [
          to('v1', { queryParams: [header('animal', 'whale')] }),
          to('v2', { queryParams: [header('animal', 'dolphin')] }),
          to('v3', { queryParams: [header('animal', 'dolphin'), header('color', 'blue')] }),
          to('v3', { queryParams: [header('ANIMAL', 'Whale')] }),
          to('v1', { ...prefix('/path1'), queryParams: [header('animal', 'whale')] }),
          to('v2', { queryParams: [header('animal', 'whale')], headers: [header('version', 'one')] }),
          to('v3', {
            ...prefix('/path2'),
            queryParams: [header('animal', 'whale')],
            headers: [header('version', 'two')],
          }),
          to('v1', { queryParams: [header('animal', 'shark')] }, { queryParams: [header('animal', 'ray')] }),
          to('v2', prefix('/path5')),
        ],
      },
    ],
    cases: [
      ['GET /?animal=whale', 'v1'],
      ['GET /?animal=dolphin', 'v2'],
      ['GET /?animal=whale&otherparam=irrelevant', 'v1'],
      ['GET /?animal=dolphin&color=yellow', 'v2'],
      ['GET /?animal=dolphin&color=blue', 'v3'],
      ['GET /?ANIMAL=Whale', 'v3'],
      ['GET /?animal=Whale', 404],
      ['GET /?Animal=whale', 404],
      ['GET /', 404],
      ['GET /?animal=shark', 'v1'],
      ['GET /?animal=ray', 'v1'],
      ['GET /path1?animal=whale', 'v1'],
      ['GET /?animal=whale version: one', 'v2'],
      ['GET /path2?animal=whale version: two', 'v3'],
      ['GET /path5?animal=dolphin&color=blue', 'v2'],
      ['GET /?animal=whale&animal=dolphin', 'v1'],
      ['GET /?color=blue', 404],
      ['GET /?animal%3Dwhale', 404],
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
