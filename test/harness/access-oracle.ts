// AuthorizationPolicy a second time, slowly and from the words of its reference alone: the judge of the compiled one.

import { BlockList, isIP } from 'node:net';
import type { AccessContext } from '../../policies/authorization.ts';

/** As written. */
export interface WrittenPolicy {
  readonly name: string;
  readonly namespace: string;
  readonly shadow: boolean;
  readonly spec: WrittenSpec;
}

type Values = Readonly<Record<string, readonly string[]>>;

export interface WrittenSpec {
  readonly action: 'ALLOW' | 'DENY' | 'AUDIT' | 'CUSTOM';
  readonly provider?: { readonly name: string };
  readonly rules?: readonly WrittenRule[];
}

export interface WrittenRule {
  readonly from?: readonly { readonly source: Values }[];
  readonly to?: readonly { readonly operation: Values }[];
  readonly when?: readonly WrittenCondition[];
}

interface WrittenCondition {
  readonly key: string;
  readonly values?: readonly string[];
  readonly notValues?: readonly string[];
}

/** true, false, or null where it cannot be told. */
type Truth = boolean | null;

function and(truths: readonly Truth[]): Truth {
  if (truths.includes(false)) return false;
  return truths.includes(null) ? null : true;
}

function or(truths: readonly Truth[]): Truth {
  if (truths.includes(true)) return true;
  return truths.includes(null) ? null : false;
}

function not(truth: Truth): Truth {
  return truth === null ? null : !truth;
}

/** A request as the oracle sees it, in one of its readings. */
interface View {
  readonly context: AccessContext;
  readonly path: string;
  readonly trustDomains: readonly string[];
}

export interface OracleVerdict {
  readonly allowed: boolean;
  /** Names of the policies that match, by what they do. */
  readonly matching: Readonly<Record<'ALLOW' | 'DENY' | 'AUDIT' | 'CUSTOM', readonly string[]>>;
}

export function judge(
  policies: readonly WrittenPolicy[],
  context: AccessContext,
  trustDomains: readonly string[],
): OracleVerdict {
  const { path } = context.head;
  const views = [path, ...(path.includes(';') ? [bare(path)] : [])].map((each) => ({
    context,
    path: each,
    trustDomains,
  }));
  const enforced = policies.filter(({ shadow }) => !shadow);
  const isAllowed = views.every((view) => {
    const matches = (action: string): boolean =>
      enforced.some((policy) => policy.spec.action === action && matchesPolicy(policy, view));
    if (matches('DENY')) return false;
    return !enforced.some(({ spec }) => spec.action === 'ALLOW') || matches('ALLOW');
  });
  const named = (action: string): string[] =>
    enforced
      .filter((policy) => policy.spec.action === action && views.some((view) => matchesPolicy(policy, view)))
      .map(({ name }) => name);
  const matching = { ALLOW: named('ALLOW'), DENY: named('DENY'), AUDIT: named('AUDIT'), CUSTOM: named('CUSTOM') };
  return { allowed: isAllowed, matching };
}

/** Without parameters; what they hid is resolved. */
function bare(path: string): string {
  let marked = path.replace(/(?<=\/)([^/;]*);[^/]*/g, '\0$1');
  for (let before = ''; before !== marked; ) {
    before = marked;
    marked = marked.replace(/\/\0\.?(?=\/|$)/, (_, at: number) => (marked.slice(at).indexOf('/', 1) === -1 ? '/' : ''));
    marked = marked.replace(/^(.*?)(\/[^/\0]*)?\/\0\.\.(\/|$)/, (_, head: string) => `${head}/`);
  }
  return marked.replaceAll('\0', '');
}

function matchesPolicy({ spec, namespace }: WrittenPolicy, view: View): boolean {
  // What cannot be told is held against the request.
  return (spec.rules ?? []).some((rule) => (matchesRule(rule, namespace, view) ?? spec.action !== 'ALLOW') === true);
}

