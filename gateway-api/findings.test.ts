import assert from 'node:assert/strict';
import { DEFAULT_ENVIRONMENT } from './environment.ts';
import { analyse } from './findings.ts';
import { Store } from './store.ts';
import { translate } from './translate.ts';

const GATEWAY = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web, namespace: shop}
spec:
  gatewayClassName: waypoint
  listeners:
  - {name: any, port: 8080, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}
`;
const HOSTS = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web, namespace: shop}
spec:
  gatewayClassName: waypoint
  listeners:
  - {name: wide, hostname: "*.shop.test", port: 8080, protocol: HTTP}
  - {name: api, hostname: api.shop.test, port: 8080, protocol: HTTP}
`;
const ORDERS = service('orders', 'shop') + slice('orders', 'shop');

function service(name: string, namespace: string): string {
  return `
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: ${namespace}}
spec: {ports: [{port: 80, targetPort: 8000}]}
`;
}

function slice(name: string, namespace: string): string {
  return `
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ${name}-1, namespace: ${namespace}, labels: {kubernetes.io/service-name: ${name}}}
addressType: IPv4
endpoints: [{addresses: [127.0.0.1]}]
ports: [{port: 8000}]
`;
}

/** A route at Gateway web with these rules in flow style, one per line. */
function route(name: string, rules: readonly string[], more = ''): string {
  const list = rules.map((rule) => `\n  - ${rule}`).join('');
  return `
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: ${name}, namespace: shop}
spec:
  parentRefs: [{name: web}]${more === '' ? '' : `\n  ${more}`}
  rules:${list}
`;
}

const TO_ORDERS = 'backendRefs: [{name: orders, port: 80}]';
const prefix = (value: string, more = '') => `{matches: [{path: {value: ${value}}${more}}], ${TO_ORDERS}}`;
const pattern = (value: string, more = '') =>
  `{matches: [{path: {type: RegularExpression, value: "${value}"}${more}}], ${TO_ORDERS}}`;
const MATCH = 'spec.rules[0].matches[0]';

type Row = readonly [severity: string, code: string, object: string, path: string];

