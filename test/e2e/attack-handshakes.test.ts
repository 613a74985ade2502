// Clients that break off within a TLS handshake: they are let go of at once, and the next one is served.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { connect } from 'node:tls';
import { authority } from '../harness/certificates.ts';
import { backendRef, gatewayClass, route, secureGateway, service, tlsSecret } from '../harness/manifests.ts';
import { freePort } from '../harness/ports.ts';
import { RawClient } from '../harness/raw-client.ts';
import { ScriptedBackend } from '../harness/scripted-backend.ts';
import { outcomeOf } from '../harness/tls-client.ts';
import { Waypoint } from '../harness/waypoint.ts';

const NAME = 'shop.example';
const ours = authority();

/** What a client says first. */
async function clientHello(): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', servername: NAME });
  client.on('error', () => {});
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [hello] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  client.destroy();
  server.close();
  return hello;
}

describe('attacks on handshakes', () => {
  let backend: ScriptedBackend;
  let waypoint: Waypoint;
  let port: number;
  before(async () => {
    backend = await ScriptedBackend.start();
    port = await freePort();
    waypoint = await Waypoint.start({
      'edge.yaml': [
        gatewayClass(),
        secureGateway('edge', [{ port, hostname: NAME, secrets: ['cert'] }]),
        tlsSecret('cert', ours.issue({ subject: 'shop', names: [`DNS:${NAME}`] })),
        route({ name: 'all', parents: ['edge'], rules: [{ backendRefs: [backendRef('app')] }] }),
        ...service({ name: 'app', endpoints: [backend.port] }),
      ],
    });
  });
  after(async () => {
    await waypoint.close();
    await backend.close();
  });

  for (const part of ['nothing', 'half a hello', 'a hello'] as const) {
    it(`a client that says ${part} and closes its side is let go of`, async () => {
      const hello = await clientHello();
      const client = await RawClient.connect(port);
      await client.send(hello.subarray(0, part === 'nothing' ? 0 : part === 'a hello' ? hello.length : 100));
      client.end();
      await client.closed(3000);
      assert.equal(await outcomeOf({ port, ca: ours.certificate, serverName: NAME }), 200);
    });
  }
});
