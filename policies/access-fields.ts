// The fields and conditions that an AuthorizationPolicy may have, and what their values may be.

import type { AccessAttribute } from './authorization.ts';
import { FIELD_NAME } from './field-syntax.ts';
import { isIpBlock } from './ip-block.ts';
import { isTemplate, templateProblem } from './path-template.ts';
import { quote } from './settings-reader.ts';

export interface Field {
  /** Of a source or an operation; of a condition its key. */
  readonly name: string;
  readonly attribute: AccessAttribute;
  /** What is wrong with a value that is not empty; null: nothing. */
  readonly problem: (value: string) => string | null;
  /** As it is compared; `namespace` is the policy's. */
  readonly canonical: (value: string, namespace: string) => string;
}

type Rules = Partial<Pick<Field, 'problem' | 'canonical'>>;

function field(name: string, attribute: AccessAttribute, { problem, canonical }: Rules = {}): Field {
  return { name, attribute, problem: problem ?? nothing, canonical: canonical ?? asWritten };
}

function nothing(): null {
  return null;
}

function asWritten(value: string): string {
  return value;
}

const block: Rules = {
  problem: (value) => (isIpBlock(value) ? null : `${quote(value)} is no IP address and no CIDR block`),
};

const principal: Rules = {
  problem: (value) => (value.startsWith('spiffe://') ? `leave out spiffe://: write ${quote(value.slice(9))}` : null),
};

const account: Rules = {
  problem: (value) =>
    /^([^/*]+\/)?[^/*]+$/.test(value)
      ? null
      : `${quote(value)} is no service account: write namespace/name or name, no stars`,
  canonical: (value, namespace) => (value.includes('/') ? value : `${namespace}/${value}`),
};

const MOST = 65_535;

const port: Rules = {
  problem: (value) => (/^\d{1,5}$/.test(value) && Number(value) <= MOST ? null : `${quote(value)} is no port`),
  canonical: (value) => String(Number(value)),
};

const path: Rules = {
  problem: (value) => {
    const problem = isTemplate(value) ? templateProblem(value) : null;
    return problem === null ? null : `${quote(value)}: ${problem}`;
  },
};

export const FIELDS: { readonly from: readonly Field[]; readonly to: readonly Field[] } = {
  from: [
    field('principals', 'source.principal', principal),
    field('requestPrincipals', 'request.auth.principal'),
    field('namespaces', 'source.namespace'),
    field('serviceAccounts', 'source.serviceAccount', account),
    field('trustDomains', 'source.trustDomain'),
    field('ipBlocks', 'source.ip', block),
    field('remoteIpBlocks', 'remote.ip', block),
  ],
  to: [
    field('hosts', 'host'),
    field('ports', 'destination.port', port),
    field('methods', 'method'),
    field('paths', 'path', path),
  ],
};

/** By key; those with a name in brackets without it. */
const CONDITIONS: ReadonlyMap<string, Field> = new Map(
  [
    field('source.ip', 'source.ip', block),
    field('remote.ip', 'remote.ip', block),
    field('source.namespace', 'source.namespace'),
    field('source.principal', 'source.principal', principal),
    field('source.serviceAccount', 'source.serviceAccount', account),
    field('source.trustDomain', 'source.trustDomain'),
    field('request.headers', 'request.headers'),
    field('request.auth.principal', 'request.auth.principal'),
    field('request.auth.audiences', 'request.auth.audiences'),
    field('request.auth.presenter', 'request.auth.presenter'),
    field('request.auth.claims', 'request.auth.claims'),
    field('destination.ip', 'destination.ip', block),
    field('destination.port', 'destination.port', port),
    field('connection.sni', 'connection.sni'),
  ].map((each) => [each.name, each]),
);

const NAMED: ReadonlySet<string> = new Set(['request.headers', 'request.auth.claims']);

interface FoundCondition {
  readonly field: Field;
  /** The names in brackets. */
  readonly key: readonly string[];
}

/** A text says what is wrong with the key. */
export function conditionOf(key: unknown): FoundCondition | string {
  const parts = typeof key === 'string' ? /^([\w.]+)((?:\[[^[\]]+\])*)$/.exec(key) : null;
  const found = CONDITIONS.get(parts?.[1] ?? '');
  if (parts === null || found === undefined) return `${quote(key)} is unknown: write ${KNOWN}`;
  const names = (parts[2] as string).slice(1, -1).split('][');
  if (parts[2] === '')
    return NAMED.has(found.name) ? `${quote(key)} needs a name: ${found.name}[name]` : { field: found, key: [] };
  if (!NAMED.has(found.name)) return `${quote(key)}: ${found.name} has no parts`;
  if (found.name === 'request.auth.claims') return { field: found, key: names };
  const name = (names[0] as string).toLowerCase();
  if (names.length > 1 || !FIELD_NAME.test(name)) return `${quote(key)}: ${names.join('][')} is no name of a header`;
  return { field: found, key: [name] };
}

const KNOWN = [...CONDITIONS.keys()].map((key) => (NAMED.has(key) ? `${key}[name]` : key)).join(', ');
