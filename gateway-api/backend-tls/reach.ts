// Through which Gateways a backend is reached: by routes, or where its Service is enrolled.

import type { ServicePlan } from '../../policies/plan.ts';
import type { GatewayState } from '../gateways.ts';
import type { ShardedMap } from '../sharded-map.ts';

export interface Reach {
  readonly gateways: ReadonlyMap<string, GatewayState>;
  readonly services: ReadonlyMap<string, ServicePlan>;
  /** By `backend@gateway`: how many routes lead there. */
  readonly uses: ShardedMap<number>;
}

export function gatewaysTo(backend: string, { gateways, services, uses }: Reach): readonly string[] {
  const home = services.get(backend)?.gateway;
  return [...gateways.keys()].filter((key) => key === home || uses.get(`${backend}@${key}`) !== undefined);
}