/** Every finding of the text, in order. */
const CASES: readonly (readonly [name: string, text: string, expected: readonly Row[]])[] = [
  ['nothing to find', GATEWAY + ORDERS + route('a', [prefix('/a')]), []],
  [
    'same match in two routes: the older one wins',
    GATEWAY + ORDERS + route('b', [prefix('/a')]) + route('a', [prefix('/a/')]),
    [['warning', 'duplicate_match', 'HTTPRoute shop/a', MATCH]],
  ],
  [
    'same match in two rules',
    GATEWAY + ORDERS + route('a', [prefix('/a'), prefix('/b'), prefix('/a')]),
    [['warning', 'unreachable_match', 'HTTPRoute shop/a', 'spec.rules[2].matches[0]']],
  ],
  [
    'same match twice in one rule',
    GATEWAY + ORDERS + route('a', [`{matches: [{path: {value: /a}}, {path: {value: /a}}], ${TO_ORDERS}}`]),
    [['info', 'repeated_match', 'HTTPRoute shop/a', 'spec.rules[0].matches[1]']],
  ],
  [
    'conditions in another order are the same',
    GATEWAY +
      ORDERS +
      route('a', [prefix('/', ', headers: [{name: A, value: "1"}, {name: b, value: "2"}]')]) +
      route('b', [prefix('/', ', headers: [{name: B, value: "2"}, {name: a, value: "1"}]')]),
    [['warning', 'duplicate_match', 'HTTPRoute shop/b', MATCH]],
  ],
  [
    'narrower matches are no duplicates',
    GATEWAY +
      ORDERS +
      route('a', [prefix('/a'), prefix('/a', ', method: GET'), prefix('/a/b')]) +
      route('b', [
        prefix('/a', ', headers: [{name: x, value: z}]'),
        `{matches: [{path: {type: Exact, value: /a}}], ${TO_ORDERS}}`,
      ]),
    [],
  ],
  [
    'other hostnames are no duplicates',
    GATEWAY +
      ORDERS +
      route('a', [prefix('/')], 'hostnames: [a.test]') +
      route('b', [prefix('/')], 'hostnames: [b.test]'),
    [],
  ],
  [
    'lost for one hostname of two',
    GATEWAY +
      ORDERS +
      route('a', [prefix('/')], 'hostnames: [a.test]') +
      route('b', [prefix('/')], 'hostnames: [a.test, b.test]'),
    [['info', 'duplicate_match', 'HTTPRoute shop/b', MATCH]],
  ],
  [
    'a pattern covers prefixes',
    GATEWAY + ORDERS + route('a', [pattern('/api/.*'), prefix('/api/v1'), prefix('/api'), prefix('/other')]),
    [['warning', 'shadowed_match', 'HTTPRoute shop/a', 'spec.rules[1].matches[0]']],
  ],
  [
    'a pattern with a condition covers only what has it',
    GATEWAY + ORDERS + route('a', [pattern('/.*', ', method: GET'), prefix('/a', ', method: GET'), prefix('/b')]),
    [['warning', 'shadowed_match', 'HTTPRoute shop/a', 'spec.rules[1].matches[0]']],
  ],
  [
    'a pattern that is longer than its literal',
    GATEWAY + ORDERS + route('a', [pattern('/a.+'), prefix('/a'), prefix('/ab')]),
    [['warning', 'shadowed_match', 'HTTPRoute shop/a', 'spec.rules[2].matches[0]']],
  ],
  [
    'a pattern that says more covers nothing for certain',
    GATEWAY + ORDERS + route('a', [pattern('/v[0-9]+/.*'), pattern('/a.b/.*'), prefix('/v1/x'), prefix('/a.b/c')]),
    [],
  ],
  [
    'no such Gateway',
    ORDERS + route('a', [prefix('/')]),
    [['error', 'dangling_parent', 'HTTPRoute shop/a', 'spec.parentRefs[0]']],
  ],
  [
    'no such section',
    GATEWAY + ORDERS + route('a', [prefix('/')]).replace('{name: web}', '{name: web, sectionName: nope}'),
    [['error', 'no_matching_parent', 'HTTPRoute shop/a', 'spec.parentRefs[0]']],
  ],
  [
    'a Service that is not enrolled',
    ORDERS + route('a', [prefix('/')]).replace('{name: web}', '{name: orders, kind: Service, group: ""}'),
    [['error', 'no_matching_parent', 'HTTPRoute shop/a', 'spec.parentRefs[0]']],
  ],
  [
    'no parents',
    GATEWAY + ORDERS + route('a', [prefix('/')]).replace('parentRefs: [{name: web}]', 'parentRefs: []'),
    [['warning', 'route_without_parent', 'HTTPRoute shop/a', 'spec.parentRefs']],
  ],
  [
    'no such Service, no such port, no such kind',
    GATEWAY +
      ORDERS +
      route('a', [
        '{backendRefs: [{name: gone, port: 80}, {name: orders, port: 81}, {name: x, kind: Bucket, group: s3.test}]}',
      ]),
    [
      ['error', 'dangling_backend', 'HTTPRoute shop/a', 'spec.rules[0].backendRefs[0]'],
      ['error', 'dangling_backend', 'HTTPRoute shop/a', 'spec.rules[0].backendRefs[1]'],
      ['error', 'unsupported_kind', 'HTTPRoute shop/a', 'spec.rules[0].backendRefs[2]'],
    ],
  ],
  [
    'a mirror to nowhere',
    GATEWAY +
      ORDERS +
      route('a', [
        `{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: gone, port: 80}}}], ${TO_ORDERS}}`,
      ]),
    [['error', 'dangling_backend', 'HTTPRoute shop/a', 'spec.rules[0].filters[0].requestMirror.backendRef']],
  ],
  [
    'missing grant',
    GATEWAY +
      service('bank', 'money') +
      slice('bank', 'money') +
      route('a', ['{backendRefs: [{name: bank, namespace: money, port: 80}]}']),
    [['error', 'missing_grant', 'HTTPRoute shop/a', 'spec.rules[0].backendRefs[0]']],
  ],
  [
    'an extension that is not known',
    GATEWAY +
      ORDERS +
      route('a', [
        `{filters: [{type: ExtensionRef, extensionRef: {group: x.test, kind: Extension, name: z}}], ${TO_ORDERS}}`,
        prefix('/b'),
      ]),
    [['error', 'unsupported_kind', 'HTTPRoute shop/a', 'spec.rules[0].filters[0].type']],
  ],
  [
    'hostname outside of every listener',
    HOSTS + ORDERS + route('a', [prefix('/')], 'hostnames: [a.shop.test, a.else.test]'),
    [['warning', 'hostname_never_matches', 'HTTPRoute shop/a', 'spec.hostnames[1]']],
  ],
  [
    'no hostname of any listener',
    HOSTS + ORDERS + route('a', [prefix('/')], 'hostnames: [a.else.test]'),
    [['error', 'hostname_never_matches', 'HTTPRoute shop/a', 'spec.parentRefs[0]']],
  ],
  [
    'hostname taken by a more specific listener',
    HOSTS +
      ORDERS +
      route('a', [prefix('/')], 'hostnames: [api.shop.test]').replace('{name: web}', '{name: web, sectionName: wide}'),
    [['warning', 'hostname_taken', 'HTTPRoute shop/a', 'spec.hostnames[0]']],
  ],
  ['hostname at both listeners', HOSTS + ORDERS + route('a', [prefix('/')], 'hostnames: [api.shop.test]'), []],
  [
    'weights that sum to 0',
    GATEWAY + ORDERS + route('a', ['{backendRefs: [{name: orders, port: 80, weight: 0}]}']),
    [['warning', 'weights_sum_zero', 'HTTPRoute shop/a', 'spec.rules[0].backendRefs']],
  ],
  [
    'a rule that cannot answer',
    GATEWAY + route('a', ['{matches: [{path: {value: /a}}]}']),
    [['warning', 'rule_without_backend', 'HTTPRoute shop/a', 'spec.rules[0]']],
  ],
  [
    'redirects: away, and to itself',
    GATEWAY +
      route('a', [
        '{matches: [{path: {value: /a}}], filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]}',
        '{matches: [{path: {value: /b}}], filters: [{type: RequestRedirect, requestRedirect: {statusCode: 301}}]}',
      ]),
    [['warning', 'redirect_to_itself', 'HTTPRoute shop/a', 'spec.rules[1].filters[0]']],
  ],
  [
    'another controller, and no class at all',
    GATEWAY.replace('gatewayClassName: waypoint', 'gatewayClassName: other') + ORDERS + route('a', ['{}']),
    [['warning', 'dangling_class', 'Gateway shop/web', 'spec.gatewayClassName']],
  ],
  [
    'a listener that cannot be served',
    GATEWAY.replace('protocol: HTTP', 'protocol: TCP'),
    [['error', 'unsupported_protocol', 'Gateway shop/web', 'spec.listeners[0]']],
  ],
  [
    'a Service that asks for a Gateway that is not there',
    ORDERS.replace(
      '{name: orders, namespace: shop}',
      '{name: orders, namespace: shop, labels: {waypoint.dev/use-waypoint: nope}}',
    ),
    [['error', 'gateway_not_found', 'Service shop/orders', 'metadata.labels']],
  ],
  [
    'no endpoint, and a slice of nobody',
    GATEWAY + service('orders', 'shop') + slice('gone', 'shop') + route('a', [prefix('/')]),
    [
      ['info', 'no_endpoint', 'Service shop/orders', 'spec.ports[0]'],
      ['warning', 'dangling_endpoint_slice', 'EndpointSlice shop/gone-1', 'metadata.labels'],
    ],
  ],
];

