// Certificates in golden cases: ordered in comments, made when the case runs, named where the PEM belongs.
//
//   # authority root: {}
//   # authority between: {issuer: root}
//   # certificate shop: {issuer: root, names: [DNS:shop.example], notAfter: 2029-12-31}
//   stringData: {tls.crt: "{{chain shop}}", tls.key: "{{key shop}}", ca.crt: "{{certificate root}}", ca.crl: "{{crl root}}"}

import { parse } from 'yaml';
import type { CredentialPlan } from '../../policies/plan.ts';
import { type Authority, authority, type CertificateOptions, type Issued } from '../harness/certificates.ts';

/** The moment at which all cases are translated. */
export const NOW: number = Date.UTC(2030, 0, 1);

type Order = Omit<CertificateOptions, 'notBefore' | 'notAfter'> & {
  readonly issuer?: string;
  readonly notBefore?: string;
  readonly notAfter?: string;
};

export class GoldenCertificates {
  readonly #authorities = new Map<string, Authority>();
  readonly #leaves = new Map<string, Issued>();

  constructor(text: string) {
    for (const [, kind, name, options] of text.matchAll(/^# (authority|certificate) (\S+): (.*)$/gm)) {
      this.#make(kind as 'authority' | 'certificate', name!, parse(options!) as Order);
    }
  }

  /** The case with PEM in place of `{{chain shop}}`, as it stands in a quoted string. */
  fill(text: string): string {
    return text.replace(/\{\{(chain|certificate|key|crl) (\S+)\}\}/g, (_, what: string, name: string) =>
      JSON.stringify(this.#text(what, name)).slice(1, -1),
    );
  }

  /** `{"Credential spiffe": {pair: shop, authorities: root}}` */
  credentials(orders: Readonly<Record<string, { pair?: string; authorities?: string }>>): Map<string, CredentialPlan> {
    const plans = Object.entries(orders).map(([id, { pair, authorities }]) => ({
      id,
      certificate: pair === undefined ? null : this.#text('chain', pair),
      key: pair === undefined ? null : this.#text('key', pair),
      authorities: authorities === undefined ? null : this.#text('certificate', authorities),
      revocations: null,
      trustDomain: null,
    }));
    return new Map(plans.map((plan) => [plan.id, plan]));
  }

  #make(kind: 'authority' | 'certificate', name: string, { issuer, notBefore, notAfter, ...order }: Order): void {
    const options = {
      subject: name,
      ...order,
      notBefore: Date.parse(notBefore ?? '2029-01-01'),
      notAfter: Date.parse(notAfter ?? '2031-01-01'),
    };
    const signer = issuer === undefined ? null : this.#authorities.get(issuer)!;
    if (kind === 'certificate') this.#leaves.set(name, (signer ?? authority()).issue(options));
    else this.#authorities.set(name, signer === null ? authority(options) : signer.intermediate(options));
  }

  #text(what: string, name: string): string {
    const signer = this.#authorities.get(name);
    if (what === 'crl') return signer!.revoke([...this.#leaves.values()], NOW);
    return (signer ?? this.#leaves.get(name)!)[what as 'chain' | 'certificate' | 'key'];
  }
}
