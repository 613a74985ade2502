// Whom a verified chain speaks for: looked at on every connection, a resumed one too, behind OpenSSL's own verdict.

import { isTrusted, parseSpiffeId } from '../../policies/identity.ts';
import type { BackendTlsPlan, CredentialPlan } from '../../policies/plan.ts';
import type { Identity } from '../../routing/request.ts';
import { type Certificate, readCertificate } from './certificate.ts';
import { namesServer } from './subject-names.ts';
import { leadsTo } from './trust-path.ts';

/** `refusal`: why the certificate counts for nothing, one word for logs and metrics; then there is no identity. */
export interface PeerVerdict {
  readonly identity: Identity | null;
  readonly refusal: string | null;
}

/** CAs and the trust domain they are bound to; null: to none. */
export type Authority = Pick<CredentialPlan, 'authorities' | 'trustDomain'>;

/** Extended key usages (RFC 5280 section 4.2.1.12). */
const ANY_PURPOSE = '551d2500';
const SERVER_AUTH = '2b06010505070301';
const CLIENT_AUTH = '2b06010505070302';

/** The identity of a certificate with exactly one URI SAN, which is a workload's SPIFFE id; null for any other. */
export function identityOf(der: Uint8Array): Identity | null {
  const certificate = readCertificate(der);
  return certificate === null ? null : identityIn(certificate);
}

/** One of the plan's names is in the certificate. What the subject's CN says is no name. */
export function certifiesServer(der: Uint8Array, plan: Pick<BackendTlsPlan, 'serverName' | 'names'>): boolean {
  const certificate = readCertificate(der);
  return certificate !== null && namesServer(certificate, plan);
}

/** What a set of CAs may vouch for. Made once per set; `chain` is leaf first, as the peer sent it and OpenSSL believed it. */
export class Trust {
  /**
   * A resumed session brings the peer's leaf and no intermediates: where CAs are bound to different trust domains nobody
   * could tell whose it was. There sessions must not be resumed.
   */
  readonly resumable: boolean;
  readonly #authorities: readonly Authority[];
  readonly #trustDomains: readonly string[];
  /** The one domain all are bound to. */
  readonly #bound: string | null;

  constructor(authorities: readonly Authority[], trustDomains: readonly string[]) {
    this.#authorities = authorities.filter((authority) => authority.authorities !== null);
    this.#trustDomains = trustDomains;
    const domains = new Set(this.#authorities.map(({ trustDomain }) => trustDomain));
    this.resumable = domains.size < 2;
    this.#bound = this.resumable ? ([...domains][0] ?? null) : null;
  }

  /**
   * A certificate without a SPIFFE id is valid and gives no identity; one that claims an id must be right about it.
   * CAs that are bound to no trust domain vouch for ids of our own and those that mean the same.
   */
  verifyClient(chain: readonly Uint8Array[], now: number): PeerVerdict {
    const certificate = readLeaf(chain);
    if (certificate === null) return refused('certificate_malformed');
    const fault = faultOf(certificate, CLIENT_AUTH, now);
    if (fault !== null) return refused(fault);
    const identity = identityIn(certificate);
    if (identity === null && certificate.uris.some(claimsSpiffe)) return refused('spiffe_id_invalid');
    // X509-SVID section 5.2: a leaf signs nothing.
    if (identity !== null && certificate.certifies) return refused('certificate_may_sign');
    const vouched = this.#vouches(chain, identity, now, (id) => isTrusted(id, this.#trustDomains));
    return vouched ? { identity, refusal: null } : refused('trust_domain_foreign');
  }

  /** Why this server is not the one that was meant; null: it is. */
  verifyServer(
    chain: readonly Uint8Array[],
    plan: Pick<BackendTlsPlan, 'serverName' | 'names'>,
    now: number,
  ): string | null {
    const certificate = readLeaf(chain);
    if (certificate === null) return 'certificate_malformed';
    const fault = faultOf(certificate, SERVER_AUTH, now);
    if (fault !== null) return fault;
    if (!namesServer(certificate, plan)) return 'certificate_of_another';
    return this.#vouches(chain, identityIn(certificate), now, () => true) ? null : 'trust_domain_foreign';
  }

  /** `free`: whether CAs that are bound to no trust domain may vouch for this identity. */
  #vouches(
    chain: readonly Uint8Array[],
    identity: Identity | null,
    now: number,
    free: (identity: Identity) => boolean,
  ): boolean {
    const may = (domain: string | null) =>
      domain === null ? identity === null || free(identity) : identity?.trustDomain === domain;
    if (this.resumable) return may(this.#bound);
    const eligible = this.#authorities.filter(({ trustDomain }) => may(trustDomain));
    return leadsTo(
      chain,
      eligible.map(({ authorities }) => authorities as string),
      now,
    );
  }
}

function readLeaf(chain: readonly Uint8Array[]): Certificate | null {
  const [leaf] = chain;
  return leaf === undefined ? null : readCertificate(leaf);
}

function faultOf({ notBefore, notAfter, purposes }: Certificate, purpose: string, now: number): string | null {
  if (now < notBefore) return 'certificate_not_yet_valid';
  // The last second is valid as a whole.
  if (now >= notAfter + 1000) return 'certificate_expired';
  const fits = purposes === null || purposes.includes(purpose) || purposes.includes(ANY_PURPOSE);
  return fits ? null : 'certificate_for_another_use';
}

function identityIn({ uris }: Certificate): Identity | null {
  const [uri] = uris;
  return uri !== undefined && uris.length === 1 ? parseSpiffeId(uri) : null;
}

function claimsSpiffe(uri: string): boolean {
  return /^\s*spiffe:/i.test(uri);
}

function refused(refusal: string): PeerVerdict {
  return { identity: null, refusal };
}
