import assert from 'node:assert/strict';
import fc from 'fast-check';
import { elementAt, elementsBetween } from './der.ts';

describe('DER', () => {
  for (const [name, hex, expected] of [
    ['a short length', '0401ff', [2, 3]],
    ['no content', '0500', [2, 2]],
    ['a length of 128 in two bytes', `048180${'00'.repeat(128)}`, [3, 131]],
    ['a length of 256 in three bytes', `04820100${'00'.repeat(256)}`, [4, 260]],
    ['nothing', '', null],
    ['half a header', '04', null],
    ['a tag of two bytes', '1f0100', null],
    ['content that is cut short', '0402ff', null],
    ['an indefinite length', '30800000', null],
    ['a length that fits in one byte in two', '048101ff', null],
    ['a length with a zero in front', '04820001ff', null],
    ['a length of five bytes', '04850000000001ff', null],
    ['the longest length there is', '0484ffffffff00', null],
    ['a length that is cut short', '0482ff', null],
  ] as const) {
    it(`${expected === null ? 'refuses' : 'reads'} ${name}`, () => {
      const bytes = Buffer.from(hex, 'hex');
      const element = elementAt(bytes, 0, bytes.length);
      assert.deepEqual(element && [element.start, element.end], expected);
    });
  }

  it('reads elements side by side, all of them or none', () => {
    const sizes = (hex: string): readonly number[] | undefined => {
      const bytes = Buffer.from(hex, 'hex');
      return elementsBetween(bytes, 0, bytes.length)?.map(({ from, end }) => end - from);
    };
    assert.deepEqual(sizes(''), []);
    assert.deepEqual(sizes('05000401ff'), [2, 3]);
    assert.equal(sizes('05000401'), undefined);
    assert.equal(sizes('0500ff'), undefined);
  });

  it('stays within its bounds whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(45), fc.nat(45), (bytes, at, length) => {
        const end = Math.min(bytes.length, at + length);
        const element = elementAt(bytes, at, end);
        if (element === null) return;
        assert.ok(element.from === at && element.start >= at + 2 && element.end >= element.start && element.end <= end);
      }),
    );
  });
});
