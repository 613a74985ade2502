// What the admin page explains of a session: the token that the waypoint itself gave leads where it says.

import assert from 'node:assert/strict';
import { call } from '../harness/call.ts';
import { backendRef, gateway, gatewayClass, service } from '../harness/manifests.ts';
import { freePort } from '../harness/ports.ts';
import { echo, ScriptedBackend } from '../harness/scripted-backend.ts';
import { Waypoint } from '../harness/waypoint.ts';

describe('the explain page', () => {
  let waypoint: Waypoint;
  let backend: ScriptedBackend;
  let port: number;

  before(async () => {
    backend = await ScriptedBackend.start(echo);
    port = await freePort();
    const rule = { name: 'cart', sessionPersistence: { sessionName: 'sid' }, backendRefs: [backendRef('app')] };
    const route = {
      ...{
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'HTTPRoute',
        metadata: { name: 'r', namespace: 'default' },
      },
      spec: { parentRefs: [{ name: 'edge' }], rules: [rule] },
    };
    const objects = [gatewayClass(), gateway('edge', [{ port }]), route];
    waypoint = await Waypoint.start({
      'world.yaml': [...objects, ...service({ name: 'app', endpoints: [backend.port] })],
    });
  });
  after(async () => {
    await waypoint.close();
    await backend.close();
  });

  async function explained(cookie: string): Promise<unknown> {
    const query = new URLSearchParams({ url: `http://127.0.0.1:${port}/`, header: `cookie:${cookie}` });
    const { status, body } = await waypoint.admin(`/explain?${query}`);
    assert.equal(status, 200, body);
    return (JSON.parse(body) as { rule: { session: unknown } }).rule.session;
  }

  it('knows where a token of this waypoint leads', async () => {
    const { message } = await call(port);
    const cookie = (message.get('set-cookie') ?? '').split(';')[0] as string;
    assert.match(cookie, /^sid=./);
    const endpoint = `127.0.0.1:${backend.port}`;
    assert.deepEqual(await explained(cookie), { name: 'sid', backend: 'default/app:80', endpoint });
  });

  it('takes no other token for one', async () => {
    assert.deepEqual(await explained('sid=made-up'), { name: 'sid', backend: null, endpoint: null });
  });
});
