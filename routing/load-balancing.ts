// How the endpoints of a backend share its requests, as configured: plain data, every default filled in.

export interface LoadBalancingPlan {
  readonly algorithm: 'PeakEWMA' | 'LeastRequest' | 'RoundRobin' | 'Random' | 'ConsistentHash';
  /** What ConsistentHash reads its key from; null with the other algorithms. */
  readonly consistentHash: ConsistentHashPlan | null;
  readonly slowStart: SlowStartPlan | null;
  /**
   * Any: zones do not matter. PreferZone: the waypoint's own zone as far as its share of the endpoints goes, the rest
   * spills. Strict: the own zone or nothing.
   */
  readonly locality: 'PreferZone' | 'Strict' | 'Any';
}

export interface ConsistentHashPlan {
  readonly source: 'header' | 'cookie' | 'sourceIP' | 'query';
  /** Of the header, cookie or query parameter; '' for sourceIP. */
  readonly name: string;
  /** Of the cookie that is made where the client sent none; 0: it lives as long as the browser's session. */
  readonly ttlMs: number;
  /** Of that cookie. */
  readonly path: string;
}

export interface SlowStartPlan {
  readonly windowMs: number;
  /** In [0, 100]: what an endpoint gets at the very start. */
  readonly minWeightPercent: number;
  /** >= 1; 1 grows in proportion to time, more grows faster at first. */
  readonly aggression: number;
}
