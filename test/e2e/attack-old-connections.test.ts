// Connections that were made before their listener asked for more: they are no way around what it asks.

import assert from 'node:assert/strict';
import { requestBytes } from '../harness/call.ts';
import { authority } from '../harness/certificates.ts';
import {
  backendRef,
  configMap,
  gateway,
  gatewayClass,
  type Manifest,
  route,
  secureGateway,
  service,
  tlsSecret,
} from '../harness/manifests.ts';
import { freePort } from '../harness/ports.ts';
import { RawClient } from '../harness/raw-client.ts';
import { ScriptedBackend } from '../harness/scripted-backend.ts';
import { connectTls, outcomeOf } from '../harness/tls-client.ts';
import { Waypoint } from '../harness/waypoint.ts';

const NAME = 'shop.example';
const ours = authority();
const client = ours.issue({
  subject: 'cart',
  names: ['URI:spiffe://cluster.local/ns/shop/sa/cart'],
  usages: ['clientAuth'],
});
const validation = { caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'ca' }], mode: 'AllowValidOnly' };

describe('connections from before a listener asked for more', () => {
  let backend: ScriptedBackend;
  let waypoint: Waypoint;
  let port: number;

  const secure = (tls: object): Manifest => secureGateway('edge', [{ port, hostname: NAME, secrets: ['cert'] }], tls);

  beforeEach(async () => {
    backend = await ScriptedBackend.start();
    port = await freePort();
    waypoint = await Waypoint.start({
      'gateway.yaml': [secure({})],
      'rest.yaml': [
        gatewayClass(),
        tlsSecret('cert', ours.issue({ subject: 'shop', names: [`DNS:${NAME}`] })),
        configMap('ca', { 'ca.crt': ours.certificate }),
        route({ name: 'all', parents: ['edge'], rules: [{ backendRefs: [backendRef('app')] }] }),
        ...service({ name: 'app', endpoints: [backend.port] }),
      ],
    });
  });
  afterEach(async () => {
    await waypoint.close();
    await backend.close();
  });

  it('a client without a certificate has to come again, with one', async () => {
    const dial = { port, ca: ours.certificate, serverName: NAME };
    const nobody = await connectTls(dial);
    const somebody = await connectTls({ ...dial, certificate: client });
    const ask = async (who: RawClient): Promise<number> => {
      await who.send(requestBytes({ host: NAME }));
      return (await who.response()).status;
    };
    assert.equal(await ask(nobody.client), 200);
    await waypoint.apply('gateway.yaml', [secure({ frontend: { default: { validation } } })]);
    assert.equal(await ask(nobody.client), 421);
    await nobody.client.closed();
    assert.equal(await outcomeOf(dial, {}), 'refused');
    assert.equal(await outcomeOf({ ...dial, certificate: client }), 200);
    somebody.client.destroy();
  });

  it('cleartext is not spoken to a listener that has become HTTPS', async () => {
    await waypoint.apply('gateway.yaml', [gateway('edge', [{ port, hostname: NAME }])]);
    const old = await RawClient.connect(port);
    await old.send(requestBytes({ host: NAME }));
    assert.equal((await old.response()).status, 200);
    await waypoint.apply('gateway.yaml', [secure({})]);
    await old.send(requestBytes({ host: NAME }));
    assert.equal((await old.response()).status, 421);
    await old.closed();
  });
});
