import assert from 'node:assert/strict';
import { responseHead } from '../test/harness/heads.ts';
import { applyHeaderEdits, isAnswerable, isEditable, isFieldContent } from './header-edits.ts';

describe('edits of an outside service', () => {
  it('remove, then set, then append', () => {
    const { fields } = responseHead(200, [
      ['A', '1'],
      ['b', '1'],
      ['B', '2'],
      ['c', '1'],
    ]);
    applyHeaderEdits({ remove: ['c', 'd'], set: [['b', '3']], append: [['a', '2']] }, fields);
    assert.deepEqual(fields.entries(), [
      ['A', '1'],
      ['b', '3'],
      ['a', '2'],
    ]);
  });

  const names: readonly (readonly [name: string, editable: boolean, answerable: boolean])[] = [
    ['x-user', true, true],
    ['authorization', true, true],
    ['__proto__', true, true],
    ['host', false, true],
    [':authority', false, false],
    ['content-length', false, false],
    ['transfer-encoding', false, false],
    ['connection', false, false],
    ['te', false, false],
    ['upgrade', false, false],
    ['x-forwarded-for', false, true],
    ['x-forwarded-client-cert', false, true],
    ['x_forwarded_client_cert', false, true],
    ['x.forwarded-for', false, true],
    ['x-waypoint-identity', false, true],
    ['x-forwarded-user', true, true],
    ['via', false, true],
    ['x-request-id', false, false],
    ['date', true, false],
    ['', false, false],
    ['a b', false, false],
    ['a\r\nb', false, false],
  ];
  for (const [name, editable, answerable] of names) {
    it(`${JSON.stringify(name)} in a request: ${editable}, in an answer: ${answerable}`, () => {
      assert.deepEqual([isEditable(name), isAnswerable(name)], [editable, answerable]);
    });
  }

  for (const [value, expected] of [
    ['', true],
    ['a\tb c', true],
    ['Ã¤', true],
    ['a\rb', false],
    ['a\nb', false],
    ['a\0b', false],
    ['a\x7fb', false],
    ['a\u010ab', false],
  ] as const) {
    it(`value ${JSON.stringify(value)}: ${expected}`, () => assert.equal(isFieldContent(value), expected));
  }
});