function matchesRule({ from, to, when }: WrittenRule, namespace: string, view: View): Truth {
  const sources = from?.map(({ source }) => fieldsHold(source, namespace, view)) ?? [true];
  const operations = to?.map(({ operation }) => fieldsHold(operation, namespace, view)) ?? [true];
  const conditions = (when ?? []).map(({ key, values, notValues }) =>
    holds(key, { values, notValues, namespace }, view),
  );
  return and([or(sources), or(operations), ...conditions]);
}

function fieldsHold(fields: Values, namespace: string, view: View): Truth {
  const names = new Set(Object.keys(fields).map((name) => plain(name)));
  return and(
    [...names].map((name) => {
      const notValues = fields[`not${name.charAt(0).toUpperCase()}${name.slice(1)}`];
      return holds(name, { values: fields[name], notValues, namespace }, view);
    }),
  );
}

function plain(name: string): string {
  return name.startsWith('not') ? name.charAt(3).toLowerCase() + name.slice(4) : name;
}

interface Asked {
  readonly values: readonly string[] | undefined;
  readonly notValues: readonly string[] | undefined;
  readonly namespace: string;
}

function holds(name: string, { values, notValues, namespace }: Asked, view: View): Truth {
  const matches = (value: string): Truth => matchesValue(name, value, namespace, view);
  return and([
    values === undefined ? true : or(values.map(matches)),
    notValues === undefined ? true : not(or(notValues.map(matches))),
  ]);
}

