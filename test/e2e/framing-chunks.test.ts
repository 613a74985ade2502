// Chunked request bodies (F0, F11, F13 – F17): a fault on the way never looks like an end at the backend.

import assert from 'node:assert/strict';
import { RawClient } from '../harness/raw-client.ts';
import { expectAborted, expectArrived, expectForwarded, probe } from '../harness/verdict.ts';
import { World } from '../harness/world.ts';

const HEAD = 'POST /c HTTP/1.1\r\nHost: test.example\r\nTransfer-Encoding: chunked\r\n\r\n';
const EXTENSION_LIMIT = 16_384;

const FAULTS: readonly (readonly [name: string, chunks: string])[] = [
  ['F0 size 0_2e', '0_2e\r\n'],
  ['F0 size Z', 'Z\r\nZZ\r\n'],
  ['F0 size line ended by LF', '1\nx\r\n0\r\n\r\n'],
  ['F11 bare LF behind the data', '1\r\nx\n0\r\n\r\n'],
  ['F11 bare LF behind the last chunk', '1\r\nx\r\n0\n\r\n'],
  ['F11 bare LF in a trailer', '1\r\nx\r\n0\r\nX-T: a\nX-U: b\r\n\r\n'],
  ['F11 bare CR in a trailer', '1\r\nx\r\n0\r\nX-T: a\rX-U: b\r\n\r\n'],
  ['F11 bare LF as the end', '1\r\nx\r\n0\r\n\n'],
  ['F11 bare CR behind the size', '1\rx\r\n0\r\n\r\n'],
  ['F13 size 0x1', '0x1\r\nx\r\n0\r\n\r\n'],
  ['F13 size +1', '+1\r\nx\r\n0\r\n\r\n'],
  ['F13 size -1', '-1\r\nx\r\n0\r\n\r\n'],
  ['F13 space before the size', ' 1\r\nx\r\n0\r\n\r\n'],
  ['F13 space behind the size', '1 \r\nx\r\n0\r\n\r\n'],
  ['F13 tab behind the size', '1\t\r\nx\r\n0\r\n\r\n'],
  ['F13 empty size', '\r\nx\r\n0\r\n\r\n'],
  ['F13 empty size with an extension', ';a=b\r\nx\r\n0\r\n\r\n'],
  ['F13 size G', 'G\r\nx\r\n0\r\n\r\n'],
  ['F13 17 hex digits', '00000000000000001\r\nx\r\n0\r\n\r\n'],
  ['F13 16 hex digits beyond 2^53', 'ffffffffffffffff\r\nx\r\n0\r\n\r\n'],
  ['F13 minus zero', '-0\r\n\r\n'],
  ['F14 extensions of more than 16 KiB in one chunk', `1;a=${'b'.repeat(EXTENSION_LIMIT + 1)}\r\nx\r\n0\r\n\r\n`],
  ['F14 extensions of more than 16 KiB over many chunks', `${`1;a=${'b'.repeat(1000)}\r\nx\r\n`.repeat(20)}0\r\n\r\n`],
  ['F15 2 CR CR ;a', '2\r\r;a\r\nxy\r\n0\r\n\r\n'],
  ['F15 1; LF', '1;\nx\r\n0\r\n\r\n'],
  ['F15 CR CR in an extension', `41;a=b\r\rX${'A'.repeat(64)}\r\n0\r\n\r\n`],
  ['F15 LF in an extension', '1;a=\nb\r\nx\r\n0\r\n\r\n'],
  ['F15 NUL in an extension', '1;a=\x00\r\nx\r\n0\r\n\r\n'],
  ['F16 data followed by two other bytes', '1\r\nxXX0\r\n\r\n'],
  ['F16 data longer than its size', '1\r\nxy\r\n0\r\n\r\n'],
  ['F16 data followed by LF CR', '1\r\nx\n\r0\r\n\r\n'],
  ['F16 data followed by CR X', '1\r\nx\rX0\r\n\r\n'],
  ['F17 a trailer that is no field', '1\r\nx\r\n0\r\nnothing\r\n\r\n'],
  ['F17 folded trailer', '1\r\nx\r\n0\r\nX-T: a\r\n b\r\n\r\n'],
  ['F17 space before the colon of a trailer', '1\r\nx\r\n0\r\nX-T : a\r\n\r\n'],
];

