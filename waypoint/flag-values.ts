// The kinds of values that flags take: choices, counts, sizes, durations, addresses.

import { isIP } from 'node:net';
import type { Flag } from './flags.ts';

export interface SocketAddress {
  readonly host: string;
  readonly port: number;
}

/** What stands around a value: its help line, its default, and how that default reads when not as itself. */
interface Described<T> {
  readonly help: string;
  readonly initial: T;
  readonly shown?: string;
}

export function choice<T extends string>(values: readonly T[], { help, initial }: Described<T>): Flag<T> {
  return {
    arg: values.join('|'),
    help,
    expects: `one of ${values.join(', ')}`,
    initial,
    shown: initial,
    parse: (text) => values.find((value) => value === text),
  };
}

export function count(least: number, most: number, { help, initial, shown }: Described<number>): Flag<number> {
  return {
    arg: 'n',
    help,
    expects: `a whole number from ${least} to ${most}`,
    initial,
    shown: shown ?? String(initial),
    parse: (text) => {
      const value = /^\d{1,9}$/.test(text) ? Number(text) : -1;
      return value >= least && value <= most ? value : undefined;
    },
  };
}

const SIZES = { B: 1, KiB: 1024, MiB: 1_048_576 } as const;

export function bytes({ help, initial }: Described<number>): Flag<number> {
  return {
    arg: 'size',
    help,
    expects: 'a size from 256B to 512MiB, such as 65536 or 64KiB',
    initial,
    shown: `${initial / 1024}KiB`,
    parse: (text) => {
      const parts = /^(\d{1,9})(B|KiB|MiB)?$/.exec(text);
      if (parts === null) return undefined;
      const value = Number(parts[1]) * SIZES[(parts[2] ?? 'B') as keyof typeof SIZES];
      return value >= 256 && value <= 512 * SIZES.MiB ? value : undefined;
    },
  };
}

const UNITS = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;

/** A Gateway API duration (GEP-2257) in ms, up to a day; `least` keeps 0 out where it would mean "at once". */
export function duration(least: number, { help, initial }: Described<number>): Flag<number> {
  return {
    arg: 'duration',
    help,
    expects: `a duration from ${least}ms to 24h, such as 500ms, 5s or 1m30s`,
    initial,
    shown: initial % 1000 === 0 ? `${initial / 1000}s` : `${initial}ms`,
    parse: (text) => {
      if (!/^([0-9]{1,5}(h|m|s|ms)){1,4}$/.test(text)) return undefined;
      let value = 0;
      for (const part of text.matchAll(/([0-9]+)(ms|h|m|s)/g))
        value += Number(part[1]) * UNITS[part[2] as keyof typeof UNITS];
      return value >= least && value <= 24 * UNITS.h ? value : undefined;
    },
  };
}

export function ipAddress({ help, initial }: Described<string>): Flag<string> {
  const parse = (text: string) => (isIP(text) === 0 ? undefined : text);
  return { arg: 'ip', help, expects: 'an IP address', initial, shown: initial, parse };
}

/** `host:port`, `[::1]:port`, or `:port` for every address. */
export function parseSocketAddress(text: string): SocketAddress | undefined {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([-a-zA-Z0-9.]*)):(\d{1,5})$/.exec(text);
  if (parts === null) return undefined;
  const port = Number(parts[3]);
  if (port > 65_535 || (parts[1] !== undefined && isIP(parts[1]) !== 6)) return undefined;
  return { host: parts[1] ?? (parts[2] === '' ? '::' : parts[2]!), port };
}

/** A list of addresses and CIDRs, empty unless given; repeated flags add up. */
export function addressList({ help }: { readonly help: string }): Flag<readonly string[]> {
  return {
    arg: 'cidr[,cidr]',
    help,
    expects: 'addresses or CIDRs separated by commas',
    initial: [],
    shown: 'none',
    parse: parseCidrs,
    join: (first, next) => [...first, ...next],
  };
}

/** A switch that is off unless given. */
export function onOff({ help }: { readonly help: string }): Flag<boolean> {
  return {
    arg: null,
    help,
    expects: 'true or false',
    initial: false,
    shown: '',
    parse: (text) => (text === 'true' || text === '' ? true : text === 'false' ? false : undefined),
  };
}

/** Addresses and CIDRs separated by commas. */
export function parseCidrs(text: string): readonly string[] | undefined {
  const cidrs = text.split(',').map((part) => part.trim());
  return cidrs.every(isCidr) ? cidrs : undefined;
}

function isCidr(text: string): boolean {
  const parts = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text);
  if (parts === null) return false;
  const family = isIP(parts[1]!);
  return family !== 0 && Number(parts[2] ?? 0) <= (family === 4 ? 32 : 128);
}
