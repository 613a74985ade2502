// Which addresses are not dialled: our own and those of enrolled Services, since that is a loop; for names outside those
// that lie inside.

import { networkInterfaces } from 'node:os';
import type { BindPlan } from '../../policies/plan.ts';
import type { RunOptions } from '../config.ts';
import { type EgressRules, egressRules, ownAddress, refusedAddress } from '../forbidden-address.ts';
import type { LiveSnapshot } from '../live-snapshot.ts';
import { EnrolledVips } from '../redirect/enrolled-vips.ts';

interface Dialled {
  readonly address: string;
  readonly port: number;
  /** It comes from DNS, for a name outside. */
  readonly external: boolean;
}

export class Refusals {
  readonly #options: Pick<RunOptions, 'egressAllow' | 'admin'>;
  readonly #vips: EnrolledVips = new EnrolledVips();
  #binds: ReadonlyMap<string, BindPlan> | null = null;
  #rules: EgressRules = egressRules([], [], []);

  constructor(options: Pick<RunOptions, 'egressAllow' | 'admin'>) {
    this.#options = options;
  }

  /** Why nobody is sent there; '' when they may be. */
  of({ address, port, external }: Dialled, { binds, services }: Pick<LiveSnapshot, 'binds' | 'services'>): string {
    if (binds !== this.#binds) this.#renew(binds);
    const why = external ? refusedAddress(address, port, this.#rules) : ownAddress(address, port, this.#rules);
    if (why !== null) return `refused: it is ${why}`;
    const service = this.#vips.serviceAt(address, port, services);
    return service === null ? '' : `refused: it is the address of Service ${service}, which leads to a waypoint again`;
  }

  #renew(binds: ReadonlyMap<string, BindPlan>): void {
    this.#binds = binds;
    const { egressAllow, admin } = this.#options;
    const own = [...binds.values()].map(({ address, port }) => ({
      address,
      port,
      what: 'an address of this waypoint',
    }));
    if (admin !== null) own.push({ address: admin.host, port: admin.port, what: 'the admin page of this waypoint' });
    // What every pod is told about its cluster (Kubernetes, "Accessing the API from a Pod").
    const { KUBERNETES_SERVICE_HOST: address, KUBERNETES_SERVICE_PORT: port } = process.env;
    if (address && port) own.push({ address, port: Number(port), what: 'the API server of the cluster' });
    const here = Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? []);
    this.#rules = egressRules(egressAllow, own, here);
  }
}
