// The origins of a CORS filter: exact, `https://*.example.com` (any labels to the left), `https://*`, or `*`.

import type { DecodeReport } from './policy.ts';

export interface CorsOrigins {
  /** `*`: every origin, `null` and other schemes included. */
  readonly any: boolean;
  /** `scheme://host` in lower case, with the port unless it is the scheme's own. */
  readonly exact: readonly string[];
  readonly wildcards: readonly OriginWildcard[];
}

interface OriginWildcard {
  /** `https://` */
  readonly scheme: string;
  /** `.example.com`, with the port as in `exact`; '' for any host on the scheme's own port. */
  readonly suffix: string;
}

const CONFIGURED = /^(https?:\/\/)(\*|(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*)(?::([0-9]{1,5}))?$/;
const SENT = /^(https?:\/\/)([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?$/;
/** One serialised origin of any scheme: a list of them, or a blank, is not what browsers send. */
const SINGLE = /^[!-+\--~]+$/;

/** null after a report. */
export function decodeOrigins(values: readonly string[], path: string, report: DecodeReport): CorsOrigins | null {
  const exact: string[] = [];
  const wildcards: OriginWildcard[] = [];
  if (values.includes('*')) {
    if (values.length === 1) return { any: true, exact, wildcards };
    report.unsupported(path, "'*' stands alone: remove it or the other origins");
    return null;
  }
  let sound = true;
  for (const [index, value] of values.entries()) {
    const parts = CONFIGURED.exec(value.toLowerCase());
    if (parts === null || Number(parts[3] ?? 1) > 65_535 || Number(parts[3] ?? 1) < 1) {
      report.unsupported(
        `${path}[${index}]`,
        `"${value}" is no origin: write https://host[:port], https://*.host or '*'`,
      );
      sound = false;
      continue;
    }
    const [, scheme = '', host = '', port] = parts;
    const suffix = port === undefined || Number(port) === wellKnownPort(scheme) ? '' : `:${Number(port)}`;
    if (host.startsWith('*')) wildcards.push({ scheme, suffix: host.slice(1) + suffix });
    else exact.push(scheme + host + suffix);
  }
  return sound ? { any: false, exact, wildcards } : null;
}

/** `origin` as sent. */
export function originAllowed(origins: CorsOrigins, origin: string): boolean {
  if (origins.any) return SINGLE.test(origin);
  const parts = SENT.exec(origin.toLowerCase());
  if (parts === null) return false;
  const [, scheme = '', host = '', port] = parts;
  const suffix = port === undefined || Number(port) === wellKnownPort(scheme) ? '' : `:${Number(port)}`;
  const authority = host + suffix;
  return origins.exact.includes(scheme + authority) || wildcardAllows(origins.wildcards, scheme, host, authority);
}

export function describeOrigins(origins: CorsOrigins): string {
  const wildcards = origins.wildcards.map(({ scheme, suffix }) => `${scheme}*${suffix}`);
  return origins.any ? '*' : [...origins.exact, ...wildcards].join(' ') || 'none';
}

function wildcardAllows(
  wildcards: readonly OriginWildcard[],
  scheme: string,
  host: string,
  authority: string,
): boolean {
  for (const wildcard of wildcards) {
    if (wildcard.scheme !== scheme) continue;
    // Without labels to compare, only the port decides.
    const { suffix } = wildcard;
    if (
      suffix === '' || suffix.startsWith(':')
        ? authority === host + suffix
        : authority.length > suffix.length && authority.endsWith(suffix)
    )
      return true;
  }
  return false;
}

function wellKnownPort(scheme: string): number {
  return scheme === 'https://' ? 443 : 80;
}
