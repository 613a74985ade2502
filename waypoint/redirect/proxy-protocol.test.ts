import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FAILED, MORE } from '../http1/limits.ts';
import { crc32c } from './crc32c.ts';
import { type ProxyTlv, proxyHeader } from './proxy-header.ts';
import { type ProxyAddress, ProxyHeaderParser, SIGNATURE, TLV_IDENTITY } from './proxy-protocol.ts';

const CLIENT: ProxyAddress = { address: '10.1.2.3', port: 51_000 };
const VIP: ProxyAddress = { address: '10.96.0.7', port: 80 };
const CLIENT_V6: ProxyAddress = { address: 'fd00::1:2', port: 51_000 };
const VIP_V6: ProxyAddress = { address: 'fd00:96::7', port: 8080 };
const SPIFFE = 'spiffe://cluster.local/ns/shop/sa/cart';

interface Read {
  readonly end: number;
  readonly source: ProxyAddress | null;
  readonly destination: ProxyAddress | null;
  readonly authority: string | null;
  readonly identity: string | null;
}

/** What a parser makes of `bytes`, given to it whole, or its reason. */
function read(bytes: Buffer): Read | string {
  return readIn([bytes]);
}

function readIn(chunks: readonly Buffer[]): Read | string {
  const parser = new ProxyHeaderParser();
  let before = 0;
  for (const chunk of chunks) {
    const end = parser.push(Buffer.concat([Buffer.from('xy'), chunk]), 2);
    if (end === FAILED) return parser.failure;
    if (end !== MORE) {
      const { source, destination, authority, identity } = parser;
      return { end: before + end - 2, source, destination, authority, identity };
    }
    before += chunk.length;
  }
  return 'MORE';
}

function tlv(type: number, value: string | Buffer): ProxyTlv {
  return { type, value: typeof value === 'string' ? Buffer.from(value) : value };
}

const v1 = (line: string): Buffer => Buffer.from(`${line}\r\n`, 'latin1');

/** A header of version 2 from its parts, however wrong they are. */
function v2(command: number, family: number, block: Buffer, length: number = block.length): Buffer {
  const fixed = Buffer.from([command, family, length >> 8, length & 0xff]);
  return Buffer.concat([SIGNATURE, fixed, block]);
}

const ADDRESSES = Buffer.from('0a0102030a600007c7380050', 'hex');

function withChecksum(header: Buffer): Buffer {
  const block = Buffer.concat([header.subarray(16), Buffer.from([3, 0, 4, 0, 0, 0, 0])]);
  const whole = v2(header[12]!, header[13]!, block);
  whole.writeUInt32BE(crc32c(whole, whole.length - 4), whole.length - 4);
  return whole;
}

