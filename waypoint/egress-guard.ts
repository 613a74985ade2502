// Keeps names outside from leading a worker back into its own host: asked for every connection, whatever DNS said before.

import type { BindPlan } from '../policies/plan.ts';
import type { SocketAddress } from './flag-values.ts';
import { type EgressRules, egressRules, type OwnAddress, refusedAddress } from './forbidden-address.ts';

export class EgressGuard {
  readonly #allowed: readonly string[];
  readonly #own: readonly OwnAddress[];
  #binds: ReadonlyMap<string, BindPlan> | null = null;
  #rules: EgressRules | null = null;

  /** `allowed`: `--egress-allow`. `admin`: where the admin page is; null: there is none. */
  constructor(allowed: readonly string[], admin: SocketAddress | null) {
    this.#allowed = allowed;
    this.#own = [...adminAddress(admin), ...apiServer()];
  }

  /** '' when a connection may be made; else why not, for people. */
  refusal(address: string, port: number, binds: ReadonlyMap<string, BindPlan>): string {
    if (this.#rules === null || this.#binds !== binds) {
      this.#binds = binds;
      this.#rules = egressRules(this.#allowed, [...this.#own, ...listeners(binds)], interfaces());
    }
    const what = refusedAddress(address, port, this.#rules);
    if (what === null) return '';
    return `the address is ${what}: no name outside may lead there (--egress-allow excepts addresses, never our own)`;
  }
}

function adminAddress(admin: SocketAddress | null): readonly OwnAddress[] {
  return admin === null || admin.port === 0
    ? []
    : [{ address: admin.host, port: admin.port, what: 'the admin page of this waypoint' }];
}

/** What every pod is told about its cluster (Kubernetes, "Accessing the API from a Pod"). */
function apiServer(): readonly OwnAddress[] {
  const { KUBERNETES_SERVICE_HOST: address, KUBERNETES_SERVICE_PORT: port } = process.env;
  return address === undefined || port === undefined
    ? []
    : [{ address, port: Number(port), what: 'the API server of the cluster' }];
}

function listeners(binds: ReadonlyMap<string, BindPlan>): readonly OwnAddress[] {
  return [...binds.values()].map(({ address, port }) => ({ address, port, what: 'a listener of this waypoint' }));
}

function interfaces(): readonly string[] {
  const all = Object.values(process.getBuiltinModule('node:os').networkInterfaces());
  return all.flatMap((each) => (each ?? []).map(({ address }) => address));
}
