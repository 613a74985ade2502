// The outcome of a translation together with what the next one starts from.

import { EMPTY_SNAPSHOT, type Snapshot } from '../policies/plan.ts';
import { type AccessIndex, NO_ACCESS } from './access/update.ts';
import type { OutsideNames, Refusals } from './backends.ts';
import { NO_RESOURCES } from './changes.ts';
import type { Holders, Members } from './claims.ts';
import type { Statuses } from './conditions.ts';
import type { CredentialUses } from './credentials/update.ts';
import { type Destinations, NO_DESTINATIONS } from './destinations.ts';
import type { SliceIndex } from './endpoints.ts';
import { DEFAULT_ENVIRONMENT, type Environment } from './environment.ts';
import { NO_PARTIES, type Parties } from './parties.ts';
import { NO_POLICIES, type PolicyIndex } from './policies/targets.ts';
import type { Resources } from './resources.ts';
import type { RouteTables } from './route-tables.ts';
import type { ServiceTableIndex } from './service-plans.ts';
import { NO_PORTS, type PortAllocation } from './service-ports.ts';
import { ShardedMap } from './sharded-map.ts';
import type { RouteState } from './translate-route.ts';

export interface Translation {
  readonly snapshot: Snapshot;
  readonly statuses: Statuses;
  /** For the next translation only. */
  readonly state: State;
}

/** Everything derived along the way; immutable like its outcome. */
export interface State {
  readonly resources: Resources;
  readonly environment: Environment;
  readonly parties: Parties;
  readonly policies: PolicyIndex;
  readonly accessIndex: AccessIndex;
  readonly refusals: Refusals;
  /** By `namespace/name`. */
  readonly routes: ShardedMap<RouteState>;
  readonly routeTables: RouteTables;
  readonly serviceTables: ServiceTableIndex;
  readonly members: Members;
  readonly holders: Holders;
  readonly ports: PortAllocation;
  readonly slices: SliceIndex;
  readonly credentialUses: CredentialUses;
  readonly destinations: Destinations;
  readonly outsideNames: OutsideNames;
}

export const NOTHING: Translation = {
  snapshot: EMPTY_SNAPSHOT,
  statuses: new Map(),
  state: {
    resources: NO_RESOURCES,
    environment: DEFAULT_ENVIRONMENT,
    parties: NO_PARTIES,
    policies: NO_POLICIES,
    accessIndex: NO_ACCESS,
    refusals: new Map(),
    routes: new ShardedMap(),
    routeTables: { tables: new Map(), attached: new Map(), uses: new ShardedMap() },
    serviceTables: new Map(),
    members: new Map(),
    holders: new Map(),
    ports: NO_PORTS,
    slices: new ShardedMap(),
    credentialUses: new Map(),
    destinations: NO_DESTINATIONS,
    outsideNames: new Map(),
  },
};
