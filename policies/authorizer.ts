// Decides about requests by the AuthorizationPolicies of their targets, compiled once.

import type { AccessContext, AccessVerdict, AuthorizationPlan, PolicyExplanation } from './authorization.ts';

export class Authorizer {
  constructor(_plans: readonly AuthorizationPlan[], _trustDomains: readonly string[]) {}

  /** CUSTOM policies of which a rule matches; the shared empty array when none does. */
  custom(_context: AccessContext): readonly AuthorizationPlan[] {
    return [];
  }

  decide(_context: AccessContext): AccessVerdict {
    return { allowed: false, policy: '', rule: '', audited: [] };
  }

  /** What the policies in shadow would have decided otherwise, `deny AuthorizationPolicy shop/x rule 0`; '' for nothing. */
  shadowed(_context: AccessContext, _verdict: AccessVerdict): string {
    return '';
  }

  explain(_context: AccessContext): readonly PolicyExplanation[] {
    return [];
  }
}
