// Settings of TLS that nothing takes: options of others, and client validation where no handshake is.

import { foreignOptions } from '../listener-tls.ts';
import type { Gateway, Resources } from '../resources.ts';
import type { FindingReport } from './report.ts';

export function reportTls(resources: Resources, report: FindingReport): void {
  for (const gateway of resources.Gateway.values()) {
    reportOptions(gateway, report);
    reportFrontend(gateway, report);
  }
}

function reportOptions(gateway: Gateway, report: FindingReport): void {
  for (const [index, listener] of gateway.spec.listeners.entries()) {
    const names = foreignOptions(listener);
    if (names.length === 0) continue;
    const message = `${names.join(', ')}: nothing here takes options of other implementations: remove them`;
    const path = `spec.listeners[${index}].tls.options`;
    report.add(gateway, { severity: 'warning', code: 'unknown_tls_option', path, message });
  }
}

function reportFrontend(gateway: Gateway, report: FindingReport): void {
  const { frontend } = gateway.spec.tls ?? {};
  if (frontend === undefined) return;
  const ports = new Set(gateway.spec.listeners.filter(({ protocol }) => protocol === 'HTTPS').map(({ port }) => port));
  const idle = (path: string, where: string): void => {
    const message = `${where}, so that no client is asked for a certificate by it: add one, or remove this`;
    report.add(gateway, { severity: 'warning', code: 'client_validation_unused', path, message });
  };
  for (const [index, { port }] of (frontend.perPort ?? []).entries()) {
    if (!ports.has(port))
      idle(`spec.tls.frontend.perPort[${index}]`, `no listener of protocol HTTPS is on port ${port}`);
    ports.delete(port);
  }
  if (frontend.default.validation !== undefined && ports.size === 0) {
    idle('spec.tls.frontend.default', 'no listener of protocol HTTPS is left for the default');
  }
}
