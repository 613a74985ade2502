// Where a name outside may not lead, whatever DNS says: back into this host, onto its link, to everybody, or to ourselves.

/** `address` in any spelling of an IP address, `port` that of the connection. */
export interface OwnAddress {
  /** `0.0.0.0` and `::` stand for every address of this host. */
  readonly address: string;
  readonly port: number;
  /** Completes "is": `the admin page of this waypoint`. */
  readonly what: string;
}

type Bytes = readonly number[];

interface Block {
  readonly bytes: Bytes;
  readonly bits: number;
}

/** What the operator allows, and what nobody may allow. */
export interface EgressRules {
  readonly allowed: readonly Block[];
  readonly own: readonly {
    readonly bytes: Bytes;
    readonly isAny: boolean;
    readonly port: number;
    readonly what: string;
  }[];
  readonly interfaces: readonly Bytes[];
}

/**
 * `allowed`: addresses and CIDR blocks that are excepted from the refusals by kind, never from those of `own`.
 * `interfaces`: all addresses of this host.
 */
export function egressRules(
  allowed: readonly string[],
  own: readonly OwnAddress[],
  interfaces: readonly string[],
): EgressRules {
  return {
    allowed: allowed.map(blockOf),
    own: own.flatMap(({ address, port, what }) => {
      const bytes = parse(address);
      return bytes === null ? [] : [{ bytes, isAny: bytes.every((byte) => byte === 0), port, what }];
    }),
    interfaces: interfaces.map(parse).filter((bytes) => bytes !== null),
  };
}

/** null: a connection may be made. Else why not, completing "10.0.0.1:80 is". */
export function refusedAddress(address: string, port: number, rules: EgressRules): string | null {
  const bytes = parse(address);
  if (bytes === null) return 'no IP address';
  const forms = formsOf(bytes);
  const own = ownAmong(forms, port, rules);
  if (own !== null) return own;
  if (forms.some((form) => rules.allowed.some((block) => contains(block, form)))) return null;
  for (const form of forms) {
    const kind = FORBIDDEN.find(({ block }) => contains(block, form));
    if (kind !== undefined) return form === bytes ? kind.what : `${kind.what}, written as IPv6`;
  }
  return null;
}

/** Only whether it is one of our own addresses: endpoints inside may well be on loopback. */
export function ownAddress(address: string, port: number, rules: EgressRules): string | null {
  if (!rules.own.some((own) => own.port === port)) return null;
  const bytes = parse(address);
  return bytes === null ? null : ownAmong(formsOf(bytes), port, rules);
}

function ownAmong(forms: readonly Bytes[], port: number, { own, interfaces }: EgressRules): string | null {
  for (const form of forms) {
    for (const { bytes, isAny, port: taken, what } of own) {
      if (port === taken && (isAny ? isHere(form, interfaces) : isSame(form, bytes))) return what;
    }
  }
  return null;
}

/**
 * IANA's special-purpose registries (RFC 6890), of which these never lie outside. Private networks are not among them:
 * that a name leads into one's own network is what egress to a data centre looks like.
 */
