// TLS towards a backend that is asked for while traffic flows: from the moment it is in force nothing goes in cleartext.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { bundle, named, other, policy, root, world } from '../harness/backend-tls-world.ts';
import { call } from '../harness/call.ts';
import { Load } from '../harness/load.ts';
import { freePort } from '../harness/ports.ts';
import { ScriptedBackend } from '../harness/scripted-backend.ts';
import { eventually } from '../harness/signal.ts';
import { TlsBackend } from '../harness/tls-backend.ts';
import { Waypoint } from '../harness/waypoint.ts';

const HANDSHAKE = 0x16;

/** One port at which both are spoken; what comes in cleartext is counted by the request. */
class Either {
  cleartext = 0;
  /** Connections wait for this before anybody answers them. */
  gate: Promise<void> = Promise.resolve();
  arrived = 0;
  readonly #front: Server;

  private constructor(secure: TlsBackend, plain: ScriptedBackend) {
    this.#front = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (first: Buffer) => {
        this.arrived++;
        const isSecure = first[0] === HANDSHAKE;
        const behind = connect(isSecure ? secure.port : plain.port, '127.0.0.1');
        behind.on('error', () => socket.destroy());
        socket.on('close', () => behind.destroy());
        if (!isSecure) this.#seen(first);
        void this.gate.then(() => behind.write(first));
        socket.on('data', (data: Buffer) => {
          if (!isSecure) this.#seen(data);
          behind.write(data);
        });
        behind.pipe(socket);
      });
    });
  }

  static async start(secure: TlsBackend, plain: ScriptedBackend): Promise<Either> {
    const either = new Either(secure, plain);
    either.#front.listen(0, '127.0.0.1');
    await once(either.#front, 'listening');
    return either;
  }

  get port(): number {
    return (this.#front.address() as { port: number }).port;
  }

  async close(): Promise<void> {
    this.#front.close();
    await once(this.#front, 'close');
  }

  #seen(data: Buffer): void {
    this.cleartext += data.toString('latin1').split(' HTTP/1.1\r\n').length - 1;
  }
}

describe('a BackendTLSPolicy on live traffic', () => {
  let secure: TlsBackend;
  let plain: ScriptedBackend;
  let either: Either;
  let waypoint: Waypoint;
  let load: Load;
  let port: number;

  beforeEach(async () => {
    secure = await TlsBackend.start(named('DNS:orders.example'));
    plain = await ScriptedBackend.start();
    either = await Either.start(secure, plain);
    port = await freePort();
    const objects = world(port, [{ name: 'load', port: either.port, policy: {} }]);
    const without = objects.filter(({ kind }) => kind !== 'BackendTLSPolicy' && kind !== 'ConfigMap');
    waypoint = await Waypoint.start(
      { 'world.yaml': without, 'root.yaml': [bundle('root', root)], 'policy.yaml': [] },
      { workers: 2 },
    );
    load = new Load(port);
  });
  afterEach(async () => {
    await load.stop();
    await waypoint.close();
    await plain.close();
    await secure.close();
    await either.close();
  });

  it('added, changed and taken away: no request fails, and none goes in cleartext once it is in force', async () => {
    load.start(4, 2);
    for (let round = 0; round < 5; round++) {
      await waypoint.apply('policy.yaml', [policy('load', {})]);
      const before = either.cleartext;
      const asked = load.requests;
      for (let i = 0; i < 20; i++) assert.equal((await call(port, { path: '/load' })).status, 200);
      await waypoint.apply('policy.yaml', [
        policy('load', { names: [{ type: 'Hostname', hostname: 'orders.example' }] }),
      ]);
      for (let i = 0; i < 20; i++) assert.equal((await call(port, { path: '/load' })).status, 200);
      assert.equal(either.cleartext, before, `${load.requests - asked} requests`);
      await waypoint.apply('policy.yaml', []);
      assert.equal((await call(port, { path: '/load' })).status, 200);
    }
    await load.stop();
    assert.deepEqual(load.failures, []);
  });

  it('a CA that goes while a handshake is under way vouches for nobody any more', async () => {
    await waypoint.apply('policy.yaml', [policy('load', {})]);
    const gate = Promise.withResolvers<void>();
    either.gate = gate.promise;
    const answer = call(port, { path: '/load' });
    await eventually(() => either.arrived === 1, 'a handshake');
    await waypoint.apply('root.yaml', [bundle('root', other)]);
    gate.resolve();
    assert.equal((await answer).status, 503);
    assert.deepEqual(secure.arrivals, []);
  });

  it('a handshake under way begins anew with a policy that believes the endpoint, too', async () => {
    await waypoint.apply('policy.yaml', [policy('load', {})]);
    const gate = Promise.withResolvers<void>();
    either.gate = gate.promise;
    const answer = call(port, { path: '/load' });
    await eventually(() => either.arrived === 1, 'a handshake');
    await waypoint.apply('root.yaml', [bundle('root', root, other)]);
    gate.resolve();
    assert.equal((await answer).status, 200);
    assert.equal(either.arrived, 2);
    assert.equal(either.cleartext, 0);
  });
});
