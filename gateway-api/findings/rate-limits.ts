// Rate limit services that are not there: whoever is asked to wait for them waits in vain.

import type { Resources } from '../resources.ts';
import type { FindingReport } from './report.ts';

interface Written {
  readonly global?: {
    readonly service: { readonly name: string; readonly port: number };
    readonly failureMode?: 'Open' | 'Closed';
  };
}

export function reportRateLimits(resources: Resources, report: FindingReport): void {
  for (const policy of resources.TrafficPolicy.values()) {
    const { global } = (policy.spec.rateLimit ?? {}) as Written;
    if (global === undefined) continue;
    const { name, port } = global.service;
    const key = `${policy.metadata.namespace}/${name}`;
    const ports = resources.Service.get(key)?.spec.ports.filter(({ protocol }) => protocol === 'TCP');
    if (ports?.some((candidate) => candidate.port === port)) continue;
    const what =
      ports === undefined
        ? `there is no Service ${key}`
        : `Service ${key} has no port ${port}; it has ${ports.map((each) => each.port).join(', ') || 'none'}`;
    const effect = global.failureMode === 'Closed' ? 'is answered 500' : 'passes';
    const message = `${what}: until it is there every request ${effect} (failureMode ${global.failureMode ?? 'Open'})`;
    report.add(policy, { severity: 'error', code: 'dangling_backend', path: 'spec.rateLimit.global.service', message });
  }
}
