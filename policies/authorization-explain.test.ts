import assert from 'node:assert/strict';
import { requestHead } from '../test/harness/heads.ts';
import { peerOf } from '../test/harness/peer.ts';
import type { AccessContext, AuthorizationPlan } from './authorization.ts';
import { decodeAuthorization } from './authorization-decode.ts';
import { Authorizer } from './authorizer.ts';
import { parseSpiffeId } from './identity.ts';

const ALICE = { iss: 'https://idp', sub: 'alice', groups: ['staff'], n: 7 };

function context(path = '/orders/1'): AccessContext {
  return {
    head: requestHead({
      path,
      headers: [
        ['x-role', 'guest'],
        ['x-role', 'staff'],
      ],
    }),
    peer: peerOf({ identity: parseSpiffeId('spiffe://cluster.local/ns/shop/sa/web'), address: '10.1.2.3' }),
    ...{ listenerPort: 80, matchedPrefix: null, destinationPort: 8080, remoteAddress: '192.0.2.7' },
    token: { principal: 'https://idp/alice', audiences: ['shop'], presenter: '', claims: ALICE },
  };
}

const NOBODY: AccessContext = { ...context(), peer: peerOf(), token: null };

function plan(spec: object): AuthorizationPlan {
  const report = { unsupported: (path: string, message: string) => assert.fail(`${path}: ${message}`) };
  const decoded = decodeAuthorization(spec, 'spec', 'shop', report);
  assert.ok(decoded !== null);
  return { policy: 'p', ...decoded, externalAuth: null, shadow: false, failure: null };
}

const source = (fields: object): object => ({ rules: [{ from: [{ source: fields }] }] });
const operation = (fields: object): object => ({ rules: [{ to: [{ operation: fields }] }] });
const condition = (key: string, fields: object): object => ({ rules: [{ when: [{ key, ...fields }] }] });

const WORDS: readonly (readonly [spec: object, said: string, asked?: AccessContext])[] = [
  [{ rules: [{}] }, 'matches: it matches every request'],
  [operation({ methods: ['POST'] }), 'does not match: methods: GET is not POST'],
  [operation({ methods: ['POST', 'PUT'] }), 'does not match: methods: GET is none of POST, PUT'],
  [operation({ methods: ['GET'] }), 'matches: methods: GET is GET'],
  [operation({ paths: ['/orders/*', '/x'] }), 'matches: paths: /orders/1 is one of /orders/*, /x'],
  [operation({ notPaths: ['/orders/*'] }), 'does not match: paths: /orders/1 is the excluded /orders/*'],
  [
    operation({ notPaths: ['/orders/*', '/x'] }),
    'does not match: paths: /orders/1 is among the excluded /orders/*, /x',
  ],
  [operation({ notPaths: ['/x'] }), 'matches: paths: /orders/1 is not /x'],
  [
    operation({ paths: ['/a', '/b', '/c', '/d', '/e', '/f', '/g'] }),
    'does not match: paths: /orders/1 is none of /a, /b, /c, /d, /e or 2 more',
  ],
  [operation({ hosts: ['a'], methods: ['GET'] }), 'does not match: hosts: shop.test is not a'],
  [operation({ ports: ['80'] }), 'does not match: ports: 8080 is not 80'],
  [source({ principals: ['a/b'] }), 'does not match: principals: cluster.local/ns/shop/sa/web is not a/b'],
  [source({ principals: ['a/b'] }), 'does not match: principals: a client without identity is not a/b', NOBODY],
  [source({ namespaces: ['bank'] }), 'does not match: namespaces: shop is not bank'],
  [source({ namespaces: ['bank'] }), 'does not match: namespaces: no namespace is not bank', NOBODY],
  [source({ serviceAccounts: ['job'] }), 'does not match: serviceAccounts: shop/web is not shop/job'],
  [source({ trustDomains: ['x'] }), 'does not match: trustDomains: cluster.local is not x'],
  [source({ ipBlocks: ['192.0.2.0/24'] }), 'does not match: ipBlocks: 10.1.2.3 is not 192.0.2.0/24'],
  [source({ remoteIpBlocks: ['192.0.2.0/24'] }), 'matches: remoteIpBlocks: 192.0.2.7 is 192.0.2.0/24'],
  [source({ requestPrincipals: ['x/y'] }), 'does not match: requestPrincipals: https://idp/alice is not x/y'],
  [source({ requestPrincipals: ['*'] }), 'does not match: requestPrincipals: a request without token is not *', NOBODY],
  [
    condition('request.headers[x-role]', { values: ['admin'] }),
    'does not match: request.headers[x-role]: "guest", "staff" is not admin',
  ],
  [
    condition('request.headers[x-none]', { values: ['a'] }),
    'does not match: request.headers[x-none]: no such header is not a',
  ],
  [
    condition('request.auth.claims[groups]', { values: ['admin'] }),
    'does not match: request.auth.claims[groups]: ["staff"] is not admin',
  ],
  [
    condition('request.auth.claims[none]', { values: ['a'] }),
    'does not match: request.auth.claims[none]: a token without this claim is not a',
  ],
  [
    condition('request.auth.audiences', { values: ['bank'] }),
    'does not match: request.auth.audiences: "shop" is not bank',
  ],
  [
    condition('request.auth.presenter', { values: ['x'] }),
    'does not match: request.auth.presenter: a token without azp is not x',
  ],
  [condition('connection.sni', { values: ['x'] }), 'does not match: connection.sni: no server name is not x'],
  [condition('destination.ip', { values: ['::1'] }), 'does not match: destination.ip: 127.0.0.1 is not ::1'],
  [
    { rules: [{ to: [{ operation: { methods: ['PUT'] } }, { operation: { methods: ['POST'] } }] }] },
    'does not match: methods: GET is not PUT; or methods: GET is not POST',
  ],
  [
    { rules: [{ from: [{ source: { namespaces: ['shop'] } }], to: [{ operation: { methods: ['GET'] } }] }] },
    'matches: methods: GET is GET; namespaces: shop is shop',
  ],
  [operation({ paths: ['/public*'] }), 'does not match: paths: /admin is not /public*', context('/public/..;/admin')],
  [{ action: 'DENY', ...operation({ paths: ['/admin'] }) }, 'matches: paths: /admin is /admin', context('/admin;x')],
];

describe('an explanation of a policy', () => {
  for (const [spec, expected, asked = context()] of WORDS) {
    it(expected, () => {
      const [explained] = new Authorizer([plan(spec)], ['cluster.local']).explain(asked);
      const [first] = explained?.rules ?? [];
      assert.equal(`${first?.matches === true ? 'matches' : 'does not match'}: ${first?.why}`, expected);
      assert.equal(explained?.matches, first?.matches);
    });
  }

  it('says of one that did not load that it denies', () => {
    const broken = { ...plan({ rules: [{}] }), failure: 'spec.rules: bad' };
    const [explained] = new Authorizer([broken], ['cluster.local']).explain(context());
    assert.deepEqual(explained, {
      ...{ policy: 'p', action: 'ALLOW', shadow: false, failure: 'spec.rules: bad' },
      ...{ matches: true, rules: [] },
    });
  });
});
