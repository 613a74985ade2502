// Queries as clients, broken clients and attackers send them: what is read, what is refused, and that nothing throws.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { query, read } from '../../../test/harness/dns.ts';
import { readQuestion } from './codec.ts';
import { Forwarder } from './forwarder.ts';
import { RCODE, readQuery } from './query.ts';
import { type QueryResult, Responder } from './responder.ts';
import { isAnswerTo } from './upstream.ts';
import { Zone } from './zone.ts';

const HEADER = (flags: number, ...counts: readonly number[]): number[] => [
  0,
  7,
  flags >> 8,
  flags & 255,
  ...counts.flatMap((n) => [n >> 8, n & 255]),
];
const ONE = HEADER(0x0100, 1, 0, 0, 0);
const A_IN = [0, 1, 0, 1];
const OPT = (size: number, version: number, options: readonly number[] = []): number[] => [
  0,
  0,
  41,
  size >> 8,
  size & 255,
  0,
  version,
  0x80,
  0,
  0,
  options.length,
  ...options,
];
const LABEL_63 = [63, ...new Array<number>(63).fill(97)];

function verdict(bytes: readonly number[]): string {
  const read = readQuery(Buffer.from(bytes));
  return read === null ? 'silence' : (Object.entries(RCODE).find(([, value]) => value === read.verdict)?.[0] as string);
}

