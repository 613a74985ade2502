// What is probably not meant in a configuration that is valid: a table of contents.

import { reportAccess } from './findings/access.ts';
import { reportBackendTls } from './findings/backend-tls.ts';
import { reportCertificates } from './findings/certificates.ts';
import { reportEndpoints } from './findings/endpoints.ts';
import { reportHostnames } from './findings/hostnames.ts';
import { reportMatches } from './findings/matches.ts';
import { reportOutside } from './findings/outside.ts';
import { reportParents } from './findings/parents.ts';
import { reportPolicies } from './findings/policies.ts';
import { reportRateLimits } from './findings/rate-limits.ts';
import { FindingReport } from './findings/report.ts';
import { reportRetries } from './findings/retries.ts';
import { reportRoutes } from './findings/routes.ts';
import { reportTls } from './findings/tls.ts';
import type { Resources } from './resources.ts';
import type { Finding } from './store.ts';
import type { Translation } from './translate.ts';

/** Pure; linear in the number of matches. In the order of the files that were read. */
export function analyse(resources: Resources, translation: Translation): Finding[] {
  const { snapshot, statuses } = translation;
  const report = new FindingReport();
  reportParents(resources, statuses, report);
  reportRoutes(resources, translation, report);
  reportMatches(resources, snapshot, report);
  reportHostnames(resources, snapshot, report);
  reportEndpoints(resources, snapshot, report);
  reportPolicies(resources, translation, report);
  reportRateLimits(resources, report);
  reportRetries(resources, snapshot, report);
  reportAccess(resources, translation, report);
  reportTls(resources, report);
  reportCertificates(resources, translation, report);
  reportBackendTls(resources, translation, report);
  reportOutside(resources, translation, report);
  return report.sorted();
}
