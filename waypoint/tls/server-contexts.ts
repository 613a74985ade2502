// What one listening address presents in TLS handshakes: a secure context per choice of certificates, made once and
// anew only when something that it is made of changes.

import type { SecureContext, SecureContextOptions } from 'node:tls';
import type { BindPlan, CredentialPlan, ListenerPlan } from '../../policies/plan.ts';
import { hostMatches } from '../../routing/host.ts';
import type { LiveSnapshot } from '../live-snapshot.ts';
import type { Worker } from '../worker-context.ts';
import { certifiesServer, Trust } from './verify.ts';

/** Tickets are sealed with other keys from time to time, even if nothing changes. */
const MAX_AGE_MS = 12 * 3_600_000;

export class ServerContexts {
  /** Begins every handshake; what the client asks for by SNI replaces its certificates. */
  readonly base: SecureContext;
  /** Whom clients are believed by. */
  readonly trust: Trust;
  readonly #bind: BindPlan;
  readonly #credentials: readonly (CredentialPlan | undefined)[];
  readonly #trust: SecureContextOptions;
  readonly #byCertificate: Map<string, SecureContext> = new Map();
  /** What `base` presents. */
  readonly #ofBase: readonly CredentialPlan[];
  readonly #madeAt: number;
  readonly #leaves: WeakMap<CredentialPlan, Leaf> = new WeakMap();

