// The heads of messages as matching and policies see them; codecs implement these, nothing here knows bytes.

/**
 * Header fields of one message: ordered, repeated names kept. Every `name` argument is lower-case; names in the
 * message match in any case. Values carry no surrounding white space (RFC 9110 section 5.5).
 */
export interface Fields {
  has(name: string): boolean;
  /** All values of the name joined by `,` without a space, in order; undefined when absent (an empty value is ''). */
  get(name: string): string | undefined;
  /** Each value on its own, in order; the shared empty array when absent. */
  values(name: string): readonly string[];
  /** One field of this name with this value, in place of all that were there. */
  set(name: string, value: string): void;
  /** One more field line behind those that are there. */
  append(name: string, value: string): void;
  remove(name: string): void;
  /** Removes also the spellings that frameworks read as this name: `X_User` and `x.user` for `x-user`. */
  removeAlike(name: string): void;
  /** Every field in order, names as they were sent: for logs, explain and tests, not for the hot path. */
  entries(): readonly (readonly [name: string, value: string])[];
}

export interface RequestHead {
  /** As sent, case-sensitive (RFC 9110 section 9.1). */
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** The authority as sent: `Host`, or the authority of an absolute-form target. '' only from HTTP/1.0. */
  readonly authority: string;
  /** The authority's host for comparison: lower-case, without port and without one trailing dot. */
  readonly host: string;
  /** The authority's port, 0 when it names none. */
  readonly port: number;
  /** The path, normalised once: what is matched, authorized, logged and (unless rewritten) forwarded. Starts with '/', or is '*'. */
  readonly path: string;
  /** What follows the first '?', '' when nothing does; as sent. */
  readonly query: string;
  readonly fields: Fields;
  /** Set by a rewrite: the path that is forwarded instead of `path` (no query). */
  forwardPath: string | null;
  /** Set where a token is taken out of it: the query that is forwarded instead of `query`; '' for none at all. */
  forwardQuery: string | null;
  /** Set by a rewrite: the authority that is forwarded instead of `authority`. */
  forwardAuthority: string | null;
}

export interface ResponseHead {
  readonly status: number;
  readonly fields: Fields;
}

/** Whom a verified certificate, or a trusted proxy in front of us, says the peer is: one SPIFFE id. */
export interface Identity {
  /** `spiffe://<trust domain>/...`, as verified. */
  readonly uri: string;
  /** Lower-case. */
  readonly trustDomain: string;
  /** Of a path `/ns/<namespace>/sa/<service account>`; null where the id has another path. */
  readonly namespace: string | null;
  readonly serviceAccount: string | null;
}

/** Who is at the other end of a downstream connection. */
export interface Peer {
  /** Of the connection, or as told by PROXY protocol from a trusted source. */
  readonly address: string;
  readonly port: number;
  /** The namespace the peer is known to live in, null when nothing proves one. */
  readonly namespace: string | null;
  /** null: nothing proves one. */
  readonly identity: Identity | null;
  /** The name asked for in the TLS handshake, lower-case; null without TLS or without one. */
  readonly serverName: string | null;
  /** Whereto the client connected: the local end, or as told by PROXY protocol. */
  readonly localAddress: string;
  readonly localPort: number;
}
