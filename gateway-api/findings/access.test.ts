import assert from 'node:assert/strict';
import { DEFAULT_ENVIRONMENT } from '../environment.ts';
import { analyse } from '../findings.ts';
import { type Finding, Store } from '../store.ts';
import { translate } from '../translate.ts';

const WORLD = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web, namespace: shop}
spec: {gatewayClassName: waypoint, listeners: [{name: http, port: 8080, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: shop}
spec: {parentRefs: [{name: web}], rules: [{backendRefs: [{name: orders, port: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop, labels: {waypoint.dev/use-waypoint: web}}
spec: {ports: [{name: http, port: 80, targetPort: 8000}]}
`;

const SERVICE = 'targetRefs: [{group: "", kind: Service, name: orders}]';
const GATEWAY = 'targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: web}]';
const ROUTE = 'targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: r}]';

function policy(spec: string, name = 'p'): string {
  return `
---
apiVersion: waypoint.dev/v1alpha1
kind: AuthorizationPolicy
metadata: {name: ${name}, namespace: shop}
spec: {${spec}}
`;
}

function authentication(target: string): string {
  return `
---
apiVersion: waypoint.dev/v1alpha1
kind: RequestAuthentication
metadata: {name: jwt, namespace: shop}
spec: {${target}, jwtRules: [{issuer: "https://idp", jwksUri: "https://idp/keys"}]}
`;
}

const to = (operation: string): string => `{to: [{operation: {${operation}}}]}`;
const from = (source: string): string => `{from: [{source: {${source}}}]}`;
const rules = (...each: readonly string[]): string => `rules: [${each.join(', ')}]`;
const deny = (...each: readonly string[]): string => `${SERVICE}, action: DENY, ${rules(...each)}`;
const TOKEN = policy(`${SERVICE}, ${rules(from('requestPrincipals: ["*"]'))}`);

const FOUND: readonly (readonly [name: string, text: string, code: string, path: string, message: RegExp])[] = [
  ['no target', policy('rules: [{}]'), 'invalid_policy', 'spec', /names no target.*write targetRefs/],
  [
    'a selector',
    policy('selector: {matchLabels: {app: x}}, rules: [{}]'),
    'invalid_policy',
    'spec',
    /selects workloads.*targetRefs/,
  ],
  [
    'a target that is not there',
    policy('targetRefs: [{kind: Service, name: nobody}], rules: [{}]'),
    'dangling_target',
    'spec.targetRefs[0]',
    /no Service shop\/nobody/,
  ],
  [
    'a target that nobody guards',
    policy('targetRef: {kind: Pod, name: x}, rules: [{}]'),
    'invalid_policy',
    'spec.targetRef',
    /Pod is nothing that a waypoint guards/,
  ],
  [
    'an unknown key',
    policy(`${SERVICE}, rules: [{when: [{key: request.header, values: [a]}]}]`),
    'invalid_policy',
    'spec.rules[0].when[0].key',
    /^"request.header" is unknown.*; until that is mended, every request is denied/,
  ],
  ['DENY without rules', policy(`${SERVICE}, action: DENY`), 'policy_without_effect', 'spec.rules', /no effect/],
  [
    'CUSTOM without rules',
    policy(`${SERVICE}, action: CUSTOM, provider: {name: p}`),
    'policy_without_effect',
    'spec.rules',
    /nobody is asked/,
  ],
  ['ALLOW without rules', policy(SERVICE), 'policy_allows_nothing', 'spec.rules', /everything is denied/],
  [
    'ALLOW that never matches',
    policy(`${SERVICE}, ${rules(to('methods: [get]'))}`),
    'allow_never_matches',
    'spec.rules',
    /allows nothing/,
  ],
  [
    'DENY that never matches',
    policy(deny(to('paths: ["admin"]'))),
    'policy_without_effect',
    'spec.rules',
    /never matches/,
  ],
  [
    'a method in small letters',
    policy(deny(to('methods: [get, POST]'))),
    'value_never_matches',
    'spec.rules[0].to[0].operation.methods',
    /get never matches: .*capitals/,
  ],
  [
    'a path with a query',
    policy(deny(to('paths: ["/a?b=1", /b]'))),
    'value_never_matches',
    'spec.rules[0].to[0].operation.paths',
    /without query/,
  ],
  [
    'a path that is written another way',
    policy(deny(to('paths: ["/a/../admin", /b]'))),
    'value_never_matches',
    'spec.rules[0].to[0].operation.paths',
    /write \/admin/,
  ],
  [
    'a host with a scheme',
    policy(deny(to('hosts: ["https://shop.example", b]'))),
    'value_never_matches',
    'spec.rules[0].to[0].operation.hosts',
    /no scheme/,
  ],
  [
    'a value that is excluded at once',
    policy(deny(from('namespaces: [shop, bank], notNamespaces: ["s*"]'))),
    'value_never_matches',
    'spec.rules[0].from[0].source.namespaces',
    /shop never matches: what it matches is excluded by s\*/,
  ],
  [
    'a DENY behind a broader one of the same policy',
    policy(deny(to('paths: ["/admin*"]'), to('paths: [/admin/users], methods: [POST]'))),
    'deny_shadowed',
    'spec.rules[1]',
    /rule 0 denies all of it/,
  ],
  [
    'a DENY behind a broader one of another policy',
    policy(deny(to('paths: [/admin/users]')), 'narrow') + policy(deny('{}'), 'wide'),
    'deny_shadowed',
    'spec.rules[0]',
    /AuthorizationPolicy shop\/wide rule 0/,
  ],
  [
    'a principal of elsewhere',
    policy(`${SERVICE}, ${rules(from('principals: [evil.example/ns/shop/sa/web]'))}`),
    'foreign_trust_domain',
    'spec.rules[0].from[0].source.principals',
    /evil\.example is not the trust domain here \(cluster\.local\)/,
  ],
  [
    'tokens that nobody believes',
    TOKEN,
    'no_request_authentication',
    'spec.rules[0].from[0].source.requestPrincipals',
    /create one/,
  ],
  [
    'claims that nobody believes, by a condition',
    policy(`${ROUTE}, rules: [{when: [{key: "request.auth.claims[a]", values: [b]}]}]`),
    'no_request_authentication',
    'spec.rules[0].when[0].values',
    /HTTPRoute shop\/r/,
  ],
  [
    'a provider that is not there',
    policy(`${SERVICE}, action: CUSTOM, provider: {name: opa}, rules: [{}]`),
    'provider_not_found',
    'spec.targetRefs[0]',
    /requests that match are denied/,
  ],
];

const NOT_FOUND: readonly (readonly [name: string, text: string, code: string])[] = [
  [
    'a principal of an alias',
    policy(`${SERVICE}, ${rules(from('principals: ["cluster.local/ns/a/sa/b", "*/ns/a/sa/b", "*"]'))}`),
    'foreign_trust_domain',
  ],
  ['tokens believed at the Service', TOKEN + authentication(SERVICE), 'no_request_authentication'],
  ['tokens believed at its Gateway', TOKEN + authentication(GATEWAY), 'no_request_authentication'],
  [
    'two DENYs that overlap',
    policy(deny(to('paths: ["/admin*"], methods: [POST]'), to('paths: [/admin/users]'))),
    'deny_shadowed',
  ],
  ['two DENYs of other sources', policy(deny(from('namespaces: [a]'), from('namespaces: [b]'))), 'deny_shadowed'],
  [
    'a DENY with an exception',
    policy(deny(to('paths: ["/a*"], notPaths: [/a/b]'), to('paths: [/a/b]'))),
    'deny_shadowed',
  ],
  [
    'an ALLOW of which a rule matches',
    policy(`${SERVICE}, ${rules(to('methods: [get]'), to('methods: [GET]'))}`),
    'allow_never_matches',
  ],
  ['a suffix', policy(deny(to('paths: ["*.html", "*"]'))), 'value_never_matches'],
];

describe('findings about access', () => {
  for (const [name, text, code, path, message] of FOUND) {
    it(`tell of ${name}`, () => {
      const found = findings(text).filter((finding) => finding.code === code);
      assert.equal(found.length, 1, JSON.stringify(findings(text), null, 1));
      assert.equal(found[0]?.path, path);
      assert.match(found[0]?.message ?? '', message);
    });
  }

  for (const [name, text, code] of NOT_FOUND) {
    it(`do not tell of ${name}`, () => {
      assert.deepEqual(
        findings(text).filter((finding) => finding.code === code),
        [],
      );
    });
  }
});

function findings(text: string): readonly Finding[] {
  const store = new Store();
  store.apply('world.yaml', WORLD + text);
  return [...store.findings, ...analyse(store.resources, translate(store.resources, DEFAULT_ENVIRONMENT, null))];
}
