// The compiled decisions against an oracle that knows nothing of them: any policies, any requests.

import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { AuthorizationPlan } from '../policies/authorization.ts';
import { decodeAuthorization } from '../policies/authorization-decode.ts';
import { Authorizer } from '../policies/authorizer.ts';
import { policyBy, requestBy } from './harness/access-chance.ts';
import { judge, type WrittenPolicy } from './harness/access-oracle.ts';
import { seeded } from './harness/chance.ts';

const TRUST_DOMAINS = ['td1', 'td2'];
const SETS = 2500;
const REQUESTS = 40;

describe('authorization', () => {
  it(`decides ${SETS * REQUESTS} times as the reference does`, function () {
    this.timeout(30_000);
    let allowed = 0;
    for (let seed = 0; seed < SETS; seed += 1) {
      const chance = seeded(seed);
      const policies = Array.from({ length: Math.floor(chance() * 9) }, (_, index) => policyBy(chance, `p${index}`));
      const authorizer = new Authorizer(policies.map(planOf), TRUST_DOMAINS);
      for (let request = 0; request < REQUESTS; request += 1) {
        const context = requestBy(chance);
        const verdict = authorizer.decide(context);
        const expected = judge(policies, context, TRUST_DOMAINS);
        const custom = authorizer.custom(context).map(({ policy }) => policy);
        const actual = { allowed: verdict.allowed, AUDIT: verdict.audited, CUSTOM: custom };
        const { AUDIT, CUSTOM, ALLOW, DENY } = expected.matching;
        const about = (): string => `seed ${seed}, request ${request}: ${JSON.stringify({ policies, context })}`;
        if (!isDeepStrictEqual(actual, { allowed: expected.allowed, AUDIT, CUSTOM })) {
          assert.deepEqual(actual, { allowed: expected.allowed, AUDIT, CUSTOM }, about());
        }
        if (verdict.rule !== '' && ![...ALLOW, ...DENY].includes(verdict.policy)) assert.fail(about());
        if (verdict.allowed) allowed += 1;
      }
    }
    const share = allowed / (SETS * REQUESTS);
    assert.ok(share > 0.1 && share < 0.9, `a test of which ${share} is allowed tells little`);
  });
});

describe('explanations of authorization', () => {
  it('say of each policy whether it matches as the reference does', () => {
    for (let seed = 0; seed < 1000; seed += 1) {
      const chance = seeded(seed);
      const policies = Array.from({ length: 4 }, (_, index) => policyBy(chance, `p${index}`));
      const authorizer = new Authorizer(policies.map(planOf), TRUST_DOMAINS);
      const context = requestBy(chance);
      // Of two readings an ALLOW must match both, which is more than that some ALLOW matches each.
      if (context.head.path.includes(';')) continue;
      const { matching } = judge(policies, context, TRUST_DOMAINS);
      const expected = new Set(Object.values(matching).flat());
      for (const { policy, matches, rules } of authorizer.explain(context)) {
        assert.equal(matches, expected.has(policy), `seed ${seed}: ${JSON.stringify({ policies, rules })}`);
        assert.ok(rules.every(({ why }) => why !== ''));
      }
    }
  });
});

function planOf({ name, namespace, shadow, spec }: WrittenPolicy): AuthorizationPlan {
  const report = {
    unsupported: (path: string, message: string): never =>
      assert.fail(`${path}: ${message} in ${JSON.stringify(spec)}`),
  };
  const decoded = decodeAuthorization(spec, 'spec', namespace, report);
  assert.ok(decoded !== null);
  return { policy: name, shadow, failure: null, externalAuth: null, ...decoded };
}
