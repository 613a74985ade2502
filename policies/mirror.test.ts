import assert from 'node:assert/strict';
import { decodeMirror, describeMirror, type MirrorPlan, shouldMirror } from './mirror.ts';

const backendRef = { name: 'orders-next', port: 80 };

function plan(numerator: number, denominator: number, backend: string | null = 'shop/orders-next:80'): MirrorPlan {
  return { backend, failure: null, numerator, denominator, afterFilter: 0 };
}

describe('mirror', () => {
  const DECODED: readonly (readonly [name: string, settings: object, share: readonly [number, number] | string])[] = [
    ['every request unless told', { backendRef }, [100, 100]],
    ['percent', { backendRef, percent: 20 }, [20, 100]],
    ['percent 0', { backendRef, percent: 0 }, [0, 100]],
    ['fraction', { backendRef, fraction: { numerator: 25, denominator: 50 } }, [25, 50]],
    ['fraction of 100 unless told', { backendRef, fraction: { numerator: 35 } }, [35, 100]],
    ['percent and fraction', { backendRef, percent: 1, fraction: { numerator: 1 } }, 'f'],
    ['more than all', { backendRef, percent: 101 }, 'f.percent'],
    ['less than none', { backendRef, fraction: { numerator: -1 } }, 'f.fraction'],
    ['denominator 0', { backendRef, fraction: { numerator: 0, denominator: 0 } }, 'f.fraction'],
    ['no backendRef', { percent: 1 }, 'f.backendRef'],
  ];
  for (const [name, settings, expected] of DECODED) {
    it(`decodes: ${name}`, () => {
      const paths: string[] = [];
      const mirror = decodeMirror(settings, 'f', { unsupported: (path) => paths.push(path) }, 2);
      if (typeof expected === 'string') {
        assert.deepEqual([mirror, paths], [null, [expected]]);
      } else {
        const [numerator, denominator] = expected;
        assert.deepEqual(mirror, { backendRef, path: 'f.backendRef', numerator, denominator, afterFilter: 2 });
      }
    });
  }

  const CHOSEN: readonly (readonly [name: string, plan: MirrorPlan, random: number, copied: boolean])[] = [
    ['all, lowest', plan(100, 100), 0, true],
    ['all, highest', plan(100, 100), 1 - Number.EPSILON, true],
    ['none, lowest', plan(0, 100), 0, false],
    ['a fifth, below', plan(20, 100), 0.199, true],
    ['a fifth, at', plan(20, 100), 0.2, false],
    ['half of 50', plan(25, 50), 0.49, true],
    ['half of 50, at', plan(25, 50), 0.5, false],
    ['without backend', plan(100, 100, null), 0, false],
  ];
  for (const [name, mirror, random, copied] of CHOSEN) {
    it(`chooses: ${name}`, () => assert.equal(shouldMirror(mirror, random), copied));
  }

  it('describes itself', () => {
    assert.equal(describeMirror(plan(1, 1)), 'RequestMirror: a copy of every request to shop/orders-next:80');
    assert.equal(describeMirror(plan(1, 4)), 'RequestMirror: a copy of 1/4 of requests to shop/orders-next:80');
    const failure = { reason: 'BackendNotFound', message: 'no Service shop/gone' };
    assert.equal(
      describeMirror({ ...plan(1, 1, null), failure }),
      'RequestMirror: nothing is copied (no Service shop/gone)',
    );
  });
});
