// Certificates that work today: those that end soon, that bear another name, that are weak, or whose key lies open.

import type { BindPlan, ListenerPlan } from '../../policies/plan.ts';
import { hostMatches } from '../../routing/host.ts';
import { type Certificate, dateOf, outOfTime, parseCertificate } from '../credentials/certificate.ts';
import { type Content, contentOf } from '../credentials/content.ts';
import { holderOf } from '../credentials/lookup.ts';
import { isPrivateKey, pemBlocks } from '../credentials/pem.ts';
import type { AnyResource, Resources } from '../resources.ts';
import type { Translation } from '../translate.ts';
import type { FindingReport } from './report.ts';

const SOON_MS = 30 * 86_400_000;
const LEAST_RSA_BITS = 2048;

export function reportCertificates(resources: Resources, translation: Translation, report: FindingReport): void {
  const { snapshot, state } = translation;
  for (const map of resources.ConfigMap.values()) reportOpenKey(map, report);
  for (const id of snapshot.credentials.keys()) {
    const holder = holderOf(id, resources, state.environment);
    const place = holder !== undefined && 'kind' in holder ? holder : namedBy(id, translation);
    if (holder === undefined || place === undefined) continue;
    const scope = { id, place, now: state.environment.now, report };
    reportPair(contentOf(holder), scope);
    reportAuthorities(contentOf(holder), scope);
  }
  for (const bind of snapshot.binds.values()) {
    for (const listener of bind.listeners) reportName(listener, { resources, translation, report });
    reportLists(bind, { resources, translation, report });
  }
}

interface Scope {
  readonly id: string;
  /** What a finding is about: the Secret or ConfigMap, or a Gateway that names a credential of the process. */
  readonly place: AnyResource;
  readonly now: number;
  readonly report: FindingReport;
}

function namedBy(id: string, { state: { parties } }: Translation): AnyResource | undefined {
  for (const [key, { reads }] of parties.needs) if (reads.has(id)) return parties.gateways.get(key)?.gateway;
  return undefined;
}

function warn({ id, place, report }: Scope, code: string, path: string, message: string): void {
  report.add(place, {
    severity: 'warning',
    code,
    path: place.kind === 'Gateway' ? 'spec' : path,
    message: `${id} ${message}`,
  });
}

function reportPair({ plan, pair: { certificates } }: Content, scope: Scope): void {
  const [leaf, ...issuers] = certificates;
  if (leaf === undefined) return;
  const path = 'data["tls.crt"]';
  if (leaf.validTo - scope.now < SOON_MS) {
    const message = `has a certificate that expires at ${dateOf(leaf.validTo)}, and is not served from then on: renew it`;
    warn(scope, 'certificate_expires_soon', path, message);
  }
  const dead = issuers.find((issuer) => outOfTime(issuer, scope.now) !== null);
  if (dead !== undefined) {
    const message = `sends along the certificate of ${dead.subject}, which ${outOfTime(dead, scope.now)}, or leave it out`;
    warn(scope, 'certificate_chain', path, message);
  }
  const parsed = pemBlocks(plan.certificate ?? '').map(({ text }) => parseCertificate(text));
  const gap = parsed.findIndex((each, index) => index + 1 < parsed.length && !each.checkIssued(parsed[index + 1]!));
  if (gap !== -1) {
    const message = `has a chain in which certificate ${gap + 2} did not issue certificate ${gap + 1}: put each issuer behind what it issued`;
    warn(scope, 'certificate_chain', path, message);
  }
  const weak = certificates.map(weakness).find((words) => words !== null);
  if (weak !== undefined) warn(scope, 'weak_certificate', path, `${weak}: clients may refuse it`);
}

