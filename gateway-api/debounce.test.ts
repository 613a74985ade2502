import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { Debounce } from './debounce.ts';

describe('debounce', () => {
  it('hurries at most once in a turn', async () => {
    let runs = 0;
    const debounce = new Debounce(() => runs++);
    debounce.hurry();
    debounce.hurry();
    assert.equal(runs, 0);
    await turn();
    assert.equal(runs, 1);
  });

  it('does not hurry while it waits for a pause, nor right behind a run', async () => {
    const ran = new EventTarget();
    let runs = 0;
    const debounce = new Debounce(() => {
      runs++;
      ran.dispatchEvent(new Event('run'));
    });
    debounce.touch();
    debounce.hurry();
    await turn();
    assert.equal(runs, 0);
    await once(ran, 'run');
    debounce.hurry();
    await turn();
    assert.equal(runs, 1);
    await once(ran, 'run');
    assert.equal(runs, 2);
  });

  it('runs no more once it is closed', async () => {
    const debounce = new Debounce(() => assert.fail('ran'));
    debounce.hurry();
    debounce.close();
    await turn();
  });
});