function matchesValue(name: string, value: string, namespace: string, view: View): Truth {
  const { head, peer, token, remoteAddress, destinationPort } = view.context;
  const { identity } = peer;
  const key = /\[(.*)\]$/.exec(name)?.[1] ?? '';
  switch (name.replace(/\[.*$/, '')) {
    case 'principals':
    case 'source.principal':
      return identity !== null && namesOf(identity.uri.slice(9), value, view).some((each) => fits(value, each));
    case 'requestPrincipals':
    case 'request.auth.principal':
      return token !== null && fitsPrincipal(value, token.claims['iss'], token.claims['sub']);
    case 'namespaces':
    case 'source.namespace':
      return (
        new RegExp(`^${value.split('*').map(RegExp.escape).join('.*')}$`).test(homeOf(view)) && homeOf(view) !== ''
      );
    case 'serviceAccounts':
    case 'source.serviceAccount':
      return (
        `${identity?.namespace}/${identity?.serviceAccount}` === (value.includes('/') ? value : `${namespace}/${value}`)
      );
    case 'trustDomains':
    case 'source.trustDomain':
      return identity !== null && domainsOf(identity.trustDomain, view).some((each) => fits(value, each));
    case 'ipBlocks':
    case 'source.ip':
      return covers(value, peer.address);
    case 'remoteIpBlocks':
    case 'remote.ip':
      return covers(value, remoteAddress);
    case 'destination.ip':
      return covers(value, peer.localAddress);
    case 'hosts':
      return [head.host, ...(head.port === 0 ? [] : [`${head.host}:${head.port}`])].some((host) =>
        fits(value.toLowerCase(), host),
      );
    case 'ports':
    case 'destination.port':
      return Number(value) === destinationPort;
    case 'methods':
      return fits(value, head.method);
    case 'paths':
      return fitsPath(value, view.path);
    case 'connection.sni':
      return fits(value.toLowerCase(), peer.serverName ?? '');
    case 'request.headers':
      return or(head.fields.values(key.toLowerCase()).map((found) => fitsHeader(value, found)));
    case 'request.auth.audiences':
      return or((token?.audiences ?? []).map((audience) => fits(value, audience)));
    case 'request.auth.presenter':
      return fits(value, token?.presenter ?? '');
    case 'request.auth.claims':
      return fitsClaim(value, claimOf(token?.claims, key.split('][')));
    default:
      throw new Error(`no such attribute: ${name}`);
  }
}

function homeOf({ context: { peer } }: View): string {
  return peer.identity?.namespace ?? peer.namespace ?? '';
}

/** Everything that the identity may be called. */
function namesOf(name: string, value: string, view: View): readonly string[] {
  const slash = name.indexOf('/');
  if (!value.includes('/') || value.startsWith('*/')) return [name];
  return domainsOf(name.slice(0, slash), view).map((domain) => domain + name.slice(slash));
}

function domainsOf(domain: string, { trustDomains }: View): readonly string[] {
  return trustDomains.includes(domain) ? [...trustDomains, 'cluster.local'] : [domain];
}

function fits(pattern: string, text: string): boolean {
  if (pattern === '*') return text !== '';
  if (pattern.startsWith('*')) return text.slice(-(pattern.length - 1)) === pattern.slice(1);
  if (pattern.endsWith('*')) return text.slice(0, pattern.length - 1) === pattern.slice(0, -1);
  return text === pattern;
}

/** `{*}` is one segment, `{**}` the rest. */
function fitsPath(pattern: string, path: string): boolean {
  if (!/\{\*\*?\}/.test(pattern)) return fits(pattern, path);
  const source = pattern
    .split(/(\{\*\*?\})/)
    .map((part) => (part === '{*}' ? '[^/]+' : part === '{**}' ? '.*' : RegExp.escape(part)))
    .join('');
  return patternOf(source).test(path);
}

function fitsPrincipal(pattern: string, issuer: unknown, subject: unknown): boolean {
  if (typeof issuer !== 'string' || typeof subject !== 'string' || issuer === '' || subject === '') return false;
  const parts = /^(.*)\/([^/]*)$/.exec(pattern);
  if (parts === null) {
    if (pattern === '*') return true;
    if (pattern.startsWith('*')) return subject.endsWith(pattern.slice(1));
    return pattern.endsWith('*') && issuer.startsWith(pattern.slice(0, -1));
  }
  const [, first = '', last = ''] = parts;
  if (pattern.startsWith('*')) return issuer.endsWith(first.slice(1)) && (last === '*' || last === subject);
  if (/^[a-z]+:\/\/[^/]*\*$/.test(pattern)) return issuer.startsWith(pattern.slice(0, -1));
  return issuer === first && fits(last, subject);
}

function fitsHeader(pattern: string, found: string): Truth {
  if (pattern === '*') return true;
  const bytes = Buffer.from(found, 'latin1');
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? fits(pattern, text) : null;
}

function claimOf(claims: unknown, path: readonly string[]): unknown {
  const entry = Object.entries((claims ?? {}) as object).find(([name]) => name === path[0]);
  if (entry === undefined) return undefined;
  const isInner = typeof entry[1] === 'object' && entry[1] !== null;
  if (path.length === 1) return entry[1];
  return isInner ? claimOf(entry[1], path.slice(1)) : undefined;
}

function fitsClaim(pattern: string, claim: unknown): Truth {
  if (claim === undefined || claim === null) return false;
  if (Array.isArray(claim)) return or(claim.map((each) => (Array.isArray(each) ? null : fitsClaim(pattern, each))));
  if (typeof claim === 'string') return fits(pattern, claim);
  if (typeof claim === 'object') return null;
  return fits(pattern, JSON.stringify(claim)) ? null : false;
}

function covers(block: string, address: string): Truth {
  if (isIP(address) === 0) return null;
  const [base = '', bits] = block.split('/');
  const family = base.includes(':') ? 'ipv6' : 'ipv4';
  const list = once(lists, block, () => {
    const made = new BlockList();
    made.addSubnet(base, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family);
    return made;
  });
  const seen = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
  // A BlockList takes IPv4 for IPv6; a policy does not.
  return isIP(seen) === (family === 'ipv6' ? 6 : 4) && list.check(seen, family);
}

const lists = new Map<string, BlockList>();
const patterns = new Map<string, RegExp>();

function once<T>(known: Map<string, T>, key: string, make: () => T): T {
  const found = known.get(key) ?? make();
  known.set(key, found);
  return found;
}

function patternOf(source: string): RegExp {
  return once(patterns, source, () => new RegExp(`^${source}$`, 's'));
}
