// External authorizers that change their mind, lie or break off, and clients that use it: what they say counts once, for one request.

import assert from 'node:assert/strict';
import { requestBytes } from '../harness/call.ts';
import { type Manifest, service } from '../harness/manifests.ts';
import { PolicyWorld, SERVICE } from '../harness/policy-world.ts';
import { RawClient } from '../harness/raw-client.ts';
import { ScriptedBackend } from '../harness/scripted-backend.ts';

function policy(name: string, spec: object): Manifest {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name, namespace: 'default' },
    spec: { targetRefs: [SERVICE], ...spec },
  };
}

const PROVIDERS: Manifest = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'waypoint', namespace: 'default' },
  data: {
    mesh: JSON.stringify({
      extensionProviders: [
        {
          name: 'web',
          envoyExtAuthzHttp: {
            service: 'auth.default.svc.cluster.local',
            port: 9000,
            headersToUpstreamOnAllow: ['x-role'],
            headersToDownstreamOnDeny: ['content-type'],
          },
        },
      ],
    }),
  },
};

describe('attacks by way of external authorization', () => {
  let auth: ScriptedBackend;
  let world: PolicyWorld;

  before(async () => {
    auth = await ScriptedBackend.start((request) => request.respond(), 'auth');
    world = await PolicyWorld.start({
      objects: [
        ...service({ name: 'auth', port: 9000, endpoints: [auth.port] }),
        PROVIDERS,
        policy('ask', { action: 'CUSTOM', provider: { name: 'web' }, rules: [{}] }),
        policy('admins', {
          action: 'ALLOW',
          rules: [{ when: [{ key: 'request.headers[x-role]', values: ['admin'] }] }],
        }),
      ],
    });
  });
  after(async () => {
    await world.close();
    await auth.close();
  });

  it('a verdict does not outlive the headers that it was given for', async () => {
    const client = await RawClient.connect(world.port);
    const roles = ['admin', 'guest', 'admin', 'guest'];
    const statuses: number[] = [];
    for (const role of roles) {
      auth.script = (request) => request.respond({ fields: [['x-role', role]] });
      await client.send(requestBytes({ path: '/a' }));
      statuses.push((await client.response()).status);
    }
    client.destroy();
    assert.deepEqual(statuses, [200, 403, 200, 403]);
  });

  it('a refusal keeps the one content type that it came with', async () => {
    auth.script = (request) =>
      request.respond({ status: 401, fields: [['content-type', 'application/json']], body: '{}' });
    const { message } = await world.call();
    assert.deepEqual(
      message.fields.filter(([name]) => name.toLowerCase() === 'content-type').map(([, value]) => value),
      ['application/json'],
    );
  });
});