const FORBIDDEN: readonly { readonly block: Block; readonly what: string }[] = [
  ['0.0.0.0/8', 'unspecified'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link-local'],
  ['224.0.0.0/4', 'multicast'],
  ['255.255.255.255/32', 'broadcast'],
  ['240.0.0.0/4', 'reserved'],
  ['::/128', 'unspecified'],
  ['::1/128', 'loopback'],
  ['fe80::/10', 'link-local'],
  ['fec0::/10', 'site-local'],
  ['ff00::/8', 'multicast'],
  // Where clouds keep the credentials of a machine although it is no link-local address.
  ['100.100.100.200/32', 'an instance metadata service'],
  ['168.63.129.16/32', 'an instance metadata service'],
  ['fd00:ec2::254/128', 'an instance metadata service'],
  ['fd20:ce::254/128', 'an instance metadata service'],
].map(([cidr, what]) => ({ block: blockOf(cidr!), what: what! }));

/** IPv6 prefixes that carry an IPv4 address, and where in the sixteen bytes it starts. */
const EMBEDDINGS: readonly { readonly block: Block; readonly at: number; readonly isInverted: boolean }[] = [
  // IPv4-mapped and -compatible (RFC 4291), -translated (RFC 2765).
  { block: blockOf('::ffff:0:0/96'), at: 12, isInverted: false },
  { block: blockOf('::/96'), at: 12, isInverted: false },
  { block: blockOf('::ffff:0:0:0/96'), at: 12, isInverted: false },
  // NAT64 (RFC 6052, RFC 8215).
  { block: blockOf('64:ff9b::/96'), at: 12, isInverted: false },
  { block: blockOf('64:ff9b:1::/48'), at: 12, isInverted: false },
  // 6to4 (RFC 3056), Teredo (RFC 4380).
  { block: blockOf('2002::/16'), at: 2, isInverted: false },
  { block: blockOf('2001::/32'), at: 12, isInverted: true },
];

/** The address, and the IPv4 addresses that it may be another way to write. */
function formsOf(bytes: Bytes): readonly Bytes[] {
  if (bytes.length === 4) return [bytes];
  const forms = [bytes];
  for (const { block, at, isInverted } of EMBEDDINGS) {
    if (!contains(block, bytes)) continue;
    const inner = bytes.slice(at, at + 4);
    // `::` and `::1` are addresses of IPv6 itself.
    if (block.bits === 96 && isNarrow(bytes)) continue;
    forms.push(isInverted ? inner.map((byte) => byte ^ 0xff) : inner);
  }
  return forms;
}

function isNarrow(bytes: Bytes): boolean {
  return bytes.slice(0, 15).every((byte) => byte === 0) && bytes[15]! <= 1;
}

function isHere(bytes: Bytes, interfaces: readonly Bytes[]): boolean {
  return interfaces.some((own) => isSame(own, bytes)) || LOOPBACK.some((block) => contains(block, bytes));
}

const LOOPBACK: readonly Block[] = [
  blockOf('127.0.0.0/8'),
  blockOf('::1/128'),
  blockOf('0.0.0.0/32'),
  blockOf('::/128'),
];

function isSame(a: Bytes, b: Bytes): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function contains({ bytes: block, bits }: Block, bytes: Bytes): boolean {
  if (block.length !== bytes.length) return false;
  const whole = bits >> 3;
  for (let at = 0; at < whole; at++) if (block[at] !== bytes[at]) return false;
  const rest = bits & 7;
  return rest === 0 || (block[whole]! ^ bytes[whole]!) >> (8 - rest) === 0;
}

function blockOf(cidr: string): Block {
  const [address = '', bits] = cidr.split('/');
  const bytes = parse(address) ?? [];
  return { bytes, bits: bits === undefined ? bytes.length * 8 : Number(bits) };
}

/** Strict: what some resolvers read as an address besides (`0177.1`, `2130706433`) is none. A zone (`%eth0`) is not looked at. */
function parse(text: string): Bytes | null {
  const address = text.split('%', 1)[0]!;
  return address.includes(':') ? parseV6(address) : parseV4(address);
}

function parseV4(text: string): Bytes | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part))) return null;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : null;
}

function parseV6(text: string): Bytes | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = groups(halves[0]!);
  const tail = halves.length === 2 ? groups(halves[1]!) : [];
  if (head === null || tail === null) return null;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 2 ? missing < 2 : missing !== 0) return null;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

/** Groups of hexadecimal digits, the last of which may be an IPv4 address. */
function groups(text: string): number[] | null {
  if (text === '') return [];
  const parts = text.split(':');
  const bytes: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (part.includes('.')) {
      const inner = index === parts.length - 1 ? parseV4(part) : null;
      if (inner === null) return null;
      bytes.push(...inner);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return null;
      const group = Number.parseInt(part, 16);
      bytes.push(group >> 8, group & 0xff);
    }
  }
  return bytes;
}
