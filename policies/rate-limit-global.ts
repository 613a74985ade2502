// Global rate limits: what a rate limit service is asked about a request (Envoy's RateLimitService, v3).

import type { PlanFailure } from './plan.ts';

export interface GlobalRateLimitPlan {
  readonly domain: string;
  /** `namespace/name:port` of the service; null when `failure` says why nobody can be asked. */
  readonly backend: string | null;
  readonly failure: PlanFailure | null;
  /** All of them are asked about in one call; one of which a part is missing in the request is left out. */
  readonly descriptors: readonly (readonly DescriptorEntry[])[];
  readonly timeoutMs: number;
  /** Whether a request passes where nobody answers; else 500, as Envoy does. */
  readonly failOpen: boolean;
}

/** One entry of a descriptor: a key, and where its value comes from. */
export interface DescriptorEntry {
  readonly key: string;
  readonly source: 'value' | 'header' | 'cookie' | 'query' | 'claim' | 'sourceIP' | 'method' | 'path' | 'principal';
  /** The fixed value, or the name of the header (lower-case), cookie, query parameter or claim; '' otherwise. */
  readonly name: string;
}