function reportAuthorities({ authorities: { certificates } }: Content, scope: Scope): void {
  const alive = certificates.filter((each) => outOfTime(each, scope.now) === null);
  const path = 'data["ca.crt"]';
  const lastEnd = Math.max(...alive.map(({ validTo }) => validTo));
  if (alive.length > 0 && lastEnd - scope.now < SOON_MS) {
    const message = `has no CA certificate that outlasts ${dateOf(lastEnd)}: add its successor in time`;
    warn(scope, 'authority_expires_soon', path, message);
  }
  const leaf = certificates.find(({ isAuthority }) => !isAuthority);
  if (leaf !== undefined) {
    const message = `lists ${leaf.subject} among its CAs, whose certificate may not sign others: name its issuer`;
    warn(scope, 'not_an_authority', path, message);
  }
  const weak = certificates.find(({ rsaBits }) => rsaBits !== null && rsaBits < LEAST_RSA_BITS);
  if (weak !== undefined) {
    warn(
      scope,
      'weak_certificate',
      path,
      `believes ${weak.subject}, whose RSA key has ${weak.rsaBits} bits: replace it`,
    );
  }
}

function weakness({ subject, rsaBits, signature, isAuthority }: Certificate): string | null {
  if (rsaBits !== null && rsaBits < LEAST_RSA_BITS) return `has an RSA key of ${rsaBits} bits for ${subject}`;
  // How an authority signed itself does not matter.
  return !isAuthority && /sha1|md5/i.test(signature)
    ? `has a certificate for ${subject} signed with ${signature}`
    : null;
}

interface NameScope {
  readonly resources: Resources;
  readonly translation: Translation;
  readonly report: FindingReport;
}

function reportName(listener: ListenerPlan, { resources, translation, report }: NameScope): void {
  const { hostname, certificates, gateway, name } = listener;
  const owner = resources.Gateway.get(gateway);
  if (hostname === null || certificates.length === 0 || owner === undefined) return;
  const holders = certificates.map((id) => holderOf(id, resources, translation.state.environment));
  const names = holders.flatMap((holder) => (holder && contentOf(holder).pair.certificates[0]?.hostnames) ?? []);
  if (names.some((each) => covers(each, hostname))) return;
  const has = names.length === 0 ? 'names no host' : `is for ${names.join(', ')}`;
  const index = owner.spec.listeners.findIndex((spec) => spec.name === name);
  report.add(owner, {
    severity: 'warning',
    code: 'certificate_hostname',
    path: `spec.listeners[${index}].tls.certificateRefs`,
    message: `no certificate covers ${hostname}, so that clients refuse it: ${certificates.join(', ')} ${has}`,
  });
}

/** As soon as there is a revocation list of one CA, OpenSSL asks for one of every CA on the way to the root. */
function reportLists(bind: BindPlan, { resources, translation, report }: NameScope): void {
  const { clientValidation, gateway, port } = bind;
  const owner = resources.Gateway.get(gateway);
  const { credentials } = translation.snapshot;
  const plans = (clientValidation?.authorities ?? [])
    .map((id) => credentials.get(id))
    .filter((plan) => plan !== undefined);
  const bare = plans.filter(({ revocations }) => revocations === null).map(({ id }) => id);
  if (owner === undefined || bare.length === 0 || bare.length === plans.length) return;
  const message = `on port ${port} some CAs have a revocation list, so that clients of those without one are refused: add ca.crl to ${bare.join(', ')}, if need be an empty list`;
  report.add(owner, { severity: 'warning', code: 'revocation_list_missing', path: 'spec.tls.frontend', message });
}

/** RFC 9525 section 6.3: a wildcard stands for one label. A listener of `*.x` wants a certificate for `*.x`. */
function covers(name: string, hostname: string): boolean {
  if (name === hostname) return true;
  const oneLabel = name.split('.').length === hostname.split('.').length;
  return name.startsWith('*.') && !hostname.startsWith('*.') && oneLabel && hostMatches(name, hostname);
}

function reportOpenKey(map: AnyResource & { readonly kind: 'ConfigMap' }, report: FindingReport): void {
  for (const [key, value] of Object.entries(map.spec.data)) {
    if (!value.includes('PRIVATE KEY-----') || !pemBlocks(value).some(isPrivateKey)) continue;
    report.add(map, {
      severity: 'warning',
      code: 'private_key_in_config_map',
      path: `data[${JSON.stringify(key)}]`,
      message:
        'holds a private key, which everybody may read who may read ConfigMaps: move it to a Secret, and renew it',
    });
  }
}