function findings(text: string): ReturnType<typeof analyse> {
  const store = new Store();
  store.apply('shop.yaml', text);
  assert.deepEqual(store.findings, []);
  return analyse(store.resources, translate(store.resources, DEFAULT_ENVIRONMENT, null));
}

describe('findings', () => {
  for (const [name, text, expected] of CASES) {
    it(name, () => {
      const rows = findings(text).map(({ severity, code, object, path }) => [severity, code, object, path]);
      assert.deepEqual(rows, expected);
    });
  }

  it('say where they are and what to do next', () => {
    const [finding] = findings(GATEWAY + ORDERS + route('b', [prefix('/a')]) + route('a', [prefix('/a')]));
    assert.deepEqual([finding?.file, finding?.line], ['shop.yaml', 34]);
    const message =
      'never takes a request: spec.rules[0].matches[0] of HTTPRoute shop/b (shop.yaml:25) is the same and is older; ' +
      'narrow this one (header, method, longer path) or remove one';
    assert.equal(finding?.message, message);
  });

  it('hand out the missing grant ready to be saved', () => {
    const text = GATEWAY + service('bank', 'money') + slice('bank', 'money');
    const broken = text + route('a', ['{backendRefs: [{name: bank, namespace: money, port: 80}]}']);
    const grant = findings(broken)[0]!.message.match(/\{apiVersion.*\}$/)?.[0];
    assert.deepEqual(findings(`${broken}\n---\n${grant}\n`), []);
  });

  it('take one look at each match, however many routes there are', () => {
    const routes = Array.from({ length: 2000 }, (_, index) => route(`r${index}`, [prefix(`/p${index % 1000}`)]));
    const found = findings(GATEWAY + ORDERS + routes.join(''));
    assert.equal(found.length, 1000);
    assert.ok(found.every(({ code }) => code === 'duplicate_match'));
  });
});
