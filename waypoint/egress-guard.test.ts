import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import type { BindPlan } from '../policies/plan.ts';
import { EgressGuard } from './egress-guard.ts';

function binds(...addresses: readonly string[]): ReadonlyMap<string, BindPlan> {
  return new Map(addresses.map((address) => [`${address}:8080`, { address, port: 8080 } as BindPlan]));
}

describe('the egress guard', () => {
  const guard = new EgressGuard(['127.0.0.0/8'], { host: '127.0.0.1', port: 15000 });

  it('lets through what it is allowed', () => {
    assert.equal(guard.refusal('127.0.0.1', 9000, binds()), '');
    assert.equal(guard.refusal('93.184.216.34', 443, binds()), '');
  });

  it('says what is refused, and why', () => {
    const refusal = new EgressGuard([], null).refusal('127.0.0.1', 9000, binds());
    assert.match(refusal, /^the address is loopback: no name outside may lead there \(--egress-allow/);
  });

  it('never lets the admin page be reached', () => {
    assert.match(guard.refusal('127.0.0.1', 15000, binds()), /the admin page of this waypoint/);
  });

  it('never lets a listener be reached, also one that was opened later', () => {
    assert.equal(guard.refusal('127.0.0.5', 8080, binds()), '');
    assert.match(guard.refusal('127.0.0.5', 8080, binds('127.0.0.5')), /a listener of this waypoint/);
    assert.match(guard.refusal('127.0.0.6', 8080, binds('0.0.0.0')), /a listener of this waypoint/);
    assert.equal(guard.refusal('127.0.0.5', 8080, binds()), '');
  });

  it('knows every address of this host as its own', () => {
    const own = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
    for (const { address } of own) {
      assert.match(guard.refusal(address, 8080, binds('0.0.0.0')), /a listener of this waypoint/, address);
    }
  });

  it('knows the API server of its cluster', () => {
    process.env['KUBERNETES_SERVICE_HOST'] = '10.96.0.1';
    process.env['KUBERNETES_SERVICE_PORT'] = '443';
    try {
      const inCluster = new EgressGuard(['10.96.0.0/16'], null);
      assert.match(inCluster.refusal('10.96.0.1', 443, binds()), /the API server of the cluster/);
      assert.equal(inCluster.refusal('10.96.0.2', 443, binds()), '');
    } finally {
      delete process.env['KUBERNETES_SERVICE_HOST'];
      delete process.env['KUBERNETES_SERVICE_PORT'];
    }
  });
});
