// The PROXY protocol, versions 1 and 2 (haproxy.org/download/3.2/doc/proxy-protocol.txt): who connected to whoever stands in front of us.

import { isUtf8 } from 'node:buffer';
import { FAILED, MORE } from '../http1/limits.ts';
import { crc32c } from './crc32c.ts';
import { addressAt, canonicalAddress } from './proxy-address.ts';

/** One end of a connection as told by a header. */
export interface ProxyAddress {
  /** IPv4, or IPv6 without brackets, in canonical form. */
  readonly address: string;
  readonly port: number;
}

/** Type of the TLV that carries the peer's SPIFFE id (Istio's ztunnel, `PROXY_PROTOCOL_AUTHORITY_TLV`). */
export const TLV_IDENTITY = 0xd0;
const TLV_AUTHORITY = 0x02;
const TLV_CRC32C = 0x03;

export const SIGNATURE: Buffer = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const V1_PREFIX = Buffer.from('PROXY ', 'latin1');
/** Section 2.1: "a 108-byte buffer is always enough to store all the line and a trailing zero". */
const V1_BYTES = 107;
const FIXED_BYTES = 16;
const TLV_BYTES = 4096;

/** Bytes of both addresses and ports, by the byte that names family and transport; what is absent is refused. */
const ADDRESS_BYTES: ReadonlyMap<number, number> = new Map([
  [0x00, 0],
  [0x11, 12],
  [0x21, 36],
]);
const MAX_BLOCK = 36 + TLV_BYTES;
const MAX_HEADER = FIXED_BYTES + MAX_BLOCK;

const V1_LINE = /^PROXY (TCP4|TCP6) (\S+) (\S+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})$/;
const CR = 13;
const LF = 10;

/** Reads one header, at the beginning of a connection; whatever follows it is not looked at. */
export class ProxyHeaderParser {
  /** null: the connection speaks for itself (LOCAL, UNKNOWN). */
  source: ProxyAddress | null = null;
  destination: ProxyAddress | null = null;
  /** What the client asked for by name, in TLS as a rule; null: not told. */
  authority: string | null = null;
  /** The identity of the client as the sender verified it, not looked into; null: not told. */
  identity: string | null = null;
  /** Why FAILED was returned: one of a bounded set of snake_case words. */
  failure = '';
  /** What came so far of a header that is not complete. */
  #held: Buffer | null = null;

  /** Takes in what `chunk` has from `from` on: the offset behind the header, MORE (everything was taken in) or FAILED. */
  push(chunk: Buffer, from: number): number {
    const fresh = chunk.subarray(from, from + MAX_HEADER);
    const before = this.#held?.length ?? 0;
    const bytes = this.#held === null ? fresh : Buffer.concat([this.#held, fresh]);
    const end = this.#read(bytes);
    // The chunk is the caller's to reuse.
    if (end === MORE) this.#held = this.#held === null ? Buffer.from(fresh) : bytes;
    return end < 0 ? end : from + end - before;
  }

  #read(bytes: Buffer): number {
    if (bytes.length === 0) return MORE;
    if (bytes[0] === SIGNATURE[0]) return this.#readV2(bytes);
    return startsLike(bytes, V1_PREFIX) ? this.#readV1(bytes) : this.#fail('no_header');
  }

  #readV1(bytes: Buffer): number {
    const end = bytes.indexOf(CR);
    if (end < 0) {
      return bytes.length < V1_BYTES - 1 ? MORE : this.#fail('v1_line_too_long');
    }
    if (end + 2 > V1_BYTES) return this.#fail('v1_line_too_long');
    if (end + 1 === bytes.length) return MORE;
    if (bytes[end + 1] !== LF) return this.#fail('v1_bad_line_end');
    const line = bytes.toString('latin1', 0, end);
    if (line === 'PROXY UNKNOWN' || line.startsWith('PROXY UNKNOWN ')) return end + 2;
    const parts = V1_LINE.exec(line);
    if (parts === null) return this.#fail('v1_bad_line');
    const family = parts[1] === 'TCP4' ? 4 : 6;
    this.source = endOf(parts[2]!, parts[4]!, family);
    this.destination = endOf(parts[3]!, parts[5]!, family);
    if (this.source !== null && this.destination !== null) return end + 2;
    return this.#fail('v1_bad_address');
  }

  #readV2(bytes: Buffer): number {
    if (!startsLike(bytes, SIGNATURE)) return this.#fail('no_header');
    if (bytes.length < 13) return MORE;
    const version = bytes[12]! >> 4;
    const command = bytes[12]! & 0xf;
    if (version !== 2) return this.#fail('v2_unknown_version');
    if (command > 1) return this.#fail('v2_unknown_command');
    if (bytes.length < FIXED_BYTES) return MORE;
    // Section 2.2: of a LOCAL header the rest is to be discarded, the family included.
    const addresses = command === 0 ? 0 : ADDRESS_BYTES.get(bytes[13]!);
    if (addresses === undefined) return this.#fail('v2_unknown_family');
    const length = bytes.readUInt16BE(14);
    if (length < addresses) return this.#fail('v2_too_short');
    if (length > addresses + TLV_BYTES) return this.#fail('v2_too_long');
    const end = FIXED_BYTES + length;
    if (bytes.length < end) return MORE;
    if (command === 0) return end;
    if (!this.#readTlvs(bytes.subarray(0, end), FIXED_BYTES + addresses)) return FAILED;
    if (addresses > 0) this.#readAddresses(bytes, (addresses - 4) / 2);
    return end;
  }

  #readAddresses(bytes: Buffer, size: number): void {
    const ports = FIXED_BYTES + 2 * size;
    this.source = { address: addressAt(bytes, FIXED_BYTES, size), port: bytes.readUInt16BE(ports) };
    this.destination = { address: addressAt(bytes, FIXED_BYTES + size, size), port: bytes.readUInt16BE(ports + 2) };
  }

  #readTlvs(header: Buffer, from: number): boolean {
    let at = from;
    while (at < header.length) {
      const next = at + 3 <= header.length ? at + 3 + header.readUInt16BE(at + 1) : header.length + 1;
      if (next > header.length) return this.#refuse('v2_bad_tlv');
      if (!this.#readTlv(header, at, next)) return false;
      at = next;
    }
    return true;
  }

  #readTlv(header: Buffer, at: number, next: number): boolean {
    const type = header[at];
    if (type === TLV_CRC32C) {
      if (next - at === 7 && header.readUInt32BE(at + 3) === crc32c(header, at + 3)) return true;
      return this.#refuse('v2_bad_checksum');
    }
    if (type !== TLV_AUTHORITY && type !== TLV_IDENTITY) return true;
    const value = header.subarray(at + 3, next);
    const name = type === TLV_IDENTITY ? 'identity' : 'authority';
    if (this[name] !== null) return this.#refuse(`v2_repeated_${name}`);
    if (value.length === 0 || !isUtf8(value)) return this.#refuse(`v2_bad_${name}`);
    this[name] = value.toString('utf8');
    return true;
  }

  #fail(failure: string): number {
    this.failure = failure;
    return FAILED;
  }

  #refuse(failure: string): boolean {
    this.failure = failure;
    return false;
  }
}

/** As far as both go. */
function startsLike(bytes: Buffer, prefix: Buffer): boolean {
  const length = Math.min(bytes.length, prefix.length);
  return bytes.compare(prefix, 0, length, 0, length) === 0;
}

function endOf(text: string, digits: string, family: 4 | 6): ProxyAddress | null {
  const address = canonicalAddress(text, family);
  const port = Number(digits);
  return address === null || port > 65_535 ? null : { address, port };
}
