import assert from 'node:assert/strict';
import fc from 'fast-check';
import { distinguishedName } from './distinguished-name.ts';

const COMMON_NAME = '0603550403';
const ORGANISATION = '060355040a';
const [UTF8, PRINTABLE, BMP, TELETEX] = [0x0c, 0x13, 0x1e, 0x14];

function element(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const inner = Buffer.concat(content);
  return Buffer.concat([Buffer.from(inner.length < 0x80 ? [tag, inner.length] : [tag, 0x81, inner.length]), inner]);
}

function attribute(type: string, tag: number, value: string | Uint8Array): Buffer {
  return element(0x30, Buffer.from(type, 'hex'), element(tag, typeof value === 'string' ? Buffer.from(value) : value));
}

/** A name of relative names of one attribute each. */
function name(...attributes: readonly Buffer[]): Buffer {
  return element(0x30, ...attributes.map((each) => element(0x31, each)));
}

describe('distinguishedName', () => {
  for (const [what, der, expected] of [
    ['the empty name', name(), ''],
    ['one attribute', name(attribute(COMMON_NAME, UTF8, 'shop')), 'CN=shop'],
    [
      'the most specific first',
      name(attribute(ORGANISATION, PRINTABLE, 'Shops'), attribute(COMMON_NAME, UTF8, 'a.example')),
      'CN=a.example,O=Shops',
    ],
    [
      'attributes that belong together',
      element(0x30, element(0x31, attribute(COMMON_NAME, UTF8, 'a'), attribute(ORGANISATION, UTF8, 'b'))),
      'CN=a+O=b',
    ],
    ['separators', name(attribute(COMMON_NAME, UTF8, 'a,b;c=d+e')), 'CN=a\\2Cb\\3Bc\\3Dd\\2Be'],
    ['a quote and a backslash', name(attribute(COMMON_NAME, UTF8, 'a"b\\')), 'CN=a\\22b\\5C'],
    ['spaces at the ends only', name(attribute(COMMON_NAME, UTF8, ' a b ')), 'CN=\\20a b\\20'],
    ['line breaks and a NUL', name(attribute(COMMON_NAME, UTF8, 'a\r\nb\0')), 'CN=a\\0D\\0Ab\\00'],
    ['letters beyond ASCII', name(attribute(COMMON_NAME, UTF8, 'ä')), 'CN=\\C3\\A4'],
    ['strings of other kinds', name(attribute(COMMON_NAME, BMP, new Uint8Array([0, 0x61]))), 'CN=#1e020061'],
    ['strings of old kinds', name(attribute(COMMON_NAME, TELETEX, 'a')), 'CN=#140161'],
    ['an attribute without a keyword', name(attribute('06032a0304', UTF8, 'a')), '1.2.3.4=#0c0161'],
    ['an attribute of a large number', name(attribute('0603883703', UTF8, 'a')), '2.999.3=#0c0161'],
  ] as const) {
    it(`writes ${what}`, () => assert.equal(distinguishedName(der), expected));
  }

  for (const [what, der] of [
    ['nothing', Buffer.alloc(0)],
    ['two names', Buffer.concat([name(), name()])],
    ['another element', element(0x31)],
    ['a name that is cut short', name(attribute(COMMON_NAME, UTF8, 'shop')).subarray(0, -1)],
    ['an empty relative name', element(0x30, element(0x31))],
    ['an attribute without a value', element(0x30, element(0x31, element(0x30, Buffer.from(COMMON_NAME, 'hex'))))],
  ] as const) {
    it(`refuses ${what}`, () => assert.equal(distinguishedName(der), null));
  }

  it('never has a character that ends a quoted string or a header', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const text = distinguishedName(name(attribute(COMMON_NAME, UTF8, bytes)));
        assert.match(text as string, /^CN=(?:[^"\\,;=\x00-\x1f\x7f-\uffff]|\\[0-9A-F]{2})*$/);
      }),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => void distinguishedName(bytes)));
  });
});
