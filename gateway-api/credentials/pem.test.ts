import assert from 'node:assert/strict';
import { pemBlocks } from './pem.ts';

const A = '-----BEGIN A-----\nAAAA\n-----END A-----';
const B = '-----BEGIN B B-----\r\nBBBB\r\n-----END B B-----';

describe('blocks of PEM', () => {
  const cases: [name: string, text: string, expected: string[]][] = [
    ['nothing', '', []],
    ['no PEM', 'hello', []],
    ['one', A, ['A']],
    ['several, with words between them', `of shop:\n${A}\nand\n${B}\nend`, ['A', 'B B']],
    ['without a line break between them', A + A, ['A', 'A']],
    ['cut off', A.slice(0, -3), []],
    ['cut off behind a whole one', A + B.slice(0, -3), ['A']],
    ['an END of another label', '-----BEGIN A-----\nAAAA\n-----END B-----', []],
    ['a label without an end', '-----BEGIN A', []],
    ['an empty label', '-----BEGIN -----\n-----END -----', ['']],
  ];
  for (const [name, text, expected] of cases) {
    it(name, () =>
      assert.deepEqual(
        pemBlocks(text).map(({ label }) => label),
        expected,
      ),
    );
  }

  it('stand alone, with a line break behind', () => {
    assert.deepEqual(pemBlocks(`x${A}y`), [{ label: 'A', text: `${A}\n` }]);
  });

  it('are found in time that grows with the text alone', () => {
    const many = '-----BEGIN A-----\n'.repeat(200_000);
    assert.deepEqual(pemBlocks(many), []);
    assert.deepEqual(pemBlocks('-----BEGIN '.repeat(200_000)), []);
  });
});
