import assert from 'node:assert/strict';
import { NO_RESOURCES } from './changes.ts';
import { NO_DESTINATIONS } from './destinations.ts';
import { NO_POLICIES } from './policies/targets.ts';
import type { HTTPRoute, HTTPRouteRule } from './resources.ts';
import { type TranslatedRule, translateRule } from './translate-rule.ts';

const MATCHES: HTTPRouteRule['matches'] = [{ path: { type: 'PathPrefix', value: '/' } }];
const BACKENDS = [{ group: '', kind: 'Service', name: 'missing', port: 80, weight: 1 }];
const REDIRECT = { type: 'RequestRedirect', requestRedirect: { statusCode: 301, scheme: 'https' } };
const REWRITE = { type: 'URLRewrite', urlRewrite: { hostname: 'a.example.com' } };

function translated(rule: Partial<HTTPRouteRule>): TranslatedRule {
  const route = { metadata: { namespace: 'shop', name: 'r' } } as unknown as HTTPRoute;
  const requester = { namespace: 'shop', reachable: null };
  const frontend = { gateway: 'shop/gw', parent: null };
  const scope = {
    ...{ resources: NO_RESOURCES, grants: new Map(), route, requester },
    ...{ policies: NO_POLICIES, destinations: NO_DESTINATIONS, frontend, reads: new Set<string>() },
  };
  return translateRule({ matches: MATCHES, ...rule }, 0, scope);
}

/** What no validated rule can say is still never skipped, wherever a rule comes from. */
describe('a rule that contradicts itself', () => {
  const cases: [string, Partial<HTTPRouteRule>, string][] = [
    ['redirects and has backends', { filters: [REDIRECT], backendRefs: BACKENDS }, 'IncompatibleFilters'],
    ['redirects and rewrites', { filters: [REDIRECT, REWRITE] }, 'IncompatibleFilters'],
    ['has a filter of an unknown type', { filters: [{ type: 'Magic' }] }, 'UnsupportedValue'],
    ['has a timeout that is no duration', { timeouts: { request: 'soon' } }, 'UnsupportedValue'],
    [
      'allows a try more time than the whole',
      { timeouts: { request: '1s', backendRequest: '2s' } },
      'UnsupportedValue',
    ],
  ];
  for (const [name, rule, reason] of cases) {
    it(`${name}: it answers 500 and is refused`, () => {
      const { rule: plan, isRefused, problems } = translated(rule);
      assert.equal(plan?.plan.failure?.reason, reason);
      assert.equal(isRefused, true);
      assert.equal(problems[0]?.reason, reason);
    });
  }
});
