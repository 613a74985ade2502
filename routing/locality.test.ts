import assert from 'node:assert/strict';
import { backendOf } from '../test/harness/endpoints.ts';
import type { EndpointData } from './endpoint.ts';

const inZone = (...zones: string[]): Partial<EndpointData>[] =>
  zones.map((zone) => (zone === '-' ? {} : { zone, hints: [] }));
const hinted = (...hints: string[]): Partial<EndpointData>[] =>
  hints.map((text) => ({ zone: 'z', hints: text === '-' ? [] : text.split('+') }));

describe('what is near, seen from zone a', () => {
  const rows: readonly (readonly [
    name: string,
    endpoints: Partial<EndpointData>[],
    out: number[],
    local: number[],
    share: number,
  ])[] = [
    ['zones alike', inZone('a', 'b', 'a', 'b'), [], [0, 2], 1],
    [
      'a little short: it is not worth leaving',
      inZone('a', 'a', 'a', 'a', 'a', 'b', 'b', 'b', 'b', 'b', 'b'),
      [],
      [0, 1, 2, 3, 4],
      1,
    ],
    ['one of four', inZone('a', 'b', 'b', 'b'), [], [0], 0.6],
    ['one of nine in three zones', inZone('a', 'b', 'b', 'b', 'b', 'c', 'c', 'c', 'c'), [], [0], 0.4],
    ['half of the zone is out', inZone('a', 'a', 'b', 'b'), [0], [1], 0.8],
    ['half of the other zone is out', inZone('a', 'a', 'b', 'b'), [3], [0, 1], 1],
    ['all of the zone is out', inZone('a', 'b', 'b', 'b'), [0], [], 0],
    ['none in the zone', inZone('b', 'c'), [], [], 0],
    ['no zones', inZone('-', '-'), [], [], 0],
    ['some without a zone', inZone('a', '-'), [], [0], 1],
    ['hints', hinted('a', 'b', 'a+b', 'c'), [], [0, 2], 1],
    ['hinted ones are out', hinted('a', 'b', 'a', 'a+b', 'c', 'c'), [0, 2], [3], 0.4],
    ['a hint is missing', [...hinted('a', '-'), ...inZone('a')], [], [2], 0.8],
    ['no hint for the zone', [{ zone: 'a', hints: ['b'] }, ...hinted('c')], [], [0], 1],
  ];
  for (const [name, endpoints, out, local, share] of rows) {
    it(name, () => {
      const backend = backendOf(endpoints);
      for (const at of out) backend.endpoints[at]!.ejectedUntil = 10;
      backend.changed();
      const view = backend.zoneView('a', 0);
      const at = view.local.map((endpoint) => backend.endpoints.indexOf(endpoint));
      assert.deepEqual(at, local);
      assert.ok(Math.abs(view.share - share) < 1e-9, String(view.share));
      assert.equal(view.local.length + view.remote.length, endpoints.length - out.length);
      assert.equal(backend.zoneView('a', 0), view, 'the same until something changes');
      backend.changed();
      assert.notEqual(backend.zoneView('a', 0), view);
    });
  }
});
