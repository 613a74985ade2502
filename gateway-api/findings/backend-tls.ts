// BackendTLSPolicies that attach to nothing, lose, believe nobody or half of whom they name, or name an address.

import { isIP } from 'node:net';
import { tlsClaimKey, tlsTargetOf } from '../backend-tls/policies.ts';
import type { Condition, PolicyStatus } from '../conditions.ts';
import type { BackendTLSPolicy, PolicyTargetReference, Resources } from '../resources.ts';
import type { Translation } from '../translate.ts';
import { codeOf } from './codes.ts';
import type { FindingReport } from './report.ts';

export function reportBackendTls(resources: Resources, translation: Translation, report: FindingReport): void {
  for (const [key, policy] of resources.BackendTLSPolicy) {
    const scope = { policy, resources, translation, report };
    const { hostname } = policy.spec.validation;
    if (isIP(hostname) !== 0) {
      const message = `${hostname} is an IP address, which no SNI can carry and few certificates bear: use a DNS name`;
      report.add(policy, {
        severity: 'warning',
        code: 'hostname_is_address',
        path: 'spec.validation.hostname',
        message,
      });
    }
    const isAttached = policy.spec.targetRefs.filter((ref, index) => isTarget(ref, index, scope)).length > 0;
    const status = translation.statuses.get(`BackendTLSPolicy/${key}`) as PolicyStatus | undefined;
    if (status !== undefined) for (const condition of conditionsOf(status)) reportCondition(policy, condition, report);
    else if (isAttached) reportIdle(scope);
  }
}

interface Scope {
  readonly policy: BackendTLSPolicy;
  readonly resources: Resources;
  readonly translation: Translation;
  readonly report: FindingReport;
}

/** What is wrong with a target is said here: where nothing is reached no status says it. */
function isTarget(
  ref: PolicyTargetReference,
  index: number,
  { policy, resources, translation, report }: Scope,
): boolean {
  const path = `spec.targetRefs[${index}]`;
  const add = (code: string, message: string): boolean => {
    report.add(policy, { severity: 'error', code, path, message });
    return false;
  };
  const service = tlsTargetOf(ref, policy);
  if (service === null) return add('unsupported_kind', `${ref.kind} ${ref.name} is no kind of target: name a Service`);
  const { claims } = translation.state.destinations.backendTls.targets.get(service)!;
  const { accepted } = claims.get(tlsClaimKey(policy, ref.sectionName ?? ''))!;
  if (accepted.reason !== 'TargetNotFound') return true;
  const other = [...resources.Service.keys()].find((key) => key.endsWith(`/${ref.name}`) && key !== service);
  const isHere = resources.Service.has(service);
  const hint =
    isHere || other === undefined ? '' : `; there is ${other}, but a policy never reaches beyond its namespace`;
  return add(codeOf(accepted.reason), `${accepted.message}${hint}`);
}

/** Each once, whatever the number of Gateways. */
function conditionsOf({ ancestors }: PolicyStatus): Iterable<Condition> {
  const all = ancestors.flatMap(({ conditions }) => conditions);
  return new Map(all.map((condition) => [`${condition.type} ${condition.message}`, condition])).values();
}

function reportCondition(
  policy: BackendTLSPolicy,
  { type, status, reason, message }: Condition,
  report: FindingReport,
): void {
  if (status === 'True' || reason === 'TargetNotFound') return;
  if (type === 'Accepted') {
    const severity = reason === 'Conflicted' ? 'warning' : 'error';
    report.add(policy, { severity, code: codeOf(reason), path: 'spec', message });
  } else if (reason !== 'NoValidCACertificate') {
    const path = 'spec.validation.caCertificateRefs';
    report.add(policy, { severity: 'error', code: codeOf(reason), path, message });
  }
}

function reportIdle({ policy, report }: Scope): void {
  const names = policy.spec.targetRefs.map(({ name }) => `Service ${policy.metadata.namespace}/${name}`).join(', ');
  const message = `has no effect: no request reaches ${names} through a waypoint here; enrol or route it`;
  report.add(policy, { severity: 'warning', code: 'policy_never_applies', path: 'spec', message });
}
