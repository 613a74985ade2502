// TLS towards the endpoints of one backend: what is presented, who is believed, and which name an endpoint must prove.

import type { ConnectionOptions, SecureContext, TLSSocket } from 'node:tls';
import type { BackendTlsPlan, CredentialPlan } from '../../policies/plan.ts';
import { peerChain } from './peer-chain.ts';
import { Trust } from './verify.ts';

const PROTOCOLS = ['http/1.1'];
const SYSTEM = 'System';

/** What a connection leaves to the next one; the peer shows its chain in a full handshake only. */
interface Resumption {
  readonly session: Buffer;
  readonly chain: readonly Uint8Array[];
}

export class BackendTls {
  readonly plan: BackendTlsPlan;
  readonly #credentials: readonly (CredentialPlan | undefined)[];
  /** By endpoint. */
  readonly #sessions: WeakMap<object, Resumption> = new WeakMap();
  /** The chains of sockets that offered a session. */
  readonly #offered: WeakMap<TLSSocket, readonly Uint8Array[]> = new WeakMap();
  readonly #trust: Trust;
  #context: SecureContext | null = null;

  constructor(plan: BackendTlsPlan, credentials: ReadonlyMap<string, CredentialPlan>) {
    this.plan = plan;
    this.#credentials = named(plan, credentials);
    const authorities = this.#credentials.filter((one) => one !== undefined && plan.authorities.includes(one.id));
    // The CAs of the system are bound to no trust domain.
    const system = plan.authorities.includes(SYSTEM) ? [{ authorities: '', trustDomain: null }] : [];
    this.#trust = new Trust([...(authorities as readonly CredentialPlan[]), ...system], []);
  }

  /** Whether this is still what a backend asks for: else connections made with it are not used again. */
  holdsFor(plan: BackendTlsPlan, credentials: ReadonlyMap<string, CredentialPlan>): boolean {
    if (plan !== this.plan && JSON.stringify(plan) !== JSON.stringify(this.plan)) return false;
    const now = named(plan, credentials);
    return now.every((one, index) => one === this.#credentials[index]);
  }

  /**
   * Begins a connection and its handshake; the socket says 'secureConnect', and then `problem` tells whether it may be used.
   * @throws when what is configured makes no context: nothing is sent in cleartext instead.
   */
  connect(endpoint: object, options: ConnectionOptions): TLSSocket {
    if (this.plan.failure !== null) throw new Error(this.plan.failure.message);
    this.#context ??= this.#makeContext();
    const { serverName } = this.plan;
    const known = this.#sessions.get(endpoint);
    const socket = process.getBuiltinModule('node:tls').connect({
      ...options,
      ...(serverName === null || isAddress(serverName) ? {} : { servername: serverName }),
      ...(known === undefined ? {} : { session: known.session }),
      secureContext: this.#context,
      ALPNProtocols: options.ALPNProtocols ?? PROTOCOLS,
      // The verdict is asked for by `problem`, on resumed sessions too.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    if (known !== undefined) this.#offered.set(socket, known.chain);
    if (this.#trust.resumable) {
      socket.on('session', (session) => this.#sessions.set(endpoint, { session, chain: this.#chainOf(socket) }));
    }
    return socket;
  }

  #chainOf(socket: TLSSocket): readonly Uint8Array[] {
    return socket.isSessionReused() ? (this.#offered.get(socket) ?? []) : peerChain(socket);
  }

  /** Why the endpoint is not whom we want to speak to; '' when it is. */
  problem(socket: TLSSocket): string {
    if (socket.authorizationError) return `its certificate is not believed: ${String(socket.authorizationError)}`;
    const chain = this.#chainOf(socket);
    if (chain.length === 0) return 'it presented no certificate';
    const fault = this.#trust.verifyServer(chain, this.plan, Date.now());
    return fault === null ? '' : `${fault.replaceAll('_', ' ')} (wanted: ${this.#wanted})`;
  }

  get #wanted(): string {
    const { names, serverName } = this.plan;
    return names.length === 0 ? (serverName ?? 'no name') : names.map(({ value }) => value).join(' or ');
  }

  #makeContext(): SecureContext {
    const tls = process.getBuiltinModule('node:tls');
    const { authorities, certificate } = this.plan;
    const known = this.#credentials.filter((one) => one !== undefined);
    const trusted = known.filter(({ id }) => authorities.includes(id));
    const own = known.find(({ id }) => id === certificate);
    if (certificate !== null && (own?.certificate == null || own.key === null)) {
      throw new Error(`the client certificate ${certificate} is missing`);
    }
    const ca = trusted.flatMap((one) => one.authorities ?? []);
    if (authorities.includes(SYSTEM)) ca.push(...tls.getCACertificates('default'));
    return tls.createSecureContext({
      minVersion: 'TLSv1.2',
      ca,
      crl: trusted.flatMap((one) => one.revocations ?? []),
      ...(own === undefined ? {} : { cert: own.certificate as string, key: own.key as string }),
    });
  }
}

function named(
  { authorities, certificate }: BackendTlsPlan,
  credentials: ReadonlyMap<string, CredentialPlan>,
): readonly (CredentialPlan | undefined)[] {
  return [...authorities, ...(certificate === null ? [] : [certificate])].map((id) => credentials.get(id));
}

/** Never asked for by SNI (RFC 6066 section 3). */
function isAddress(name: string): boolean {
  return process.getBuiltinModule('node:net').isIP(name) !== 0;
}