describe('a query', () => {
  const cases: readonly (readonly [name: string, bytes: readonly number[], expected: string])[] = [
    ['of nothing', [], 'silence'],
    ['shorter than a header', ONE.slice(0, 11), 'silence'],
    ['that is an answer', HEADER(0x8180, 1, 0, 0, 0), 'silence'],
    ['without a question', HEADER(0x0100, 0, 0, 0, 0), 'FORMERR'],
    ['with a header alone', ONE, 'FORMERR'],
    ['for the root', [...ONE, 0, ...A_IN], 'NOERROR'],
    ['for one label', [...ONE, 1, 97, 0, ...A_IN], 'NOERROR'],
    ['with two questions', [...HEADER(0x0100, 2, 0, 0, 0), 1, 97, 0, ...A_IN, 1, 98, 0, ...A_IN], 'FORMERR'],
    ['that counts 65535 questions', [...HEADER(0x0100, 65_535, 0, 0, 0), 1, 97, 0, ...A_IN], 'FORMERR'],
    ['with an answer', [...HEADER(0x0100, 1, 1, 0, 0), 0, ...A_IN], 'FORMERR'],
    ['with an authority', [...HEADER(0x0100, 1, 0, 1, 0), 0, ...A_IN], 'FORMERR'],
    ['that counts a record that is not there', [...HEADER(0x0100, 1, 0, 0, 1), 0, ...A_IN], 'FORMERR'],
    ['that counts 65535 of them', [...HEADER(0x0100, 1, 0, 0, 65_535), 0, ...A_IN], 'FORMERR'],
    ['without type and class', [...ONE, 1, 97, 0], 'FORMERR'],
    ['with half a class', [...ONE, 1, 97, 0, 0, 1, 0], 'FORMERR'],
    ['with a name that does not end', [...ONE, 5, 97, 97], 'FORMERR'],
    ['with a name that points at itself', [...ONE, 0xc0, 12, ...A_IN], 'FORMERR'],
    ['with a label that points at its name', [...ONE, 1, 97, 0xc0, 12, ...A_IN], 'FORMERR'],
    ['with a name that points ahead', [...ONE, 0xc0, 30, ...A_IN, ...A_IN], 'FORMERR'],
    ['with a label of an unknown kind', [...ONE, 0x41, 97, 0, ...A_IN], 'FORMERR'],
    [
      'of 255 bytes of name',
      [...ONE, ...LABEL_63, ...LABEL_63, ...LABEL_63, 61, ...LABEL_63.slice(0, 61), 0, ...A_IN],
      'NOERROR',
    ],
    [
      'of 256 bytes of name',
      [...ONE, ...LABEL_63, ...LABEL_63, ...LABEL_63, 62, ...LABEL_63.slice(0, 62), 0, ...A_IN],
      'FORMERR',
    ],
    ['with EDNS', [...HEADER(0x0100, 1, 0, 0, 1), 0, ...A_IN, ...OPT(1232, 0)], 'NOERROR'],
    ['with a cookie', [...HEADER(0x0100, 1, 0, 0, 1), 0, ...A_IN, ...OPT(1232, 0, [0, 10, 0, 2, 9, 9])], 'NOERROR'],
    ['with EDNS of another version', [...HEADER(0x0100, 1, 0, 0, 1), 0, ...A_IN, ...OPT(1232, 1)], 'BADVERS'],
    ['with EDNS twice', [...HEADER(0x0100, 1, 0, 0, 2), 0, ...A_IN, ...OPT(1232, 0), ...OPT(1232, 0)], 'FORMERR'],
    ['with EDNS of a name', [...HEADER(0x0100, 1, 0, 0, 1), 0, ...A_IN, 1, 97, ...OPT(1232, 0)], 'FORMERR'],
    [
      'with an option longer than its record',
      [...HEADER(0x0100, 1, 0, 0, 1), 0, ...A_IN, ...OPT(1232, 0, [0, 10, 0, 9, 1])],
      'FORMERR',
    ],
    [
      'with a record longer than the message',
      [...HEADER(0x0100, 1, 0, 0, 1), 0, ...A_IN, 0, 0, 41, 4, 0, 0, 0, 0, 0, 0, 9],
      'FORMERR',
    ],
    [
      'with a signature behind EDNS',
      [...HEADER(0x0100, 1, 0, 0, 2), 0, ...A_IN, ...OPT(1232, 0), 0xc0, 12, 0, 250, 0, 255, 0, 0, 0, 0, 0, 1, 7],
      'NOERROR',
    ],
    ['that is an update', [...HEADER(0x2800, 1, 0, 0, 0), 0, ...A_IN], 'NOTIMP'],
    ['that is a notification', [...HEADER(0x2000, 1, 0, 0, 0), 0, ...A_IN], 'NOTIMP'],
    ['of more bytes than anybody needs', [...ONE, 0, ...A_IN, ...new Array<number>(4096).fill(0)], 'FORMERR'],
    ['with bytes behind it', [...ONE, 0, ...A_IN, 1, 2, 3], 'NOERROR'],
  ];
  for (const [name, bytes, expected] of cases) it(name, () => assert.equal(verdict(bytes), expected));

  it('tells what an answer repeats', () => {
    const { id, flags, edns, question } = readQuery(
      query('a.b', { id: 4711, flags: 0x0130, size: 4096, dnssec: true }),
    )!;
    assert.equal(id, 4711);
    assert.equal(flags, 0x0110, 'RD and CD, not AD');
    assert.deepEqual(edns, { size: 4096, version: 0, dnssec: true });
    assert.deepEqual([...question!], [1, 97, 1, 98, 0, 0, 1, 0, 1]);
  });

  const names: readonly (readonly [name: string, bytes: readonly number[], isPlain: boolean])[] = [
    ['a-b_9.Z', [5, 97, 45, 98, 95, 57, 1, 90, 0, ...A_IN], true],
    ['', [0, ...A_IN], true],
    // A dot within a label makes another name read like one of ours.
    ['a.b', [3, 97, 46, 98, 0, ...A_IN], false],
    ['\0', [1, 0, 0, ...A_IN], false],
    ['é', [2, 0xc3, 0xa9, 0, ...A_IN], false],
  ];
  for (const [name, bytes, isPlain] of names) {
    it(`for ${JSON.stringify(name)} is ${isPlain ? 'plain' : 'not plain'}`, () => {
      assert.deepEqual(readQuestion(Uint8Array.from(bytes)), { name, type: 'A', class: 'IN', isPlain });
    });
  }
});

