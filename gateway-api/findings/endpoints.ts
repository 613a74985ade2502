// Backends without a ready endpoint, and EndpointSlices that belong to no Service or that nothing is read from.

import type { Snapshot } from '../../policies/plan.ts';
import type { Resources } from '../resources.ts';
import type { FindingReport } from './report.ts';

const SERVICE_NAME = 'kubernetes.io/service-name';

export function reportEndpoints(resources: Resources, snapshot: Snapshot, report: FindingReport): void {
  for (const { id, endpoints } of snapshot.backends.values()) {
    if (endpoints.some(({ ready, serving }) => ready || serving)) continue;
    const key = id.slice(0, id.lastIndexOf(':'));
    const service = resources.Service.get(key);
    // What stands behind a name outside DNS says.
    if (service === undefined || service.spec.type === 'ExternalName') continue;
    const port = id.slice(key.length + 1);
    const index = service.spec.ports.findIndex((candidate) => String(candidate.port) === port);
    const message = `port ${port} has no ready endpoint here, so that its requests are answered 503: add an EndpointSlice labelled ${SERVICE_NAME}: ${service.metadata.name}`;
    report.add(service, { severity: 'info', code: 'no_endpoint', path: `spec.ports[${index}]`, message });
  }
  for (const slice of resources.EndpointSlice.values()) {
    const { namespace, labels } = slice.metadata;
    const name = labels[SERVICE_NAME];
    if (slice.spec.addressType === 'FQDN') {
      const message =
        'addressType FQDN is not read, so that its endpoints get no requests: name IP addresses, or an XBackend in the routes';
      report.add(slice, { severity: 'warning', code: 'unread_endpoint_slice', path: 'addressType', message });
    }
    if (name !== undefined && resources.Service.has(`${namespace}/${name}`)) continue;
    const message =
      name === undefined
        ? `belongs to no Service: label it ${SERVICE_NAME}: <name of a Service>`
        : `there is no Service ${namespace}/${name}: create it, or correct the label ${SERVICE_NAME}`;
    report.add(slice, { severity: 'warning', code: 'dangling_endpoint_slice', path: 'metadata.labels', message });
  }
}
