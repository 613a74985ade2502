// TrafficPolicy `connections.proxyProtocol`: what backends are told of the client of a connection.

import assert from 'node:assert/strict';
import { requestBytes } from '../harness/call.ts';
import { PolicyWorld } from '../harness/policy-world.ts';
import { ProxyFront } from '../harness/proxy-front.ts';
import { RawClient } from '../harness/raw-client.ts';
import { echo, ScriptedBackend } from '../harness/scripted-backend.ts';

interface Setup {
  readonly policy: Readonly<Record<string, unknown>>;
  readonly rule?: Readonly<Record<string, unknown>>;
}

/** A Service whose only endpoint wants headers. */
class Announced {
  readonly backend: ScriptedBackend;
  readonly front: ProxyFront;
  readonly world: PolicyWorld;

  private constructor(backend: ScriptedBackend, front: ProxyFront, world: PolicyWorld) {
    this.backend = backend;
    this.front = front;
    this.world = world;
  }

  static async start({ policy, rule = {} }: Setup): Promise<Announced> {
    const backend = await ScriptedBackend.start(echo);
    const front = await ProxyFront.start(backend.port);
    return new Announced(backend, front, await PolicyWorld.start({ backends: 0, dead: [front.port], policy, rule }));
  }

  async close(): Promise<void> {
    await this.world.close();
    await this.front.close();
    await this.backend.close();
  }
}

describe('PROXY protocol towards backends', () => {
  for (const version of ['V1', 'V2'] as const) {
    it(`${version}: each client has connections of its own, which announce it and whereto it went`, async () => {
      const served = await Announced.start({ policy: { connections: { proxyProtocol: version } } });
      try {
        const { front, world } = served;
        const clients = [await RawClient.connect(world.port), await RawClient.connect(world.port)] as const;
        for (let round = 0; round < 3; round++) {
          for (const client of clients) {
            await client.send(requestBytes({ path: `/${round}` }));
            assert.equal((await client.response()).status, 200);
          }
        }
        assert.equal(front.introduced.length, 2, 'one connection for three requests of a client');
        assert.deepEqual(
          front.introduced,
          clients.map(({ socket }) => ({
            version: version === 'V1' ? 1 : 2,
            command: 'PROXY',
            source: `127.0.0.1:${socket.localPort}`,
            destination: `127.0.0.1:${world.port}`,
            tlvs: {},
          })),
        );
      } finally {
        await served.close();
      }
    });
  }

  it('retries introduce the client again', async () => {
    const policy = { connections: { proxyProtocol: 'V2' }, retry: { on: ['gateway-error'], attempts: 1 } };
    const served = await Announced.start({ policy });
    try {
      const { front, backend, world } = served;
      let tries = 0;
      backend.script = (request) =>
        tries++ === 0 ? request.respond({ status: 503, fields: [['connection', 'close']] }) : request.respond();
      const client = await RawClient.connect(world.port);
      await client.send(requestBytes({}));
      assert.equal((await client.response()).status, 200);
      const sources = front.introduced.map(({ source }) => source);
      assert.deepEqual(sources, [`127.0.0.1:${client.socket.localPort}`, `127.0.0.1:${client.socket.localPort}`]);
    } finally {
      await served.close();
    }
  });

  it('health checks introduce themselves as nobody', async () => {
    const healthCheck = { http: { path: '/healthz' }, interval: '20ms', timeout: '20ms' };
    const served = await Announced.start({ policy: { connections: { proxyProtocol: 'V2' }, healthCheck } });
    try {
      const [first] = await served.front.connections(1);
      assert.deepEqual(first, { version: 2, command: 'LOCAL', source: '', destination: '', tlvs: {} });
      assert.equal((await served.backend.request(0)).message.target, '/healthz');
      assert.deepEqual(served.front.malformed, []);
    } finally {
      await served.close();
    }
  });

  it('mirrored copies introduce the client, too', async () => {
    const filters = [{ type: 'RequestMirror', requestMirror: { backendRef: { name: 'app', port: 80 } } }];
    const served = await Announced.start({ policy: { connections: { proxyProtocol: 'V1' } }, rule: { filters } });
    try {
      const client = await RawClient.connect(served.world.port);
      await client.send(requestBytes({}));
      assert.equal((await client.response()).status, 200);
      const introduced = await served.front.connections(2);
      assert.ok(
        introduced.every(({ command }) => command === 'PROXY'),
        JSON.stringify(introduced),
      );
      assert.deepEqual(
        new Set(introduced.map(({ source }) => source)),
        new Set([`127.0.0.1:${client.socket.localPort}`]),
      );
    } finally {
      await served.close();
    }
  });

  it('begins and ends with the policy, on connections that are kept, too', async () => {
    const served = await Announced.start({ policy: { connections: { proxyProtocol: 'V1' } } });
    const plain = await ScriptedBackend.start(echo);
    try {
      const { front, world } = served;
      const client = await RawClient.connect(world.port);
      const ask = async (): Promise<number> => {
        await client.send(requestBytes({}));
        return (await client.response()).status;
      };
      assert.equal(await ask(), 200);
      await world.policy({ connections: { proxyProtocol: 'V2' } });
      assert.equal(await ask(), 200);
      assert.deepEqual(
        front.introduced.map(({ version }) => version),
        [1, 2],
      );
      await world.endpoints([{ port: plain.port }]);
      await world.policy(null);
      assert.equal(await ask(), 200);
      assert.equal(plain.requests.length, 1);
    } finally {
      await plain.close();
      await served.close();
    }
  });
});
