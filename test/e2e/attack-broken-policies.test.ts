// AuthorizationPolicies that can not be read: what can be told of their targets stays closed, and nothing else closes.

import assert from 'node:assert/strict';
import { call } from '../harness/call.ts';
import { backendRef, gateway, gatewayClass, prefix, route, service } from '../harness/manifests.ts';
import { freePort } from '../harness/ports.ts';
import { ScriptedBackend } from '../harness/scripted-backend.ts';
import { Waypoint } from '../harness/waypoint.ts';

const HEAD = 'apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n';
const NAMED = `${HEAD}metadata: {name: guard, namespace: default}\n`;
const TARGET = 'targetRefs: [{group: "", kind: Service, name: app}]';
const RULES = 'rules: [{to: [{operation: {paths: ["/app/admin*"]}}]}]';

const broken: readonly (readonly [name: string, text: string])[] = [
  ['cut off in the middle', `${NAMED}spec:\n  ${TARGET}\n  action: DENY\n  rules: [{to: [{operation: {paths: ["/app`],
  ['with a tab', `${NAMED}spec:\n  ${TARGET}\n  action: DENY\n\t${RULES}\n`],
  ['with a key twice', `${NAMED}spec:\n  ${TARGET}\n  action: DENY\n  action: ALLOW\n  ${RULES}\n`],
  ['without a name', `${HEAD}spec:\n  ${TARGET}\n  action: DENY\n  ${RULES}\n`],
  ['with a number for a name', `${HEAD}metadata: {name: 5}\nspec:\n  ${TARGET}\n  action: DENY\n  ${RULES}\n`],
  [
    'with one target in place of a list',
    `${NAMED}spec:\n  targetRefs: {group: "", kind: Service, name: app}\n  action: DENY\n  ${RULES}\n`,
  ],
  [
    'that is sound, beside one that is not',
    `${NAMED}spec:\n  ${TARGET}\n  action: DENY\n  rules: [{}]\n---\n${HEAD}metadata: {name: other}\nspec: {{{\n`,
  ],
  [
    'second of two without a name',
    `${HEAD}spec: {selector: {}}\n---\n${HEAD}spec:\n  ${TARGET}\n  action: DENY\n  ${RULES}\n`,
  ],
];

describe('policies that can not be read', () => {
  let backend: ScriptedBackend;
  before(async () => {
    backend = await ScriptedBackend.start();
  });
  after(async () => backend.close());

  for (const [name, text] of broken) {
    it(`one ${name} closes its target, and only that`, async () => {
      const port = await freePort();
      const rules = ['app', 'open'].map((each) => ({ matches: [prefix(`/${each}`)], backendRefs: [backendRef(each)] }));
      const waypoint = await Waypoint.start({
        'access.yaml': text,
        'rest.yaml': [
          gatewayClass(),
          gateway('edge', [{ port }]),
          route({ name: 'all', parents: ['edge'], rules }),
          ...service({ name: 'app', endpoints: [backend.port] }),
          ...service({ name: 'open', endpoints: [backend.port] }),
        ],
      });
      try {
        const paths = ['/app/admin', '/app/other', '/open'];
        const statuses = await Promise.all(paths.map(async (path) => (await call(port, { path })).status));
        assert.deepEqual(statuses, [403, 403, 200]);
      } finally {
        await waypoint.close();
      }
    });
  }
});
