// Which addresses are not dialled: our own, since that is a loop, and for names outside those that lie inside.

import { networkInterfaces } from 'node:os';
import type { BindPlan } from '../../policies/plan.ts';
import type { RunOptions } from '../config.ts';
import { type EgressRules, egressRules, ownAddress, refusedAddress } from '../forbidden-address.ts';

export class Refusals {
  readonly #options: Pick<RunOptions, 'egressAllow' | 'admin'>;
  #binds: ReadonlyMap<string, BindPlan> | null = null;
  #rules: EgressRules = egressRules([], [], []);

  constructor(options: Pick<RunOptions, 'egressAllow' | 'admin'>) {
    this.#options = options;
  }

  /** Why nobody is sent there; '' when they may be. `binds`: where we listen now. */
  of(address: string, port: number, isOutside: boolean, binds: ReadonlyMap<string, BindPlan>): string {
    if (binds !== this.#binds) this.#renew(binds);
    const why = isOutside ? refusedAddress(address, port, this.#rules) : ownAddress(address, port, this.#rules);
    return why === null ? '' : `${why}, which is not dialled`;
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
    const here = Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? []);
    this.#rules = egressRules(egressAllow, own, here);
  }
}
