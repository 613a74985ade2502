// Names outside: those that are spoken to in cleartext, that cannot be served, or that no Gateway leads to; and which of
// several Gateways shows its certificate to a backend.

import { presenters } from '../backend-tls/client-certificate.ts';
import { gatewaysTo } from '../backend-tls/reach.ts';
import { X_BACKEND } from '../egress/x-backends.ts';
import type { GatewayState } from '../gateways.ts';
import type { Resources } from '../resources.ts';
import type { Translation } from '../translate.ts';
import { codeOf } from './codes.ts';
import type { FindingReport } from './report.ts';

export function reportOutside(resources: Resources, translation: Translation, report: FindingReport): void {
  reportXBackends(translation, report);
  reportExternalNames(resources, translation, report);
  reportClientCertificates(translation, report);
}

function reportXBackends({ state, statuses, snapshot }: Translation, report: FindingReport): void {
  for (const [key, { xBackend, failure, resolved, id }] of state.destinations.xBackends) {
    if (failure !== null) {
      report.add(xBackend, { severity: 'error', code: codeOf(failure.reason), path: 'spec', message: failure.message });
      continue;
    }
    if (resolved.status === 'False') {
      const { reason, message } = resolved;
      report.add(xBackend, { severity: 'error', code: codeOf(reason), path: 'spec.tls', message });
    }
    if (!statuses.has(`XBackend/${key}`)) {
      const message = 'no route here leads to it: name it in backendRefs of a route that is accepted';
      report.add(xBackend, { severity: 'warning', code: 'backend_never_used', path: '', message });
    } else if (snapshot.backends.get(id)?.tls === null) {
      const message = 'requests leave in cleartext, for everybody on the way to read: set tls.mode: ServerOnly';
      report.add(xBackend, { severity: 'warning', code: 'cleartext_egress', path: 'spec.tls', message });
    }
  }
}

function reportExternalNames(resources: Resources, { state, snapshot }: Translation, report: FindingReport): void {
  for (const id of state.outsideNames.keys()) {
    const service = id.startsWith(X_BACKEND) ? undefined : resources.Service.get(id.slice(0, id.lastIndexOf(':')));
    if (service === undefined || snapshot.backends.get(id)?.tls !== null) continue;
    const message = 'requests leave in cleartext, for everybody on the way to read: target it with a BackendTLSPolicy';
    report.add(service, { severity: 'warning', code: 'cleartext_egress', path: 'spec.externalName', message });
  }
}

/** Connections are shared by all Gateways, and so is the certificate that the backend is shown. */
function reportClientCertificates({ state, snapshot }: Translation, report: FindingReport): void {
  const { gateways } = state.parties;
  const candidates = presenters(gateways);
  if (candidates.length === 0) return;
  const reach = { gateways, services: snapshot.services, uses: state.routeTables.uses };
  for (const [id, { tls, external }] of snapshot.backends) {
    if (tls === null || external) continue;
    const through = gatewaysTo(id, reach).map((key) => gateways.get(key)!);
    const shown = candidates.find((candidate) => through.includes(candidate));
    for (const other of through) {
      if (shown === undefined || other === shown || nameOf(other) === nameOf(shown)) continue;
      const message = `backend ${id} is shown the client certificate of Gateway ${shown.key}, which is older, for requests through this Gateway too: give both the same, or each a Service of its own`;
      const path = 'spec.tls.backend.clientCertificateRef';
      report.add(other.gateway, { severity: 'warning', code: 'client_certificate_conflict', path, message });
    }
  }
}

function nameOf({ clientCertificate }: GatewayState): string {
  return clientCertificate !== null && 'credential' in clientCertificate ? clientCertificate.credential : '';
}
