// `waypoint explain`: where a request would go and why, from files or by asking a waypoint that runs.

import { isIP } from 'node:net';
import { FileSource } from '../../gateway-api/files.ts';
import { parseSpiffeId } from '../../policies/identity.ts';
import type { Snapshot } from '../../policies/plan.ts';
import { DEFAULT_LIMITS } from '../config.ts';
import type { ExplainRequest } from '../explain/explain.ts';
import { explainText } from '../explain/text.ts';
import { explainVerified } from '../explain/verified.ts';
import { choice, parseSocketAddress } from '../flag-values.ts';
import { type Flag, parseFlags } from '../flags.ts';
import { IDENTITY_FLAGS } from '../identity-flags.ts';
import { readableJson } from '../ops/readable-json.ts';
import { PLACE_FLAGS, type PlaceFlags, SOURCE_FLAGS, type SourceFlags } from '../source-flags.ts';
import { ENVIRONMENT_FLAGS, type EnvironmentFlags, environmentOf } from './environment.ts';
import { leftOut } from './left-out.ts';
import { translateWithNames } from './look-up.ts';
import { usageErrors } from './usage-errors.ts';

type Format = 'text' | 'json';
type Header = readonly [name: string, value: string];
type Claims = Readonly<Record<string, unknown>>;

type ExplainFlags = SourceFlags &
  EnvironmentFlags &
  PlaceFlags &
  Pick<typeof IDENTITY_FLAGS, 'trustedProxies'> & {
    readonly header: Flag<readonly Header[]>;
    readonly namespace: Flag<string | null>;
    readonly sni: Flag<string | null>;
    readonly principal: Flag<string | null>;
    readonly source: Flag<string | null>;
    readonly claims: Flag<Claims | null>;
    readonly format: Flag<Format>;
    readonly admin: Flag<string | null>;
  };

export const EXPLAIN_FLAGS: ExplainFlags = {
  header: {
    arg: 'name:value',
    short: '-H',
    help: 'a header of the request; repeatable',
    expects: 'name:value',
    initial: [],
    shown: '',
    parse: parseHeader,
    join: (first, next) => [...first, ...next],
  },
  namespace: {
    arg: 'namespace',
    help: 'where the client lives, for consumer routes',
    expects: 'a namespace',
    initial: null,
    shown: 'unknown',
    parse: (text) => (/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text) ? text : undefined),
  },
  sni: {
    arg: 'name',
    help: 'host that the client names in the TLS handshake',
    expects: 'a host name',
    initial: null,
    shown: 'that of the URL',
    parse: (text) => (/^[a-z0-9_]([-.a-z0-9_]*[a-z0-9_])?$/i.test(text) ? text.toLowerCase() : undefined),
  },
  principal: {
    arg: 'spiffe-id',
    help: 'identity in the certificate of the client, [spiffe://]domain/ns/namespace/sa/name',
    expects: 'a SPIFFE id, with or without its spiffe://',
    initial: null,
    shown: 'none',
    parse: parsePrincipal,
  },
  source: {
    arg: 'ip',
    help: 'address of the client',
    expects: 'an IP address',
    initial: null,
    shown: "192.0.2.1, nobody's",
    parse: (text) => (isIP(text) === 0 ? undefined : text),
  },
  claims: {
    arg: 'json',
    help: 'claims of a token of the client, taken for verified',
    expects: 'a JSON object such as {"iss":"https://idp","sub":"alice"}',
    initial: null,
    shown: 'none',
    parse: parseClaims,
  },
  format: choice<Format>(['text', 'json'], { help: 'how it is printed', initial: 'text' }),
  admin: {
    arg: 'url',
    help: 'asks the waypoint that has this admin page',
    expects: 'the URL of an admin page, such as http://127.0.0.1:15000',
    initial: null,
    shown: '',
    parse: parseAdmin,
  },
  ...SOURCE_FLAGS,
  ...ENVIRONMENT_FLAGS,
  trustedProxies: IDENTITY_FLAGS.trustedProxies,
  ...PLACE_FLAGS,
};

