// What policies say about the endpoints of one Service port.

import { type BackendPolicy, NO_BACKEND_POLICY } from '../../policies/traffic.ts';
import { gatewayLayers, saysAny, serviceLayers, shadowsAny } from './layers.ts';
import { assemble, type Draft, type MergedPolicy, type Mode, mergeSection } from './merge.ts';
import { BALANCING_SECTION, ENDPOINT_SECTIONS, type Section } from './settings.ts';
import type { Layer, PolicyIndex } from './targets.ts';

const NOTHING: MergedPolicy<BackendPolicy> = { policy: NO_BACKEND_POLICY, origins: [], refused: [] };
const SECTIONS: ReadonlySet<Section> = new Set([BALANCING_SECTION, ...ENDPOINT_SECTIONS]);

export interface Reached {
  /** `namespace/name` of the Service. */
  readonly service: string;
  /** Name of the port, '' where it has none. */
  readonly port: string;
  /** Gateways through which it is reached. */
  readonly gateways: readonly string[];
}

export function backendPolicy(index: PolicyIndex, { service, port, gateways }: Reached): MergedPolicy<BackendPolicy> {
  const layers = [...serviceLayers(index, service, port), ...gatewayLayers(index, gateways)];
  if (!saysAny(layers, SECTIONS)) return NOTHING;
  const shadow = shadowsAny(layers, SECTIONS) ? draft(layers, 'Shadow') : null;
  return assemble(draft(layers, 'Enforce'), shadow);
}

function draft(layers: readonly Layer[], mode: Mode): Draft<BackendPolicy> {
  const loadBalancing = mergeSection('loadBalancing', layers, mode);
  const connections = mergeSection('connections', layers, mode);
  const circuitBreaker = mergeSection('circuitBreaker', layers, mode);
  const outlierDetection = mergeSection('outlierDetection', layers, mode);
  const healthCheck = mergeSection('healthCheck', layers, mode);
  const retryBudget = mergeSection('retryConstraint', layers, mode);
  return {
    policy: {
      loadBalancing: loadBalancing.plan,
      connections: connections.plan,
      circuitBreaker: circuitBreaker.plan,
      outlierDetection: outlierDetection.plan,
      healthCheck: healthCheck.plan,
      retryBudget: retryBudget.plan,
    },
    parts: [loadBalancing, connections, circuitBreaker, outlierDetection, healthCheck, retryBudget],
  };
}
