// Which listener, and so which routes, a host belongs to: intersection, isolation, sectionName, port, allowed namespaces.

import assert from 'node:assert/strict';
import { call } from '../harness/call.ts';
import { backendRef, gateway, gatewayClass, namespace, prefix, route, service } from '../harness/manifests.ts';
import { freePort } from '../harness/ports.ts';
import { type Expectation, RoutingWorld } from '../harness/routing-world.ts';
import { ScriptedBackend } from '../harness/scripted-backend.ts';
import { Waypoint } from '../harness/waypoint.ts';

type Case = readonly [request: string, expected: Expectation];

function all(backend: string): { backendRefs: unknown[] } {
  return { backendRefs: [backendRef(backend)] };
}

function at(path: string, backend: string): { matches: unknown[]; backendRefs: unknown[] } {
  return { matches: [prefix(path)], backendRefs: [backendRef(backend)] };
}

describe('HTTPRouteHostnameIntersection', () => {
  let world: RoutingWorld;
  before(async () => {
    world = await RoutingWorld.start(
      [
        {
          name: 'specific',
          hostnames: ['non.matching.com', '*.nonmatchingwildcard.io', 'very.specific.com', 'non.matching.io'],
          rules: [at('/s1', 'v1')],
        },
        {
          name: 'wildcard-listener',
          hostnames: [
            'non.matching.com',
            'wildcard.io',
            'foo.wildcard.io',
            'bar.wildcard.io',
            'foo.bar.wildcard.io',
            'very.specific.com.wildcard.org',
          ],
          rules: [at('/s2', 'v2')],
        },
        {
          name: 'wildcard-route',
          hostnames: ['*.anotherwildcard.io', '*.specific.com'],
          rules: [at('/s3', 'v3'), at('/s4', 'v1')],
        },
        { name: 'nothing-in-common', hostnames: ['specific.but.wrong.com', 'wildcard.io'], rules: [at('/s5', 'v2')] },
      ],
      {
        listeners: [
          { name: 'a', hostname: 'very.specific.com' },
          { name: 'b', hostname: '*.wildcard.io' },
          { name: 'c', hostname: '*.anotherwildcard.io' },
        ],
      },
    );
  });
  after(() => world.close());
  const cases: readonly Case[] = [
    ['GET very.specific.com/s1', 'v1'],
    ['GET non.matching.com/s1', 404],
    ['GET foo.nonmatchingwildcard.io/s1', 404],
    ['GET foo.wildcard.io/s1', 404],
    ['GET very.specific.com/non-matching', 404],
    ['GET very.specific.com:1234/s1', 'v1'],
    ['GET foo.wildcard.io/s2', 'v2'],
    ['GET bar.wildcard.io/s2', 'v2'],
    ['GET foo.bar.wildcard.io/s2', 'v2'],
    ['GET foo.bar.wildcard.io:99/s2', 'v2'],
    ['GET non.matching.com/s2', 404],
    ['GET wildcard.io/s2', 404],
    ['GET very.specific.com/s2', 404],
    ['GET foo.wildcard.io/non-matching', 404],
    ['GET one.anotherwildcard.io/s3', 'v3'],
    ['GET two.three.anotherwildcard.io/s3', 'v3'],
    ['GET anotherwildcard.io/s3', 404],
    ['GET very.specific.com/s4', 'v1'],
    ['GET foo.specific.com/s4', 404],
    ['GET specific.but.wrong.com/s5', 404],
    ['GET wildcard.io/s5', 404],
  ];
  for (const [request, expected] of cases) it(`${request} → ${expected}`, () => world.expect(request, expected));
});

describe('HTTPRouteListenerHostnameMatching', () => {
  let world: RoutingWorld;
  const parent = (sectionName: string): Record<string, unknown>[] => [{ name: 'edge', sectionName }];
  before(async () => {
    world = await RoutingWorld.start(
      [
        { name: 'backend-v1', parents: parent('listener-1'), rules: [all('v1')] },
        { name: 'backend-v2', parents: parent('listener-2'), rules: [all('v2')] },
        { name: 'backend-v3', parents: [...parent('listener-3'), ...parent('listener-4')], rules: [all('v3')] },
      ],
      {
        listeners: [
          { name: 'listener-1', hostname: 'bar.com' },
          { name: 'listener-2', hostname: 'foo.bar.com' },
          { name: 'listener-3', hostname: '*.bar.com' },
          { name: 'listener-4', hostname: '*.foo.com' },
        ],
      },
    );
  });
  after(() => world.close());
  const cases: readonly Case[] = [
    ['GET bar.com/', 'v1'],
    ['GET foo.bar.com/', 'v2'],
    ['GET baz.bar.com/', 'v3'],
    ['GET boo.bar.com/', 'v3'],
    ['GET multiple.prefixes.bar.com/', 'v3'],
    ['GET multiple.prefixes.foo.com/', 'v3'],
    ['GET foo.com/', 404],
    ['GET no.matching.host/', 404],
  ];
  for (const [request, expected] of cases) it(`${request} → ${expected}`, () => world.expect(request, expected));
});

