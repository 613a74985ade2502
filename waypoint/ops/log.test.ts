import assert from 'node:assert/strict';
import { createLog } from './log.ts';

describe('createLog', () => {
  const levels = ['error', 'warn', 'info', 'debug'] as const;
  for (const [index, level] of levels.entries()) {
    it(`says nothing below ${level}`, () => {
      const lines: string[] = [];
      const log = createLog(level, (text) => lines.push(text));
      for (const each of levels) log[each](each);
      assert.deepEqual(
        lines.map((line) => line.split(/ +/)[1]),
        levels.slice(0, index + 1),
      );
    });
  }

  it('keeps every message to its own indented lines', () => {
    let text = '';
    createLog('info', (line) => {
      text += line;
    }).info('café:\n\u001b[2Jgone');
    assert.match(text, /^\d{4}-[^ ]+Z info {2}café:\n {4}\\u001b\[2Jgone\n$/);
  });
});
