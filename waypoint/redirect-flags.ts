// Flags about how traffic is led to the waypoint, and what follows from whence it comes.

import { parseCidrs } from './flag-values.ts';
import type { Flag } from './flags.ts';
import type { AddressNamespace } from './redirect/client-namespaces.ts';

export interface PortRange {
  readonly from: number;
  readonly to: number;
}

export type RedirectFlags = {
  readonly servicePorts: Flag<PortRange | null>;
  readonly clientNamespaces: Flag<readonly AddressNamespace[]>;
};

export const STATE_DIR: Flag<string | null> = {
  arg: 'dir',
  help: 'keeps the last good configuration, and the ports of Services, for a restart',
  expects: 'a directory',
  initial: null,
  shown: '',
  parse: (text) => (text === '' ? undefined : text),
};

const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

export const REDIRECT_FLAGS: RedirectFlags = {
  servicePorts: {
    arg: 'from-to|none',
    help: 'a port of its own for each port of an enrolled Service',
    expects: "a range of ports such as 20000-29999, or 'none'",
    initial: null,
    shown: 'none',
    parse: (text) => (text === 'none' ? null : parseRange(text)),
  },
  clientNamespaces: {
    arg: 'cidr=ns[,cidr=ns]',
    help: 'namespaces of clients without an identity, by address; repeatable',
    expects: 'addresses or CIDRs with a namespace each, such as 10.0.1.0/24=shop',
    initial: [],
    shown: 'none',
    parse: parseNamespaces,
    join: (first, next) => [...first, ...next],
  },
};

function parseRange(text: string): PortRange | undefined {
  const parts = /^([1-9]\d{0,4})-([1-9]\d{0,4})$/.exec(text);
  if (parts === null) return undefined;
  const [from, to] = [Number(parts[1]), Number(parts[2])];
  return from <= to && to <= 65_535 ? { from, to } : undefined;
}

function parseNamespaces(text: string): readonly AddressNamespace[] | undefined {
  const entries = text.split(',').map((part) => {
    const [cidr = '', namespace = '', ...more] = part.trim().split('=');
    const known = parseCidrs(cidr);
    if (known === undefined || known.length !== 1 || more.length > 0 || !NAMESPACE.test(namespace)) return null;
    return { cidr: known[0]!, namespace };
  });
  return entries.every((entry) => entry !== null) ? entries : undefined;
}
