import assert from 'node:assert/strict';
import { filterContext, requestHead } from '../test/harness/heads.ts';
import type { AccessContext, AuthorizationPlan } from './authorization.ts';
import { decodeAuthorization } from './authorization-decode.ts';
import { Authorizer } from './authorizer.ts';

const report = { unsupported: (path: string, message: string): never => assert.fail(`${path}: ${message}`) };

function policy(index: number, paths: readonly string[]): AuthorizationPlan {
  const rules = [{ to: [{ operation: { paths, methods: ['GET'] } }] }];
  const decoded = decodeAuthorization({ action: 'DENY', rules }, 'spec', 'shop', report);
  assert.ok(decoded);
  return { policy: `AuthorizationPolicy shop/p${index}`, shadow: false, ...decoded, externalAuth: null, failure: null };
}

describe('RuleIndex', () => {
  it('asks a rule once, however many of its values begin like the path', () => {
    const rules = 20;
    const plans = Array.from({ length: rules }, (_, rule) =>
      policy(
        rule,
        Array.from({ length: 50 }, (_each, value) => `/api/{*}/${rule}-${value}/{**}`),
      ),
    );
    let asked = 0;
    const head = requestHead({ path: '/api/x/none/y' });
    Object.defineProperty(head, 'method', {
      get: () => {
        asked += 1;
        return 'GET';
      },
    });
    const context: AccessContext = Object.assign(filterContext(head), {
      remoteAddress: '10.0.0.1',
      destinationPort: 80,
      token: null,
    });
    assert.equal(new Authorizer(plans, ['cluster.local']).decide(context).allowed, true);
    assert.ok(asked <= rules, `asked ${asked} times`);
  });
});