export async function explainCommand(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  // WAYPOINT_ADMIN is where `run` listens; here asking somebody else is a decision.
  const { values, positionals, errors } = parseFlags(EXPLAIN_FLAGS, args, { ...env, WAYPOINT_ADMIN: undefined });
  const [method, url, ...more] = positionals;
  const mistakes = [...errors, ...more.map((word) => `unexpected argument '${word}'`)];
  if (url === undefined) mistakes.push('a method and a URL are needed: waypoint explain GET http://host:port/path');
  if (values.admin === null && values.config.length === 0) mistakes.push('--config or --admin is missing: whom to ask');
  if (mistakes.length > 0) return usageErrors('explain', mistakes);
  const { header: headers, namespace, sni, principal, source: address, claims, format } = values;
  const who = { namespace, principal, address, claims, ...(sni === null ? {} : { serverName: sni }) };
  const asked = { method: method as string, url: url as string, headers, ...who };
  if (values.admin !== null) return askAdmin(values.admin, asked, format);
  const report = await explainVerified(asked, await snapshotOf(values), { ...values, limits: DEFAULT_LIMITS }, []);
  if (typeof report === 'string') {
    process.stderr.write(`waypoint explain: ${report}\n`);
    return 1;
  }
  process.stdout.write(format === 'json' ? readableJson(report) : explainText(report));
  return 0;
}

type Source = Parameters<typeof environmentOf>[0] & { readonly config: readonly string[] };

async function snapshotOf(values: Source): Promise<Snapshot> {
  const source = new FileSource(values.config, { stateDir: null, onChange: () => {}, log: { warn: () => {} } });
  source.load();
  source.close();
  const warning = leftOut(source.store.findings);
  if (warning !== '') process.stderr.write(`waypoint explain: ${warning}\n`);
  const { snapshot } = await translateWithNames(source.store.resources, environmentOf(values));
  return snapshot;
}

async function askAdmin(admin: string, asked: ExplainRequest, format: Format): Promise<number> {
  const page = new URL('/explain', admin);
  page.searchParams.set('method', asked.method);
  page.searchParams.set('url', asked.url);
  page.searchParams.set('format', format);
  for (const [name, value] of asked.headers) page.searchParams.append('header', `${name}:${value}`);
  const { namespace, serverName: sni, principal, address, claims } = asked;
  for (const [name, value] of Object.entries({ namespace, sni, principal, address })) {
    if (typeof value === 'string') page.searchParams.set(name, value);
  }
  if (claims) page.searchParams.set('claims', JSON.stringify(claims));
  try {
    const response = await fetch(page);
    const text = await response.text();
    (response.ok ? process.stdout : process.stderr).write(text);
    return response.ok ? 0 : 1;
  } catch (error) {
    const { cause, message } = error as Error & { cause?: Error };
    process.stderr.write(
      `waypoint explain: ${admin}: ${cause?.message ?? message} (does it run, with --admin there?)\n`,
    );
    return 1;
  }
}

function parseHeader(text: string): readonly Header[] | undefined {
  const colon = text.indexOf(':');
  return colon < 1 ? undefined : [[text.slice(0, colon).trim(), text.slice(colon + 1).trim()]];
}

function parsePrincipal(text: string): string | undefined {
  const principal = text.replace(/^spiffe:\/\//, '');
  return parseSpiffeId(`spiffe://${principal}`) === null ? undefined : principal;
}

function parseAdmin(text: string): string | undefined {
  if (parseSocketAddress(text) !== undefined) return `http://${text}`;
  const url = URL.parse(text);
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') ? url.href : undefined;
}

function parseClaims(text: string): Claims | undefined {
  try {
    const claims: unknown = JSON.parse(text);
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims) ? (claims as Claims) : undefined;
  } catch {
    return undefined;
  }
}
