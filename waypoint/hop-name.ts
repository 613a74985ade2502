// Our pseudonym in `Via` (RFC 9110 section 7.6.3): one per Gateway, so that waypoints of two teams may follow each other.

export function hopName(gateway: string): string {
  let name = hopNames.get(gateway);
  if (name === undefined) {
    name = `waypoint-${gateway.replaceAll('/', '.')}`;
    hopNames.set(gateway, name);
  }
  return name;
}

/** As many entries as there are Gateways. */
const hopNames: Map<string, string> = new Map();
