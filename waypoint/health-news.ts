// What active health checks find out, for those who act on it and those who read of it.

import type { Fleet } from './fleet.ts';
import type { HealthEvents } from './health-checks.ts';
import type { Log } from './ops/log.ts';
import type { MetricsPage } from './ops/metrics-page.ts';

export interface HealthReaders {
  readonly fleet: Pick<Fleet, 'tellHealth'>;
  readonly log: Log;
  readonly metrics: MetricsPage;
}

export function healthNews({ fleet, log, metrics }: HealthReaders): HealthEvents {
  return {
    verdict: (verdict) => {
      fleet.tellHealth([verdict]);
      log.warn(`${verdict.backend}: ${verdict.endpoint} is ${verdict.healthy ? 'healthy again' : 'unhealthy'}`);
    },
    shadow: ({ backend, endpoint, healthy }) => {
      metrics.count('shadow_decisions', 'health_check', 1);
      log.info(`shadow: ${backend}: ${endpoint} would be ${healthy ? 'healthy again' : 'unhealthy'}`);
    },
  };
}