  constructor(bind: BindPlan, { snapshot, tlsSecret, trustDomains }: Worker) {
    this.#bind = bind;
    this.#credentials = credentialsOf(bind, snapshot);
    this.#madeAt = Date.now();
    const trusted = new Set(bind.clientValidation?.authorities ?? []);
    const authorities = this.#credentials.filter((one) => one !== undefined && trusted.has(one.id));
    const { constants } = process.getBuiltinModule('node:crypto');
    this.trust = new Trust(authorities as readonly CredentialPlan[], trustDomains);
    this.#trust = {
      minVersion: bind.listeners.every(({ minTlsVersion }) => minTlsVersion === '1.3') ? 'TLSv1.3' : 'TLSv1.2',
      // Never the CAs of the system: who may vouch for clients is written in the Gateway.
      ca: authorities.flatMap((one) => one?.authorities ?? []),
      ...(this.trust.resumable ? {} : { secureOptions: constants.SSL_OP_NO_TICKET }),
      crl: authorities.flatMap((one) => one?.revocations ?? []),
    };
    const { sealing, session } = ticketKeys(
      this.#credentials,
      bind,
      `${tlsSecret} ${Math.floor(Date.now() / MAX_AGE_MS)}`,
    );
    // Tickets are opened with the keys of the context that began the handshake.
    const tickets = { ticketKeys: sealing, sessionIdContext: session };
    this.#ofBase = this.#presentable(null);
    this.base = this.#make(this.#ofBase, tickets);
  }

  /** Whether these still stand for `bind`; else they are made anew. */
  holdFor(bind: BindPlan, snapshot: LiveSnapshot): boolean {
    if (Date.now() - this.#madeAt > MAX_AGE_MS) return false;
    if (bind !== this.#bind && !sameTls(bind, this.#bind)) return false;
    const now = credentialsOf(bind, snapshot);
    return now.length === this.#credentials.length && now.every((one, index) => one === this.#credentials[index]);
  }

  /**
   * The context for a name; undefined: `base` is right. Without a listener for the name it is one without any
   * certificate, with which every handshake fails. Node takes one certificate over from it, the last: what is listed
   * first for the name is presented, whatever type of key the client would rather have.
   */
  for(serverName: string): SecureContext | undefined {
    const certificates = this.#presentable(serverName);
    if (certificates.length > 0 && sameItems(certificates, this.#ofBase)) return undefined;
    const [first] = certificates;
    const key = first?.id ?? '';
    let context = this.#byCertificate.get(key);
    if (context === undefined) {
      context = this.#make(first === undefined ? [] : [first], {});
      this.#byCertificate.set(key, context);
    }
    return context;
  }

  /** Of each type of key one: a context holds no more, clients choose among types. Of one type the first listed. */
  #presentable(serverName: string | null): readonly CredentialPlan[] {
    const types = new Set<string>();
    return this.#certificatesFor(serverName).filter((one) => {
      const { keyType } = this.#leafOf(one);
      return !types.has(keyType) && types.add(keyType);
    });
  }

  /** Of the listener that has this name, those that certify it; all of them where none does. */
  #certificatesFor(serverName: string | null): readonly CredentialPlan[] {
    const listener = listenerFor(this.#bind, serverName);
    if (listener === null) return [];
    const known = this.#credentials.filter(
      (one) => one !== undefined && one.certificate !== null && listener.certificates.includes(one.id),
    ) as readonly CredentialPlan[];
    if (serverName === null || known.length < 2) return known;
    const fitting = known.filter((one) => certifiesServer(this.#leafOf(one).der, { serverName, names: [] }));
    return fitting.length === 0 ? known : fitting;
  }

  #leafOf(credential: CredentialPlan): Leaf {
    let leaf = this.#leaves.get(credential);
    if (leaf === undefined) {
      const { X509Certificate } = process.getBuiltinModule('node:crypto');
      const { raw, publicKey } = new X509Certificate(credential.certificate as string);
      leaf = { der: raw, keyType: publicKey.asymmetricKeyType ?? '' };
      this.#leaves.set(credential, leaf);
    }
    return leaf;
  }

  #make(certificates: readonly CredentialPlan[], tickets: SecureContextOptions): SecureContext {
    const own = {
      cert: certificates.map(({ certificate }) => certificate as string),
      key: certificates.map(({ key }) => key as string),
    };
    return process
      .getBuiltinModule('node:tls')
      .createSecureContext({ ...this.#trust, ...tickets, ...(certificates.length === 0 ? {} : own) });
  }
}

function sameItems(a: readonly CredentialPlan[], b: readonly CredentialPlan[]): boolean {
  return a.length === b.length && a.every((one, index) => one === b[index]);
}

interface Leaf {
  readonly der: Uint8Array;
  /** `ec`, `rsa`. */
  readonly keyType: string;
}

/** The listener whose hostname has this name, most specific first; without a name one that asks for none. */
export function listenerFor(bind: BindPlan, serverName: string | null): ListenerPlan | null {
  for (const listener of bind.listeners) {
    if (listener.hostname === null || (serverName !== null && hostMatches(listener.hostname, serverName))) {
      return listener;
    }
  }
  return null;
}

function credentialsOf(bind: BindPlan, { credentials }: LiveSnapshot): readonly (CredentialPlan | undefined)[] {
  const ids = [...bind.listeners.flatMap((each) => each.certificates), ...(bind.clientValidation?.authorities ?? [])];
  return ids.map((id) => credentials.get(id));
}

/** Equal in all that handshakes look at. */
function sameTls(a: BindPlan, b: BindPlan): boolean {
  return facts(a) === facts(b);
}

function facts({ listeners, clientValidation }: BindPlan): string {
  const each = listeners.map(({ id, hostname, certificates, minTlsVersion }) => [
    ...[id, hostname, minTlsVersion],
    ...certificates,
  ]);
  return JSON.stringify([each, clientValidation?.mode, clientValidation?.authorities]);
}

interface TicketKeys {
  /** 48 bytes: name, AES and HMAC keys. */
  readonly sealing: Buffer;
  readonly session: string;
}

/**
 * Made from what vouches for both sides: when a CA, a revocation list, a certificate or the rule of validation changes,
 * sessions from before can not be resumed and every client is validated again. The same in all workers.
 */
function ticketKeys(credentials: readonly (CredentialPlan | undefined)[], bind: BindPlan, secret: string): TicketKeys {
  const { createHmac } = process.getBuiltinModule('node:crypto');
  const content = credentials.map((one) => [one?.id, one?.certificate, one?.authorities, one?.revocations]);
  const seal = (use: string): Buffer =>
    createHmac('sha384', secret)
      .update(JSON.stringify([use, facts(bind), content]))
      .digest();
  return { sealing: seal('tickets'), session: seal('sessions').toString('base64url').slice(0, 32) };
}