describe('PROXY protocol', () => {
  const plain = { authority: null, identity: null };
  const untold = { source: null, destination: null, ...plain };
  const accepted: [name: string, header: Buffer, told: Omit<Read, 'end'>][] = [
    ['v1 TCP4', v1('PROXY TCP4 10.1.2.3 10.96.0.7 51000 80'), { source: CLIENT, destination: VIP, ...plain }],
    [
      'v1 TCP6',
      v1('PROXY TCP6 FD00:0:0::1:2 fd00:96::7 51000 8080'),
      { source: CLIENT_V6, destination: VIP_V6, ...plain },
    ],
    [
      'v1 IPv4 in IPv6',
      v1('PROXY TCP6 ::ffff:10.1.2.3 ::ffff:a60:7 51000 80'),
      { source: CLIENT, destination: VIP, ...plain },
    ],
    ['v1 UNKNOWN', v1('PROXY UNKNOWN'), untold],
    ['v1 UNKNOWN with whatever', v1('PROXY UNKNOWN ffff::1 ffff::2 65535 65535'), untold],
    ['v1 of 107 bytes', v1(`PROXY UNKNOWN ${'a'.repeat(91)}`), untold],
    ['v2 TCP4', proxyHeader(2, CLIENT, VIP, []), { source: CLIENT, destination: VIP, ...plain }],
    ['v2 TCP6', proxyHeader(2, CLIENT_V6, VIP_V6, []), { source: CLIENT_V6, destination: VIP_V6, ...plain }],
    ['v2 LOCAL', proxyHeader(2, null, VIP, []), untold],
    ['v2 LOCAL: what follows is discarded', v2(0x20, 0x31, Buffer.from([TLV_IDENTITY, 0, 9])), untold],
    ['v2 unspecified family', v2(0x21, 0, Buffer.alloc(0)), untold],
    [
      'v2 identity',
      proxyHeader(2, CLIENT, VIP, [tlv(TLV_IDENTITY, SPIFFE)]),
      { source: CLIENT, destination: VIP, authority: null, identity: SPIFFE },
    ],
    [
      'v2 authority, padding, an unknown type',
      proxyHeader(2, CLIENT, VIP, [tlv(4, '\0\0'), tlv(2, 'orders.shop'), tlv(0xee, Buffer.alloc(4000))]),
      { source: CLIENT, destination: VIP, authority: 'orders.shop', identity: null },
    ],
    ['v2 checksum', withChecksum(proxyHeader(2, CLIENT, VIP, [])), { source: CLIENT, destination: VIP, ...plain }],
    [
      'v2 with 4096 bytes of TLVs',
      proxyHeader(2, CLIENT, VIP, [tlv(4, Buffer.alloc(4093))]),
      { source: CLIENT, destination: VIP, ...plain },
    ],
  ];
  for (const [name, header, told] of accepted) {
    it(`reads ${name}, in one piece and in single bytes`, () => {
      const next = Buffer.concat([header, Buffer.from('GET / HTTP/1.1\r\n')]);
      const expected = { end: header.length, ...told };
      assert.deepEqual(read(next), expected);
      assert.deepEqual(read(header), expected);
      assert.deepEqual(readIn([...header].map((byte) => Buffer.from([byte]))), expected);
      assert.equal(read(header.subarray(0, -1)), 'MORE');
    });
  }

  const refused: [name: string, bytes: Buffer, reason: RegExp][] = [
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n'), /^no_header$/],
    ['HTTP at its first byte', Buffer.from('G'), /^no_header$/],
    ['a TLS handshake', Buffer.from('160301', 'hex'), /^no_header$/],
    ['lower case', v1('proxy TCP4 1.1.1.1 1.1.1.1 1 1'), /^no_header$/],
    ['a signature that goes wrong', Buffer.from('\r\n\r\n\0\r\nQUIX'), /^no_header$/],
    ['v1 without an end', Buffer.from(`PROXY UNKNOWN ${'a'.repeat(92)}`), /^v1_line_too_long$/],
    ['v1 of 108 bytes', v1(`PROXY UNKNOWN ${'a'.repeat(92)}`), /^v1_line_too_long$/],
    ['v1 that ends in a line feed', Buffer.from('PROXY TCP4 1.1.1.1 1.1.1.1 1 1\n\r\n'), /^v1_bad_(line|address)$/],
    ['v1 with a lone carriage return', Buffer.from('PROXY TCP4 1.1.1.1\r1.1.1.1 1 1\r\n'), /^v1_bad_line_end$/],
    ['v1 leading zero in a port', v1('PROXY TCP4 1.1.1.1 1.1.1.1 01 1'), /^v1_bad_(line|address)$/],
    ['v1 port 65536', v1('PROXY TCP4 1.1.1.1 1.1.1.1 65536 1'), /^v1_bad_(line|address)$/],
    ['v1 leading zero in an address', v1('PROXY TCP4 1.1.1.01 1.1.1.1 1 1'), /^v1_bad_(line|address)$/],
    ['v1 hexadecimal address', v1('PROXY TCP4 0x1.1.1.1 1.1.1.1 1 1'), /^v1_bad_(line|address)$/],
    ['v1 address out of range', v1('PROXY TCP4 1.1.1.256 1.1.1.1 1 1'), /^v1_bad_(line|address)$/],
    ['v1 other family', v1('PROXY TCP4 ::1 ::1 1 1'), /^v1_bad_(line|address)$/],
    ['v1 IPv4 as TCP6', v1('PROXY TCP6 1.1.1.1 1.1.1.1 1 1'), /^v1_bad_(line|address)$/],
    ['v1 zone', v1('PROXY TCP6 fe80::1%eth0 ::1 1 1'), /^v1_bad_(line|address)$/],
    ['v1 two blanks', v1('PROXY TCP4  1.1.1.1 1.1.1.1 1 1'), /^v1_bad_(line|address)$/],
    ['v1 tab', v1('PROXY TCP4\t1.1.1.1 1.1.1.1 1 1'), /^v1_bad_(line|address)$/],
    ['v1 trailing blank', v1('PROXY TCP4 1.1.1.1 1.1.1.1 1 1 '), /^v1_bad_(line|address)$/],
    ['v1 UDP', v1('PROXY UDP4 1.1.1.1 1.1.1.1 1 1'), /^v1_bad_(line|address)$/],
    ['v1 UNKNOWNS', v1('PROXY UNKNOWNS'), /^v1_bad_(line|address)$/],
    ['v1 NUL', v1('PROXY TCP4 1.1.1.1 1.1.1.1 1 1\0'), /^v1_bad_(line|address)$/],
    ['v2 version 1', v2(0x11, 0x11, ADDRESSES), /^v2_unknown_version$/],
    ['v2 version 3', v2(0x31, 0x11, ADDRESSES), /^v2_unknown_version$/],
    ['v2 command 2', v2(0x22, 0x11, ADDRESSES), /^v2_unknown_command$/],
    ['v2 UDP over IPv4', v2(0x21, 0x12, ADDRESSES), /^v2_unknown_family$/],
    ['v2 AF_UNIX', v2(0x21, 0x31, Buffer.alloc(216)), /^v2_unknown_family$/],
    ['v2 unspecified transport', v2(0x21, 0x10, ADDRESSES), /^v2_unknown_family$/],
    ['v2 too short for its addresses', v2(0x21, 0x11, ADDRESSES, 11), /^v2_too_short$/],
    ['v2 too long, before it is all there', v2(0x21, 0x11, Buffer.alloc(0), 12 + 4097), /^v2_too_long$/],
    ['v2 LOCAL too long', v2(0x20, 0x00, Buffer.alloc(0), 4097), /^v2_too_long$/],
    ['v2 half a TLV', v2(0x21, 0x11, Buffer.concat([ADDRESSES, Buffer.from([4, 0])])), /^v2_bad_tlv$/],
    ['v2 TLV beyond the end', v2(0x21, 0x11, Buffer.concat([ADDRESSES, Buffer.from([4, 0, 9, 0])])), /^v2_bad_tlv$/],
    [
      'v2 identity twice',
      proxyHeader(2, CLIENT, VIP, [tlv(TLV_IDENTITY, SPIFFE), tlv(TLV_IDENTITY, SPIFFE)]),
      /^v2_repeated_identity$/,
    ],
    ['v2 authority twice', proxyHeader(2, CLIENT, VIP, [tlv(2, 'a'), tlv(2, 'b')]), /^v2_repeated_authority$/],
    ['v2 empty identity', proxyHeader(2, CLIENT, VIP, [tlv(TLV_IDENTITY, '')]), /^v2_bad_identity$/],
    [
      'v2 identity that is no UTF-8',
      proxyHeader(2, CLIENT, VIP, [tlv(TLV_IDENTITY, Buffer.from([0xff]))]),
      /^v2_bad_identity$/,
    ],
    ['v2 wrong checksum', proxyHeader(2, CLIENT, VIP, [tlv(3, '\0\0\0\0')]), /^v2_bad_checksum$/],
    ['v2 checksum of three bytes', proxyHeader(2, CLIENT, VIP, [tlv(3, '\0\0\0')]), /^v2_bad_checksum$/],
  ];
  for (const [name, bytes, reason] of refused) {
    it(`refuses ${name}, in one piece and in single bytes`, () => {
      assert.match(read(bytes) as string, reason);
      assert.match(readIn([...bytes].map((byte) => Buffer.from([byte]))) as string, reason);
    });
  }

  it('computes CRC-32C', () => {
    // The check value of the algorithm.
    assert.equal(crc32c(Buffer.from('123456789'), 9), 0xe3069283);
    assert.equal(crc32c(Buffer.from([49, 0, 0, 0, 0]), 5), crc32c(Buffer.from([49, 7, 7, 7, 7]), 1));
  });

  const written: [name: string, header: Buffer, expected: string][] = [
    ['v1', proxyHeader(1, CLIENT, VIP, [tlv(2, 'x')]), 'PROXY TCP4 10.1.2.3 10.96.0.7 51000 80\r\n'],
    [
      'v1, families that differ',
      proxyHeader(1, CLIENT, VIP_V6, []),
      'PROXY TCP6 ::ffff:10.1.2.3 fd00:96::7 51000 8080\r\n',
    ],
    ['v1 of our own', proxyHeader(1, null, VIP, []), 'PROXY UNKNOWN\r\n'],
  ];
  for (const [name, header, expected] of written) {
    it(`writes ${name}`, () => assert.equal(header.toString('latin1'), expected));
  }

  it('writes families that differ as IPv6 in version 2', () => {
    const header = proxyHeader(2, CLIENT, VIP_V6, []);
    assert.equal(header[13], 0x21);
    assert.deepEqual(read(header), { end: header.length, source: CLIENT, destination: VIP_V6, ...plain });
  });

  const port = fc.integer({ min: 0, max: 65_535 });
  const addresses = fc.oneof(
    fc.tuple(fc.ipV4(), fc.ipV4()),
    fc.tuple(fc.ipV6(), fc.ipV6()),
    fc.tuple(fc.ipV4(), fc.ipV6()),
  );
  const headers = fc
    .record({
      version: fc.constantFrom(1 as const, 2 as const),
      addresses,
      ports: fc.tuple(port, port),
      tlvs: fc.array(
        fc.record({ type: fc.integer({ min: 0x30, max: 0xcf }), value: fc.uint8Array({ maxLength: 60 }) }),
        {
          maxLength: 5,
        },
      ),
      identity: fc.option(fc.webUrl()),
    })
    .map(({ version, addresses: [from, to], ports, tlvs, identity }) => {
      const parts = tlvs.map(({ type, value }) => ({ type, value: Buffer.from(value) }));
      if (identity !== null) parts.push({ type: TLV_IDENTITY, value: Buffer.from(identity) });
      return proxyHeader(version, { address: from, port: ports[0] }, { address: to, port: ports[1] }, parts);
    });

  it('reads what it writes, split anywhere', () => {
    fc.assert(
      fc.property(headers, fc.array(fc.nat(300), { maxLength: 5 }), (header, cuts) => {
        const whole = read(header);
        assert.equal(typeof whole, 'object');
        assert.deepEqual(readIn(pieces(header, cuts)), whole);
      }),
    );
  });

  it('says the same of damaged headers, however they are split, and never reads beyond', () => {
    const damage = fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(headers, damage, fc.array(fc.nat(300), { maxLength: 5 }), (header, edits, cuts) => {
        const bytes = Buffer.concat([header, Buffer.from('GET')]);
        for (const [at, byte] of edits) bytes[at % header.length] = byte;
        const whole = read(bytes);
        assert.deepEqual(readIn(pieces(bytes, cuts)), whole);
        if (typeof whole === 'object') assert.ok(whole.end <= bytes.length);
      }),
      { numRuns: 1000 },
    );
  });
});

function pieces(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return places.slice(1).map((end, index) => bytes.subarray(places[index]!, end));
}
