// Gateways, their classes and listeners, and enrolled Services: whatever their statuses say is wrong.

import type { Condition, GatewayStatus, Statuses } from '../conditions.ts';
import { CONTROLLER_NAME, DEFAULT_CLASS } from '../environment.ts';
import type { Gateway, Resources } from '../resources.ts';
import { codeOf } from './codes.ts';
import type { FindingReport } from './report.ts';

export function reportParents(resources: Resources, statuses: Statuses, report: FindingReport): void {
  for (const gateway of resources.Gateway.values()) reportMissingClass(gateway, resources, report);
  for (const status of statuses.values()) {
    if (status.kind === 'Gateway') reportGateway(status, resources, report);
    if (status.kind !== 'GatewayClass' && status.kind !== 'Service') continue;
    const resource = resources[status.kind].get(status.key);
    if (resource === undefined) continue;
    const path = status.kind === 'Service' ? 'metadata.labels' : 'spec';
    for (const { status: value, reason, message } of status.conditions) {
      if (value === 'False') report.add(resource, { severity: 'error', code: codeOf(reason), path, message });
    }
  }
}

function reportMissingClass(gateway: Gateway, resources: Resources, report: FindingReport): void {
  const name = gateway.spec.gatewayClassName;
  if (name === DEFAULT_CLASS || resources.GatewayClass.has(name)) return;
  const message = `there is no GatewayClass ${name}, so that nobody serves this Gateway: create it with controllerName ${CONTROLLER_NAME}, or use class ${DEFAULT_CLASS}`;
  report.add(gateway, { severity: 'warning', code: 'dangling_class', path: 'spec.gatewayClassName', message });
}

function reportGateway(status: GatewayStatus, resources: Resources, report: FindingReport): void {
  const gateway = resources.Gateway.get(status.key);
  if (gateway === undefined) return;
  const accepted = status.conditions.find(({ type }) => type === 'Accepted');
  // A Gateway that is refused for its listeners only says so: see the listeners.
  if (accepted?.status === 'False' && accepted.reason !== 'ListenersNotValid') {
    const { reason, message } = accepted;
    report.add(gateway, { severity: 'error', code: codeOf(reason), path: 'spec', message });
  }
  for (const listener of status.listeners) {
    const index = gateway.spec.listeners.findIndex(({ name }) => name === listener.name);
    for (const { reason, message } of troubles(listener.conditions)) {
      report.add(gateway, { severity: 'error', code: codeOf(reason), path: `spec.listeners[${index}]`, message });
    }
  }
}

/** What is refused is not programmed either: only the cause is worth a line. */
function troubles(conditions: readonly Condition[]): readonly Condition[] {
  const failed = conditions.filter(({ type, status }) => type !== 'Conflicted' && status === 'False');
  const causes = failed.filter(({ type }) => type !== 'Programmed');
  return causes.length > 0 ? causes : failed;
}
