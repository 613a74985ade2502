// A TLS handshake on an accepted connection, in time or not at all; what comes out is a socket to read requests from,
// and a peer whose certificate was verified.

import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { BindPlan } from '../../policies/plan.ts';
import type { Identity } from '../../routing/request.ts';
import { Timer, type TimerTarget } from '../timers.ts';
import type { Worker } from '../worker-context.ts';
import { forwardedClientCert } from './forwarded-client-cert.ts';
import { peerChain } from './peer-chain.ts';
import { secureSocket } from './secure-socket.ts';
import { listenerFor, type ServerContexts } from './server-contexts.ts';

/** What the handshake found out. */
export interface Secured {
  readonly socket: TLSSocket;
  readonly serverName: string | null;
  readonly identity: Identity | null;
  /** Value of `x-forwarded-client-cert`; '' without a verified certificate. */
  readonly forwardedClientCert: string;
}

/** What is spoken inside; `h2` will stand before it. */
const PROTOCOLS = ['http/1.1'];

/** Why a handshake failed: a bounded set, for metrics. */
export type HandshakeFailure =
  | 'timeout'
  | 'handshake'
  | 'client_gone'
  | 'version'
  | 'no_listener'
  | 'certificate_missing'
  | 'certificate_untrusted'
  | Refusal;

/** Who waits for a handshake. */
export interface HandshakeOwner {
  secured(handshake: Handshake, outcome: Secured): void;
  handshakeFailed(handshake: Handshake, reason: HandshakeFailure): void;
}

export class Handshake implements TimerTarget {
  readonly raw: Socket;
  readonly bind: BindPlan;
  readonly socket: TLSSocket;
  readonly #worker: Worker;
  readonly #contexts: ServerContexts;
  readonly #owner: HandshakeOwner;
  readonly #timer: Timer = new Timer(this);
  #over = false;
  readonly #onError = (): void => this.#fail('handshake');
  readonly #onClose = (): void => this.#fail('client_gone');

  constructor(worker: Worker, raw: Socket, bind: BindPlan, contexts: ServerContexts, owner: HandshakeOwner) {
    this.#worker = worker;
    this.raw = raw;
    this.bind = bind;
    this.#owner = owner;
    this.#contexts = contexts;
    const { clientValidation } = bind;
    this.socket = secureSocket(raw, {
      isServer: true,
      secureContext: contexts.base,
      SNICallback: (name, done) => done(null, contexts.for(name.toLowerCase())),
      ALPNProtocols: PROTOCOLS,
      requestCert: clientValidation !== null,
      rejectUnauthorized: clientValidation?.mode === 'AllowValidOnly',
    });
    this.socket.once('secure', () => this.#secured());
    this.socket.on('error', this.#onError);
    this.socket.on('close', this.#onClose);
    // Whoever closes its side within a handshake will not finish it: probes of a port do, and are many.
    this.socket.on('end', this.#onClose);
    worker.timers.schedule(this.#timer, performance.now() + worker.limits.requestHeadTimeoutMs);
  }

  onTimer(): void {
    this.#fail('timeout');
  }

  /** Gives up, without a word. */
  abandon(): void {
    this.#end();
    this.socket.destroy();
    this.raw.destroy();
  }

  #secured(): void {
    const { socket, bind } = this;
    const serverName = typeof socket.servername === 'string' ? socket.servername.toLowerCase() : null;
    const listener = listenerFor(bind, serverName);
    if (listener === null) {
      this.#fail('no_listener');
      return;
    }
    // The version is agreed upon before the name is known.
    if (listener.minTlsVersion === '1.3' && socket.getProtocol() !== 'TLSv1.3') {
      this.#fail('version');
      return;
    }
    const { leaf, identity, refusal } = this.#client();
    if (refusal !== null && bind.clientValidation?.mode === 'AllowValidOnly') {
      this.#fail(refusal);
      return;
    }
    this.#end();
    const forwarded =
      leaf === null ? '' : forwardedClientCert(leaf, identity, socket.getX509Certificate()?.raw ?? null);
    this.#owner.secured(this, { socket, serverName, identity, forwardedClientCert: forwarded });
  }

  /** Resumed sessions are judged like new ones: time has passed since they were made. */
  #client(): ClientVerdict {
    if (this.bind.clientValidation === null) return NOBODY;
    const chain = peerChain(this.socket);
    if (chain.length === 0) return { ...NOBODY, refusal: 'certificate_missing' };
    if ((this.socket as unknown as Verifiable).ssl.verifyError() != null)
      return { ...NOBODY, refusal: 'certificate_untrusted' };
    const { identity, refusal } = this.#contexts.trust.verifyClient(chain, Date.now());
    return refusal === null ? { leaf: chain[0]!, identity, refusal } : { ...NOBODY, refusal: refusal as Refusal };
  }

  #fail(reason: HandshakeFailure): void {
    if (this.#over) return;
    this.abandon();
    this.#owner.handshakeFailed(this, reason);
  }

  #end(): void {
    this.#over = true;
    this.#worker.timers.cancel(this.#timer);
    this.socket.off('close', this.#onClose);
    this.socket.off('end', this.#onClose);
  }
}

/** What a certificate is found wanting in, see Trust.verifyClient. */
type Refusal =
  | 'certificate_malformed'
  | 'certificate_not_yet_valid'
  | 'certificate_expired'
  | 'certificate_for_another_use'
  | 'spiffe_id_invalid'
  | 'certificate_may_sign'
  | 'trust_domain_foreign';

interface ClientVerdict {
  /** DER of a certificate that counts; null: there is none. */
  readonly leaf: Uint8Array | null;
  readonly identity: Identity | null;
  readonly refusal: HandshakeFailure | null;
}

const NOBODY: ClientVerdict = { leaf: null, identity: null, refusal: null };

/** OpenSSL's own verdict on the chain, which only servers of Node's own making ask for. */
interface Verifiable {
  readonly ssl: { verifyError(): Error | null | undefined };
}
