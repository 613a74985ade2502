import assert from 'node:assert/strict';
import { EnrolledVips } from './enrolled-vips.ts';

function services(...plans: readonly [id: string, vips: readonly string[], port: number][]): Map<string, Entry> {
  return new Map(plans.map(([id, vips, port]) => [id, { plan: { id, vips, port } }]));
}

interface Entry {
  readonly plan: { readonly id: string; readonly vips: readonly string[]; readonly port: number };
}

describe('addresses of enrolled Services', () => {
  it('are known by address and port, and renewed with the Services', () => {
    const vips = new EnrolledVips();
    const first = services(['shop/orders:80', ['10.96.0.7', 'fd00::7'], 80], ['shop/orders:81', ['10.96.0.7'], 81]);
    assert.equal(vips.serviceAt('10.96.0.7', 80, first), 'shop/orders:80');
    assert.equal(vips.serviceAt('10.96.0.7', 81, first), 'shop/orders:81');
    assert.equal(vips.serviceAt('fd00::7', 80, first), 'shop/orders:80');
    assert.equal(vips.serviceAt('10.96.0.7', 8080, first), null);
    assert.equal(vips.serviceAt('10.0.0.9', 80, first), null);
    assert.equal(vips.serviceAt('10.96.0.7', 80, services()), null);
  });
});
