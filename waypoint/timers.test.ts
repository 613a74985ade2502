import assert from 'node:assert/strict';
import { Timer, Timers } from './timers.ts';

describe('timers', () => {
  it('fires in order of their limits, not of their arming', async () => {
    const timers = new Timers();
    const fired: number[] = [];
    await new Promise<void>((resolve) => {
      const base = performance.now();
      const target = {
        onTimer(timer: Timer): void {
          fired.push(Math.round(timer.at - base));
          if (fired.length === 4) resolve();
        },
      };
      for (const delay of [30, 5, 20, 10]) timers.schedule(new Timer(target), base + delay);
      // What keeps the process alive is the caller's business; here it is this handle.
      const alive = setInterval(() => fired.length === 4 && clearInterval(alive), 1);
    });
    assert.deepEqual(fired, [5, 10, 20, 30]);
  });

  it('never fires early, and neither a cancelled nor a moved one at its old limit', async () => {
    const timers = new Timers();
    const fired: string[] = [];
    const base = performance.now();
    await new Promise<void>((resolve) => {
      const alive = setInterval(() => {}, 1000);
      const named = (name: string, last: () => void = () => {}): Timer =>
        new Timer({
          onTimer(timer, now) {
            assert.ok(now >= timer.at, `${name} fired ${timer.at - now} ms early`);
            fired.push(name);
            last();
          },
        });
      const cancelled = named('cancelled');
      const moved = named('moved', () => {
        clearInterval(alive);
        resolve();
      });
      timers.schedule(cancelled, base + 2);
      timers.schedule(moved, base + 1);
      timers.schedule(named('stays'), base + 5);
      timers.schedule(moved, base + 15);
      timers.cancel(cancelled);
      timers.cancel(cancelled);
    });
    assert.deepEqual(fired, ['stays', 'moved']);
  });

  it('keeps its heap straight under any sequence of arming and cancelling', () => {
    const timers = new Timers();
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff;
      return seed % below;
    };
    const all = Array.from({ length: 200 }, () => new Timer({ onTimer() {} }));
    const far = performance.now() + 1e6;
    const armed = new Set<Timer>();
    for (let step = 0; step < 5000; step++) {
      const timer = all[random(all.length)]!;
      if (random(3) === 0) {
        timers.cancel(timer);
        armed.delete(timer);
      } else {
        timers.schedule(timer, far + random(1000));
        armed.add(timer);
      }
    }
    for (const timer of all) assert.equal(timer.index >= 0, armed.has(timer));
    assert.equal(new Set([...armed].map((timer) => timer.index)).size, armed.size);
    timers.close();
    assert.ok(all.every((timer) => timer.index === -1));
  });
});
