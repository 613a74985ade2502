// Who asks, as the address that he dials would know him: by what his certificate proves, or a proxy in front tells.

import { parseSpiffeId } from '../../policies/identity.ts';
import type { BindPlan, CredentialPlan } from '../../policies/plan.ts';
import { parseAuthority } from '../../routing/host.ts';
import type { Identity, Peer } from '../../routing/request.ts';
import { listenerFor } from '../tls/server-contexts.ts';
import { leadsHere } from './dialled.ts';
import type { ExplainRequest } from './explain.ts';
import type { ExplainedAnswer, ExplainedTls } from './report.ts';

export interface Client {
  readonly peer: Peer;
  /** null: in the clear. */
  readonly tls: ExplainedTls | null;
  /** Who it is known to be. */
  readonly words: string;
  /** Why no request can be sent; null: one can. */
  readonly refused: ExplainedAnswer | null;
}

/** What decides whose word counts. */
export interface Believed {
  readonly trustDomains: readonly string[];
  readonly credentials: ReadonlyMap<string, CredentialPlan>;
}

/** RFC 5737: an address of nobody. */
const NOBODY = '192.0.2.1';

/** `authority` is that of the URL. A string says what is wrong with the question. */
export function clientOf(
  asked: ExplainRequest,
  authority: string,
  bind: BindPlan,
  believed: Believed,
): Client | string {
  const { principal = null, address = null, namespace, serverName = sniOf(authority) } = asked;
  const told = principal === null ? null : parseSpiffeId(`spiffe://${principal}`);
  if (principal !== null && told === null) return `'${principal}' is no SPIFFE id, with or without its spiffe://`;
  const { identity, words, failure } = judged(told, bind, believed);
  const place = { localAddress: leadsHere(bind) ?? NOBODY, localPort: bind.port, port: 0 };
  const peer: Peer = {
    ...{ address: address ?? NOBODY, ...place, identity },
    namespace: namespace ?? identity?.namespace ?? null,
    serverName: bind.protocol === 'HTTPS' ? serverName : null,
  };
  if (bind.protocol !== 'HTTPS') return { peer, tls: null, words, refused: null };
  const listener = listenerFor(bind, serverName);
  const tls = { serverName, listener: listener?.id ?? null, certificates: listener?.certificates ?? [] };
  const nameless = `no listener of ${bind.id} has a certificate for ${serverName ?? 'a client that names no host'}`;
  const why = listener === null ? nameless : failure;
  const refused = why === null ? null : { status: 0, reason: 'tls_handshake', message: `${why}: the handshake fails` };
  return { peer, tls, words, refused };
}

/** RFC 6066 section 3: addresses are no server names. */
function sniOf(authority: string): string | null {
  const host = parseAuthority(authority)?.host ?? '';
  return host === '' || host.startsWith('[') || /^[0-9.]+$/.test(host) ? null : host;
}

interface Judged {
  readonly identity: Identity | null;
  readonly words: string;
  readonly failure: string | null;
}

function judged(told: Identity | null, { protocol, clientValidation }: BindPlan, believed: Believed): Judged {
  if (protocol === 'PROXY') {
    return { identity: told, words: told === null ? '' : `${told.uri}, as the proxy tells`, failure: null };
  }
  if (protocol === 'HTTP') {
    const words = told === null ? '' : `nobody knows: there is no TLS here that would prove ${told.uri}`;
    return { identity: null, words, failure: null };
  }
  if (clientValidation === null) {
    return { identity: null, words: 'nobody knows: certificates of clients are not asked for', failure: null };
  }
  const isOptional = clientValidation.mode === 'AllowInsecureFallback';
  if (told === null) {
    const words = isOptional
      ? 'nobody knows: it shows no certificate'
      : 'it shows a valid certificate without SPIFFE id';
    return { identity: null, words: `${words} (--principal says whose it is)`, failure: null };
  }
  const domains = clientValidation.authorities.map((id) => believed.credentials.get(id)?.trustDomain ?? null);
  const isVouched = domains.some((domain) =>
    domain === null ? believed.trustDomains.includes(told.trustDomain) : domain === told.trustDomain,
  );
  if (isVouched) return { identity: told, words: `${told.uri}, by its certificate`, failure: null };
  const why = `no CA that is believed here may vouch for ${told.uri} (is ${told.trustDomain} a trust domain of this waypoint?)`;
  return { identity: null, words: `nobody knows: ${why}`, failure: isOptional ? null : why };
}
