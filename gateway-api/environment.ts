// What the translation depends on beside the resources: how this process was started and what it could bind.

export const CONTROLLER_NAME = 'waypoint.dev/controller';
/** Served in file mode even where no GatewayClass object says so. */
export const DEFAULT_CLASS = 'waypoint';
export const GATEWAY_GROUP = 'gateway.networking.k8s.io';

export interface Environment {
  /** Only this Gateway (`namespace/name`) is served; null: every Gateway of our classes. */
  readonly gateway: string | null;
  /** Where listeners are bound when a Gateway names no address. */
  readonly bindAddress: string;
  /** `cluster.local`: the suffix of Service names. */
  readonly clusterDomain: string;
  /** Bind id -> the system's message for an address that could not be listened on. */
  readonly bindErrors: ReadonlyMap<string, string>;
}

/** Equal but for `bindErrors`, which change statuses only. */
export function sameScope(a: Environment, b: Environment): boolean {
  return a.gateway === b.gateway && a.bindAddress === b.bindAddress && a.clusterDomain === b.clusterDomain;
}
