// IP addresses and CIDR blocks of both families; an IPv4 address written as IPv6 (`::ffff:10.0.0.1`) is IPv4.

/** 16 bytes, four at a time; IPv4 in its mapped form. */
type Words = readonly [number, number, number, number];

interface Address {
  readonly words: Words;
  readonly isIpv4: boolean;
}

interface Block extends Address {
  readonly masks: Words;
}

const MAPPED = 0xffff;
const CIDR = /^([0-9a-f:.]+)(?:\/(0|[1-9]\d{0,2}))?$/i;

/** A single address or a block; null when the text is neither. Bits behind the prefix are cut off. */
function parseBlock(text: string): Block | null {
  const parts = CIDR.exec(text);
  const address = parts === null ? null : parseAddress(parts[1] as string);
  if (parts === null || address === null) return null;
  const most = (parts[1] as string).includes(':') ? 128 : 32;
  const bits = parts[2] === undefined ? most : Number(parts[2]);
  if (bits > most) return null;
  const length = most === 32 ? bits + 96 : bits;
  const masks: Words = [maskOf(length), maskOf(length - 32), maskOf(length - 64), maskOf(length - 96)];
  const words = masks.map((mask, index) => ((address.words[index] as number) & mask) >>> 0);
  return { words: words as unknown as Words, masks, isIpv4: address.isIpv4 && length >= 96 };
}

/** The first `bits` of 32. */
function maskOf(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? 0xffffffff : (0xffffffff << (32 - bits)) >>> 0;
}

export function isIpBlock(text: string): boolean {
  return parseBlock(text) !== null;
}

function parseAddress(text: string): Address | null {
  if (text.includes(':')) return parseIpv6(text);
  const word = parseIpv4(text);
  return word === -1 ? null : { words: [0, 0, MAPPED, word], isIpv4: true };
}

/** Four decimal numbers without leading zeros; -1 for anything else. */
function parseIpv4(text: string): number {
  let word = 0;
  let octet = 0;
  let digits = 0;
  let octets = 0;
  for (let at = 0; at <= text.length; at += 1) {
    const code = at === text.length ? DOT : text.charCodeAt(at);
    if (code === DOT) {
      if (digits === 0) return -1;
      word = word * 256 + octet;
      octets += 1;
      octet = 0;
      digits = 0;
      continue;
    }
    if (code < 48 || code > 57 || (digits > 0 && octet === 0)) return -1;
    octet = octet * 10 + code - 48;
    digits += 1;
    if (octet > 255) return -1;
  }
  return octets === 4 ? word : -1;
}

const DOT = 46;
const LONGEST = 64;
const GROUP = /^[0-9a-f]{1,4}$/i;

/** A zone (`%eth0`) says where the address is, not which: it is cut off. */
function parseIpv6(raw: string): Address | null {
  if (raw.length > LONGEST) return null;
  const text = raw.split('%', 1)[0] as string;
  const halves = text.split('::');
  // IPv4 may stand for the last two groups, and nowhere else.
  if (halves.length > 2 || (text.includes('.') && text.indexOf('.') < text.lastIndexOf(':'))) return null;
  const head = groupsOf(halves[0] as string);
  const tail = groupsOf(halves[1] ?? '');
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  const word = (index: number): number => (((groups[index] as number) << 16) | (groups[index + 1] as number)) >>> 0;
  const words: Words = [word(0), word(2), word(4), word(6)];
  return { words, isIpv4: words[0] === 0 && words[1] === 0 && words[2] === MAPPED };
}

function groupsOf(text: string): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  for (const part of text.split(':')) {
    if (GROUP.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const word = parseIpv4(part);
    if (word === -1) return null;
    groups.push(word >>> 16, word & 0xffff);
  }
  return groups;
}

let lastText = '';
let lastAddress: Address | null = null;

/** Connections carry many requests, and many policies ask about the same address. */
function addressOf(text: string): Address | null {
  if (text !== lastText) {
    lastAddress = parseAddress(text);
    lastText = text;
  }
  return lastAddress;
}

/** Of an address that a decision is about: whether it can be told at all. */
export function isAddress(text: string): boolean {
  return addressOf(text) !== null;
}

export class IpBlocks {
  readonly #blocks: readonly Block[];

  /** Texts that are no blocks cover nothing. */
  constructor(texts: readonly string[]) {
    this.#blocks = texts.map(parseBlock).filter((block) => block !== null);
  }

  /** Blocks of one family cover no address of the other. */
  covers(text: string): boolean {
    const address = addressOf(text);
    if (address === null) return false;
    for (const block of this.#blocks) if (block.isIpv4 === address.isIpv4 && isIn(address.words, block)) return true;
    return false;
  }
}

function isIn(address: Words, { words, masks }: Block): boolean {
  return (
    (address[3] & masks[3]) >>> 0 === words[3] &&
    (address[2] & masks[2]) >>> 0 === words[2] &&
    (address[1] & masks[1]) >>> 0 === words[1] &&
    (address[0] & masks[0]) >>> 0 === words[0]
  );
}
