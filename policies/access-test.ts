// The conditions of an AuthorizationPolicy compiled: each looks at one attribute of a request.

import type { AccessContext, AccessTest, AuthorizationAction } from './authorization.ts';
import { HeaderTest } from './header-test.ts';
import { HostTest, PathTest } from './operation-test.ts';
import { IpTest, NamespaceTest, PortTest, ServiceAccountTest } from './source-test.ts';
import { StringMatch } from './string-match.ts';
import { ClaimTest, TokenPrincipalTest } from './token-test.ts';
import { domainAliases, principalAliases } from './trust-domains.ts';

/** `path`: the view of the path that is decided about, without query. */
export interface AccessCondition {
  holds(context: AccessContext, path: string): boolean;
}

/**
 * What becomes of a condition that cannot be told (an address that is none, a header that is no text, a claim of another
 * type). It is held against the request: it makes no ALLOW match, and keeps nothing else from matching.
 */
export type WhenUnknown = 'holds' | 'fails';

export interface CompileScope {
  readonly action: AuthorizationAction;
  /** Our own, and those that mean the same. */
  readonly trustDomains: readonly string[];
}

export function compileTest(test: AccessTest, { action, trustDomains }: CompileScope): AccessCondition {
  const unknown: WhenUnknown = action === 'ALLOW' ? 'fails' : 'holds';
  switch (test.attribute) {
    case 'host':
      return new HostTest(test);
    case 'path':
      return new PathTest(test);
    case 'destination.port':
      return new PortTest(test);
    case 'source.namespace':
      return new NamespaceTest(test);
    case 'source.serviceAccount':
      return new ServiceAccountTest(test);
    case 'source.ip':
    case 'remote.ip':
    case 'destination.ip':
      return new IpTest(test, test.attribute, unknown);
    case 'request.headers':
      return new HeaderTest(test, unknown);
    case 'request.auth.principal':
      return new TokenPrincipalTest(test);
    case 'request.auth.audiences':
    case 'request.auth.claims':
      return new ClaimTest(test, unknown);
    case 'source.principal':
      return new TextTest(test, principalOf, (value) => principalAliases(value, trustDomains).map(asUri));
    case 'source.trustDomain':
      return new TextTest(test, trustDomainOf, (value) => domainAliases(value, trustDomains));
    case 'connection.sni':
      return new TextTest(test, serverNameOf, (value) => [value.toLowerCase()]);
    case 'request.auth.presenter':
      return new TextTest(test, presenterOf, (value) => [value]);
    case 'method':
      return new TextTest(test, methodOf, (value) => [value]);
  }
}

/** Principals are written without their scheme; what may begin with anything needs none. */
function asUri(principal: string): string {
  return principal.startsWith('*') ? principal : `spiffe://${principal}`;
}

// '' where there is none, which nothing matches.

export function principalOf({ peer }: AccessContext): string {
  return peer.identity === null ? '' : peer.identity.uri;
}

function trustDomainOf({ peer }: AccessContext): string {
  return peer.identity === null ? '' : peer.identity.trustDomain;
}

function serverNameOf({ peer }: AccessContext): string {
  return peer.serverName ?? '';
}

function presenterOf({ token }: AccessContext): string {
  return token === null ? '' : token.presenter;
}

function methodOf({ head }: AccessContext): string {
  return head.method;
}

class TextTest implements AccessCondition {
  readonly #read: (context: AccessContext) => string;
  readonly #values: StringMatch | null;
  readonly #notValues: StringMatch | null;

  /** `patterns`: a value as it is compared, together with what means the same. */
  constructor(
    { values, notValues }: AccessTest,
    read: (context: AccessContext) => string,
    patterns: (value: string) => readonly string[],
  ) {
    this.#read = read;
    this.#values = values.length === 0 ? null : new StringMatch(values.flatMap(patterns));
    this.#notValues = notValues.length === 0 ? null : new StringMatch(notValues.flatMap(patterns));
  }

  holds(context: AccessContext): boolean {
    const text = this.#read(context);
    if (this.#values !== null && !this.#values.matches(text)) return false;
    return this.#notValues === null || !this.#notValues.matches(text);
  }
}