describe('whatever arrives', () => {
  const service = { namespace: 'n', name: 's', isHome: true, vips: ['127.0.0.9'], addresses: [] };
  const zone = new Zone([{ ...service, ports: [{ name: 'http', port: 80 }] }], 'c.l', 1);
  const counted: QueryResult[] = [];
  const forwarder = new Forwarder({ resolvers: () => [], count: () => {} });
  const responder = new Responder({ forwarder, mayForward: () => true, count: (result) => counted.push(result) });
  responder.zone = zone;

  /** Asks, and checks what holds for any answer. */
  function ask(message: Buffer): void {
    counted.length = 0;
    const answers: Buffer[] = [];
    const wait = responder.answer(message, { address: '127.0.0.1', transport: 'udp' }, (answer) =>
      answers.push(answer),
    );
    assert.equal(wait, null);
    assert.equal(counted.length, 1, 'every query is counted once');
    assert.equal(answers.length, counted[0] === 'dropped' ? 0 : 1);
    for (const answer of answers) {
      assert.ok(answer.length <= 1232);
      assert.equal(answer.readUInt16BE(0), message.readUInt16BE(0));
      const parsed = read(answer);
      assert.ok(parsed.flag_qr);
      // Nobody answers answers, so no two servers go on for ever.
      assert.equal(readQuery(answer), null);
    }
  }

  const byte = fc.integer({ min: 0, max: 255 });
  const seeds = [
    query('s.n.svc.c.l', { size: 1232 }),
    query('_http._tcp.s', { type: 'SRV' }),
    query('9.0.0.127.in-addr.arpa', { type: 'PTR', size: 512 }),
    query('x.y', { type: 'ANY' }),
  ];

  it('of random bytes is survived', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => ask(Buffer.from(bytes))),
      { numRuns: 2000 },
    );
  });

  it('of random bytes behind a sound header is survived', () => {
    const property = fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(5), (bytes, additionals) =>
      ask(Buffer.from([...HEADER(0x0100, 1, 0, 0, additionals), ...bytes])),
    );
    fc.assert(property, { numRuns: 2000 });
  });

  it('of queries with some bytes changed, cut or added is survived', () => {
    const edits = fc.array(fc.tuple(fc.nat(60), byte), { maxLength: 6 });
    const property = fc.property(
      fc.constantFrom(...seeds),
      edits,
      fc.nat(60),
      fc.uint8Array({ maxLength: 20 }),
      (seed, changes, cut, more) => {
        const message = Buffer.concat([seed, more]);
        for (const [at, value] of changes) if (at < message.length) message[at] = value;
        ask(message);
        ask(message.subarray(0, cut));
      },
    );
    fc.assert(property, { numRuns: 2000 });
  });

  it('is an answer only if it is whole and to the question', () => {
    const asked = query('Some.Name', { id: 77 });
    const answer = Buffer.from(asked);
    answer.writeUInt16BE(0x8180, 2);
    assert.ok(isAnswerTo(answer, asked));
    const upper = Buffer.from(answer);
    upper.write('sOME', 13);
    assert.ok(isAnswerTo(upper, asked), 'another case');
    const property = fc.property(fc.nat(answer.length - 1), byte, (at, value) => {
      const changed = Buffer.from(answer);
      changed[at] = value;
      if (changed.equals(answer)) return;
      const isCase =
        at > 12 && at < 22 && (value | 0x20) === (answer[at]! | 0x20) && /[a-z]/i.test(String.fromCharCode(value));
      // Bits of the answer itself: AA, TC, RD; RA, Z, AD, CD, the code.
      const isOfAnswer = (at === 2 && (value & 0xf8) === 0x80) || at === 3;
      assert.equal(isAnswerTo(changed, asked), isCase || isOfAnswer, `byte ${at}: ${value}`);
    });
    fc.assert(property, { numRuns: 2000 });
  });

  it('as the answer of a resolver never throws', () => {
    const asked = query('a', { id: 7 });
    const property = fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(fc.nat(9), { minLength: 3, maxLength: 3 }),
      (bytes, counts) => {
        const head = Buffer.from([...HEADER(0x8180, 1, ...counts), ...asked.subarray(12), ...bytes]);
        assert.equal(typeof isAnswerTo(head, asked), 'boolean');
        assert.equal(typeof isAnswerTo(Buffer.from(bytes), asked), 'boolean');
      },
    );
    fc.assert(property, { numRuns: 2000 });
  });
});