for (const hostnames of [false, true]) {
  describe(`GatewayHTTPListenerIsolation, ${hostnames ? 'with' : 'without'} route hostnames`, () => {
    let world: RoutingWorld;
    const listeners = [
      { name: 'empty-hostname' },
      { name: 'wildcard-example-com', hostname: '*.example.com' },
      { name: 'wildcard-foo-example-com', hostname: '*.foo.example.com' },
      { name: 'abc-foo-example-com', hostname: 'abc.foo.example.com' },
    ];
    before(async () => {
      const routes = listeners.map(({ name, hostname }) => ({
        name: `attaches-to-${name}`,
        parents: [{ name: 'edge', sectionName: name }],
        rules: [at(`/${name}`, 'v1')],
        ...(hostnames ? { hostnames: [hostname ?? 'bar.com'] } : {}),
      }));
      world = await RoutingWorld.start(routes, { listeners });
    });
    after(() => world.close());
    for (const [host, own] of [
      ['bar.com', 'empty-hostname'],
      ['bar.example.com', 'wildcard-example-com'],
      ['bar.foo.example.com', 'wildcard-foo-example-com'],
      ['abc.foo.example.com', 'abc-foo-example-com'],
    ] as const) {
      for (const { name } of listeners) {
        const expected = name === own ? 'v1' : 404;
        it(`${host}/${name} → ${expected}`, () => world.expect(`GET ${host}/${name}`, expected));
      }
    }
  });
}

describe('several ports, Gateways and namespaces', () => {
  let waypoint: Waypoint;
  let backend: ScriptedBackend;
  const ports: number[] = [];
  before(async () => {
    backend = await ScriptedBackend.start();
    for (let i = 0; i < 5; i++) ports.push(await freePort());
    const [p1, p2, p3, p4, p5] = ports as [number, number, number, number, number];
    const selector = { namespaces: { from: 'Selector', selector: { matchLabels: { team: 'shop' } } } };
    const one = (
      name: string,
      parent: Record<string, unknown>,
      more: Record<string, unknown> = {},
    ): ReturnType<typeof route> =>
      route({
        name,
        parents: [parent],
        rules: [{ matches: [prefix(`/${name}`)], backendRefs: [backendRef('app')] }],
        ...more,
      });
    waypoint = await Waypoint.start({
      'a.yaml': [
        gatewayClass(),
        namespace('friend', { team: 'shop' }),
        namespace('stranger', { team: 'other' }),
        gateway('many', [
          { name: 'a', port: p1 },
          { name: 'b', port: p2 },
        ]),
        gateway('open', [
          { name: 'all', port: p3, allowedRoutes: { namespaces: { from: 'All' } } },
          { name: 'some', port: p4, allowedRoutes: selector },
        ]),
        gateway('other', [{ name: 'x', port: p5 }]),
        one('section', { name: 'many', sectionName: 'a' }),
        one('byport', { name: 'many', port: p2 }),
        one('both', { name: 'many' }),
        one('nosection', { name: 'many', sectionName: 'zzz' }),
        one('noport', { name: 'many', port: 1 }),
        one('mismatch', { name: 'many', sectionName: 'a', port: p2 }),
        route({
          name: 'twice',
          parents: ['many', 'other'],
          rules: [{ matches: [prefix('/twice')], backendRefs: [backendRef('app')] }],
        }),
        one('friend', { name: 'open', namespace: 'default' }, { namespace: 'friend' }),
        one('stranger', { name: 'open', namespace: 'default' }, { namespace: 'stranger' }),
        one('uninvited', { name: 'many', namespace: 'default' }, { namespace: 'friend' }),
        ...['default', 'friend', 'stranger'].flatMap((ns) =>
          service({ name: 'app', namespace: ns, endpoints: [backend.port] }),
        ),
      ],
    });
  });
  after(async () => {
    await waypoint.close();
    await backend.close();
  });

  for (const [name, index, status] of [
    ['section', 0, 200],
    ['section', 1, 404],
    ['byport', 0, 404],
    ['byport', 1, 200],
    ['both', 0, 200],
    ['both', 1, 200],
    ['nosection', 0, 404],
    ['nosection', 1, 404],
    ['noport', 0, 404],
    ['mismatch', 0, 404],
    ['mismatch', 1, 404],
    ['twice', 0, 200],
    ['twice', 4, 200],
    ['twice', 2, 404],
    ['friend', 2, 200],
    ['friend', 3, 200],
    ['stranger', 2, 200],
    ['stranger', 3, 404],
    ['uninvited', 0, 404],
    ['section', 4, 404],
  ] as const) {
    it(`/${name} on port ${index} → ${status}`, async () => {
      assert.equal((await call(ports[index] as number, { path: `/${name}` })).status, status);
    });
  }
});
