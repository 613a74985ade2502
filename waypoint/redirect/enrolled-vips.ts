// Addresses of enrolled Services: whoever dials one comes back to a waypoint, wherever they are listened on.

import type { ServicePlan } from '../../policies/plan.ts';

type Services = ReadonlyMap<string, { readonly plan: Pick<ServicePlan, 'id' | 'vips' | 'port'> }>;

/** Looks through the Services when they are others than at the last question, so that a publish costs nothing. */
export class EnrolledVips {
  #services: Services | null = null;
  /** By `address port`. */
  #ids: ReadonlyMap<string, string> = new Map();

  /** The id of the Service that has this address and port; null: none has. */
  serviceAt(address: string, port: number, services: Services): string | null {
    if (services !== this.#services) {
      this.#services = services;
      this.#ids = idsOf(services);
    }
    return this.#ids.size === 0 ? null : (this.#ids.get(`${address} ${port}`) ?? null);
  }
}

function idsOf(services: Services): ReadonlyMap<string, string> {
  const ids = new Map<string, string>();
  for (const { plan } of services.values()) for (const vip of plan.vips) ids.set(`${vip} ${plan.port}`, plan.id);
  return ids;
}
