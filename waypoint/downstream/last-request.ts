// What was decided about the last request of a connection: an equal head under the same configuration is decided alike.

import type { VerifiedToken } from '../../policies/authentication.ts';
import type { AccessVerdict } from '../../policies/authorization.ts';
import type { ListenerPlan, ServicePlan } from '../../policies/plan.ts';
import type { Guard } from '../guard/guards.ts';
import type { LivePlan } from '../live-plan.ts';

export class LastRequest {
  /** Of the snapshot; -1: nothing is kept. Its number, not the snapshot: idle connections are no reason to hold an old one. */
  version = -1;
  service: ServicePlan | null = null;
  listener: ListenerPlan | null = null;
  plan: LivePlan | null = null;
  matchedPrefix: string | null = null;
  /** Whose verdict it is; null: none is kept. */
  guard: Guard | null = null;
  token: VerifiedToken | null = null;
  verdict: AccessVerdict | null = null;
}
