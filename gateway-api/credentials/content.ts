// What a Secret, a ConfigMap or a credential of this process holds, read once for as long as it stays the same object.

import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import type { CredentialPlan } from '../../policies/plan.ts';
import type { ConfigMap, Secret } from '../resources.ts';
import { type Certificate, describeCertificate, parseCertificate } from './certificate.ts';
import { isCertificate, isPrivateKey, pemBlocks } from './pem.ts';

export interface Content {
  /** Without the parts that are broken. */
  readonly plan: CredentialPlan;
  readonly pair: Part;
  readonly authorities: Part;
}

export interface Part {
  /** In words that follow the name of the object; null: it is sound, whatever the date. */
  readonly problem: string | null;
  /** Leaf first; empty where there is a problem. */
  readonly certificates: readonly Certificate[];
}

export type Holder = Secret | ConfigMap | CredentialPlan;

/** What OpenSSL's security level 2 asks of the keys of a server. */
const LEAST_RSA_BITS = 2048;

const known = new WeakMap<Holder, Content>();

export function contentOf(holder: Holder): Content {
  let content = known.get(holder);
  if (content === undefined) {
    content = 'kind' in holder ? read(textsOf(holder)) : read(holder);
    known.set(holder, content);
  }
  return content;
}

/** As Kubernetes names the keys: tls.crt and tls.key; ca.crt and, ours, ca.crl. */
function textsOf({ kind, metadata, spec: { data } }: Secret | ConfigMap): CredentialPlan {
  return {
    id: `${kind} ${metadata.namespace}/${metadata.name}`,
    // Kubernetes has a kind for keys.
    certificate: (kind === 'Secret' ? data['tls.crt'] : undefined) ?? null,
    key: (kind === 'Secret' ? data['tls.key'] : undefined) ?? null,
    authorities: data['ca.crt'] ?? null,
    revocations: data['ca.crl'] ?? null,
    trustDomain: null,
  };
}

interface Reading extends Part {
  readonly texts: Partial<CredentialPlan>;
}

function read(texts: CredentialPlan): Content {
  const pair = readPair(texts);
  const authorities = readAuthorities(texts);
  const parts = { certificate: null, key: null, authorities: null, revocations: null, ...pair.texts };
  const plan = { id: texts.id, ...parts, ...authorities.texts, trustDomain: texts.trustDomain };
  return { plan, pair: partOf(pair), authorities: partOf(authorities) };
}

function partOf({ problem, certificates }: Reading): Part {
  return { problem, certificates };
}

function broken(problem: string): Reading {
  return { problem, certificates: [], texts: {} };
}

function readPair({ certificate, key }: CredentialPlan): Reading {
  const chain = readCertificates('tls.crt', certificate);
  if (typeof chain === 'string') return broken(chain);
  const secret = readKey(key);
  if (typeof secret === 'string') return broken(secret);
  if (!chain.parsed[0]!.checkPrivateKey(secret.key)) {
    const isElsewhere = chain.parsed.some((each) => each.checkPrivateKey(secret.key));
    return broken(
      isElsewhere
        ? 'has another certificate than that of tls.key first in tls.crt: put the leaf first, its issuers behind it'
        : 'has a tls.key that is not the key of the certificate in tls.crt: store the two that belong together',
    );
  }
  const texts = { certificate: chain.text, key: secret.text };
  const bits = secret.key.asymmetricKeyDetails?.modulusLength ?? LEAST_RSA_BITS;
  if (bits < LEAST_RSA_BITS) {
    return broken(`has an RSA key of ${bits} bits: renew it with one of ${LEAST_RSA_BITS} or more, or of P-256`);
  }
  const refusal = tryOut({ cert: texts.certificate, key: texts.key });
  if (refusal !== null) return broken(`cannot be presented: ${refusal}`);
  return { problem: null, certificates: chain.parsed.map(describeCertificate), texts };
}

function readAuthorities({ authorities, revocations }: CredentialPlan): Reading {
  const bundle = readCertificates('ca.crt', authorities);
  if (typeof bundle === 'string') return broken(bundle);
  const refusal = tryOut({ ca: bundle.text });
  if (refusal !== null) return broken(`has a ca.crt that cannot be used: ${refusal}`);
  const lists = revocations === null ? null : readRevocations(revocations);
  if (lists?.problem !== undefined) return broken(lists.problem);
  const texts = { authorities: bundle.text, revocations: lists?.text ?? null };
  return { problem: null, certificates: bundle.parsed.map(describeCertificate), texts };
}

/** All certificates of a text, or what is wrong with one. */
function readCertificates(name: string, text: string | null): { parsed: X509Certificate[]; text: string } | string {
  if (text === null) return `has no ${name}: add it`;
  const blocks = pemBlocks(text).filter(isCertificate);
  if (blocks.length === 0) return `has no PEM certificate in ${name}: store one there, from BEGIN to END CERTIFICATE`;
  const parsed: X509Certificate[] = [];
  for (const [index, block] of blocks.entries()) {
    try {
      parsed.push(parseCertificate(block.text));
    } catch (error) {
      const which = blocks.length === 1 ? 'a certificate' : `certificate ${index + 1} of ${blocks.length}`;
      return `has ${which} in ${name} that cannot be read (${reasonOf(error)}): store it anew`;
    }
  }
  return { parsed, text: blocks.map((block) => block.text).join('') };
}

function readKey(text: string | null): { key: KeyObject; text: string } | string {
  if (text === null) return 'has no tls.key: add it';
  const block = pemBlocks(text).find(isPrivateKey);
  if (block === undefined) return 'has no PEM private key in tls.key: store one there, from BEGIN to END PRIVATE KEY';
  if (block.label.startsWith('ENCRYPTED') || block.text.includes('ENCRYPTED')) {
    return 'has an encrypted tls.key: store it without a passphrase';
  }
  try {
    return { key: createPrivateKey(block.text), text: block.text };
  } catch (error) {
    return `has a tls.key that cannot be read (${reasonOf(error)}): store it anew`;
  }
}

function readRevocations(text: string): { text: string; problem?: string } {
  const blocks = pemBlocks(text).filter(({ label }) => label === 'X509 CRL');
  if (blocks.length === 0)
    return { text: '', problem: 'has no PEM revocation list in ca.crl: store one, or remove it' };
  const isBroken = blocks.some((block) => tryOut({ crl: block.text }) !== null);
  if (isBroken) return { text: '', problem: 'has a revocation list in ca.crl that cannot be read: store it anew' };
  return { text: blocks.map((block) => block.text).join('') };
}

/** What OpenSSL has against these; null: it takes them. Workers are then never surprised. */
function tryOut(options: { cert?: string; key?: string; ca?: string; crl?: string }): string | null {
  try {
    process.getBuiltinModule('node:tls').createSecureContext(options);
    return null;
  } catch (error) {
    return reasonOf(error);
  }
}

/** OpenSSL's own words, without the number and the library in front of them. Never a part of what was read. */
function reasonOf(error: unknown): string {
  return (error as Error).message.replace(/^error:[0-9A-F]+:/, '').replace(/^.*::/, '');
}
