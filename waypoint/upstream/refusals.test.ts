import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import type { BindPlan } from '../../policies/plan.ts';
import { Refusals } from './refusals.ts';

type Configuration = Parameters<Refusals['of']>[1];

function listening(...addresses: readonly string[]): Configuration {
  const binds = addresses.map((address) => [`${address}:8080`, { address, port: 8080 } as BindPlan] as const);
  return { binds: new Map(binds), services: new Map() };
}

describe('addresses that are not dialled', () => {
  const admin = { host: '127.0.0.1', port: 15000 };
  const allowing = new Refusals({ egressAllow: ['127.0.0.0/8'], admin });
  const strict = new Refusals({ egressAllow: [], admin });
  const outside = (address: string, port: number, configuration = listening()): string =>
    allowing.of({ address, port, external: true }, configuration);

  it('lets names outside lead outside, and where it is allowed', () => {
    assert.equal(outside('93.184.216.34', 443), '');
    assert.equal(outside('127.0.0.1', 9000), '');
  });

  it('refuses names outside that lead inside, and says why', () => {
    assert.equal(
      strict.of({ address: '127.0.0.1', port: 9000, external: true }, listening()),
      'refused: it is loopback',
    );
    assert.equal(strict.of({ address: '127.0.0.1', port: 9000, external: false }, listening()), '');
  });

  for (const external of [true, false]) {
    it(`never dials the admin page: ${external ? 'a name outside' : 'an endpoint'}`, () => {
      const refusal = allowing.of({ address: '127.0.0.1', port: 15000, external }, listening());
      assert.match(refusal, /the admin page of this waypoint/);
    });
  }

  it('never dials its own listeners, also those that were opened later', () => {
    assert.equal(outside('127.0.0.5', 8080), '');
    assert.match(outside('127.0.0.5', 8080, listening('127.0.0.5')), /an address of this waypoint/);
    assert.match(outside('127.0.0.6', 8080, listening('0.0.0.0')), /an address of this waypoint/);
    assert.equal(outside('127.0.0.5', 8080), '');
  });

  it('knows every address of this host as its own', () => {
    for (const { address } of Object.values(networkInterfaces()).flatMap((each) => each ?? [])) {
      assert.match(outside(address, 8080, listening('0.0.0.0')), /an address of this waypoint/, address);
    }
  });

  it('never dials the API server of its cluster', () => {
    process.env['KUBERNETES_SERVICE_HOST'] = '10.96.0.1';
    process.env['KUBERNETES_SERVICE_PORT'] = '443';
    try {
      assert.match(outside('10.96.0.1', 443, listening('127.0.0.7')), /the API server of the cluster/);
      assert.equal(outside('10.96.0.2', 443, listening('127.0.0.7')), '');
    } finally {
      delete process.env['KUBERNETES_SERVICE_HOST'];
      delete process.env['KUBERNETES_SERVICE_PORT'];
    }
  });
});