describe('chunked requests, aborted', () => {
  let world: World;
  before(async () => {
    world = await World.start();
  });
  after(() => world.close());

  for (const [name, chunks] of FAULTS) {
    it(`${name}, with the head`, async () => {
      await expectAborted(world, HEAD + chunks, '');
    });
    it(`${name}, behind a good chunk`, async () => {
      await expectAborted(world, `${HEAD}3\r\nabc\r\n`, chunks);
    });
  }

  it('F13 a size beyond 32 bits does not wrap', async () => {
    const from = world.backend.requests.length;
    const client = await RawClient.connect(world.port);
    await client.send(`${HEAD}100000001\r\nx\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`);
    const request = await world.backend.request(from);
    await request.bodyBytes(30);
    client.destroy();
    await request.connection.closed();
    assert.equal(request.message.complete, false);
    await probe(world);
    await expectArrived(world, from, ['POST /c HTTP/1.1', 'GET /probe HTTP/1.1']);
  });

  it('F0 the client is told 400 while nothing was answered', async () => {
    const answer = await expectAborted(world, `${HEAD}3\r\nabc\r\n`, 'Z\r\n');
    assert.equal(answer?.status, 400);
  });
});

const TRAILERS = [
  'Content-Length: 5',
  'Transfer-Encoding: chunked',
  'Host: evil.example',
  'Authorization: Bearer x',
  'Cookie: a=b',
  'X-Forwarded-For: 6.6.6.6',
  'X-Forwarded-Host: evil.example',
  'Connection: close',
  'Content-Type: text/evil',
  'Set-Cookie: a=b',
  'Via: 1.1 evil',
];

describe('chunked requests, forwarded', () => {
  let world: World;
  before(async () => {
    world = await World.start();
  });
  after(() => world.close());

  const forwarded: readonly (readonly [string, string, string])[] = [
    ['F14 an extension is not forwarded', '5;a=b\r\nhello\r\n0;c="d;e"\r\n\r\n', 'hello'],
    ['upper and lower case sizes', 'A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n', '01234567890123456789'],
    ['leading zeros within 13 digits', '0000000000005\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['several zeros as the last chunk', '5\r\nhello\r\n000\r\n\r\n', 'hello'],
    [
      'data that looks like a message',
      '28\r\nGET /x HTTP/1.1\r\nHost: y\r\n\r\n0\r\n\r\nabcdefg\r\n0\r\n\r\n',
      'GET /x HTTP/1.1\r\nHost: y\r\n\r\n0\r\n\r\nabcdefg',
    ],
    ['an empty body', '0\r\n\r\n', ''],
  ];
  for (const [name, chunks, body] of forwarded) {
    it(name, async () => {
      const { request } = await expectForwarded(world, HEAD + chunks, { body });
      assert.doesNotMatch(request.connection.received, /;a=b|c="d/);
    });
  }

  it('an ordinary trailer goes on', async () => {
    const { request } = await expectForwarded(world, `${HEAD}5\r\nhello\r\n0\r\nX-Checksum: abc\r\n\r\n`);
    assert.deepEqual(request.message.trailers, [['x-checksum', 'abc']]);
  });

  for (const trailer of TRAILERS) {
    it(`F17 the trailer ${trailer} goes no further`, async () => {
      const { request } = await expectForwarded(world, `${HEAD}5\r\nhello\r\n0\r\n${trailer}\r\n\r\n`, {
        body: 'hello',
      });
      const [name, value] = trailer.split(': ') as [string, string];
      assert.deepEqual(request.message.trailers, []);
      const merged = request.message
        .values(name.toLowerCase())
        .filter((v) => v === value && name !== 'Transfer-Encoding');
      assert.deepEqual(merged, [], 'not merged into the head');
    });
  }
});
