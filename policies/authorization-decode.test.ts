import assert from 'node:assert/strict';
import { decodeAuthorization } from './authorization-decode.ts';

const rule = (parts: object): object => ({ rules: [parts] });
const source = (fields: unknown): object => rule({ from: [{ source: fields }] });
const operation = (fields: unknown): object => rule({ to: [{ operation: fields }] });
const condition = (fields: unknown): object => rule({ when: [fields] });
const header = (name: string): object => condition({ key: `request.headers[${name}]`, values: ['a'] });

const SOURCE = 'spec.rules[0].from[0].source';
const OPERATION = 'spec.rules[0].to[0].operation';
const WHEN = 'spec.rules[0].when[0]';

const REFUSED: readonly (readonly [name: string, spec: unknown, path: string, message: RegExp])[] = [
  ['no object', 'ALLOW', 'spec', /must be an object/],
  ['an unknown field', { rule: [] }, 'spec.rule', /unknown here: write .*rules/],
  ['an unknown action', { action: 'LOG' }, 'spec.action', /"LOG" is no action: write ALLOW, DENY, AUDIT, CUSTOM/],
  ['an action in small letters', { action: 'deny' }, 'spec.action', /"deny" is no action/],
  ['CUSTOM without provider', { action: 'CUSTOM' }, 'spec.provider', /is missing/],
  ['CUSTOM with a nameless provider', { action: 'CUSTOM', provider: { name: '' } }, 'spec.provider.name', /must name/],
  ['CUSTOM with an odd provider', { action: 'CUSTOM', provider: { name: 'a', x: 1 } }, 'spec.provider.x', /unknown/],
  ['a provider without CUSTOM', { provider: { name: 'a' } }, 'spec.provider', /CUSTOM only, not with ALLOW/],
  ['rules that are no list', { rules: {} }, 'spec.rules', /no list/],
  ['a rule that is none', rule([] as unknown as object), 'spec.rules[0]', /must be an object/],
  ['an unknown field of a rule', rule({ form: [] }), 'spec.rules[0].form', /write from, to, when/],
  ['an empty from', rule({ from: [] }), 'spec.rules[0].from', /is empty/],
  ['an empty to', rule({ to: [] }), 'spec.rules[0].to', /is empty/],
  ['a from without source', rule({ from: [{}] }), 'spec.rules[0].from[0].source', /is missing/],
  ['a to without operation', rule({ to: [{ source: {} }] }), 'spec.rules[0].to[0].source', /unknown/],
  ['an empty source', source({}), SOURCE, /is empty: set at least one of principals/],
  ['an empty operation', operation({}), OPERATION, /is empty: set at least one of hosts/],
  ['an unknown field of a source', source({ principal: ['a'] }), `${SOURCE}.principal`, /unknown here/],
  ['an operation in a source', source({ paths: ['/'] }), `${SOURCE}.paths`, /unknown here/],
  ['an empty list', source({ principals: [] }), `${SOURCE}.principals`, /is empty: leave it out/],
  ['an empty value', source({ namespaces: ['a', ''] }), `${SOURCE}.namespaces[1]`, /must not be empty/],
  ['a value that is no text', operation({ ports: [80] }), `${OPERATION}.ports[0]`, /put it in quotes/],
  ['a port that is none', operation({ ports: ['http'] }), `${OPERATION}.ports[0]`, /"http" is no port/],
  ['a port that is too large', operation({ notPorts: ['65536'] }), `${OPERATION}.notPorts[0]`, /no port/],
  ['a negative port', operation({ ports: ['-1'] }), `${OPERATION}.ports[0]`, /no port/],
  ['a principal with its scheme', source({ principals: ['spiffe://a/b'] }), `${SOURCE}.principals[0]`, /write "a\/b"/],
  ['a pattern of service accounts', source({ serviceAccounts: ['a/*'] }), `${SOURCE}.serviceAccounts[0]`, /no stars/],
  [
    'a service account of three parts',
    source({ serviceAccounts: ['a/b/c'] }),
    `${SOURCE}.serviceAccounts[0]`,
    /namespace\/name/,
  ],
  [
    'service accounts beside namespaces',
    source({ serviceAccounts: ['a/b'], notNamespaces: ['c'] }),
    `${SOURCE}.serviceAccounts`,
    /does not go with principals or namespaces/,
  ],
  ['a block that is none', source({ ipBlocks: ['10.0.0.0/33'] }), `${SOURCE}.ipBlocks[0]`, /no IP address and no CIDR/],
  ['a host for an address', source({ notRemoteIpBlocks: ['localhost'] }), `${SOURCE}.notRemoteIpBlocks[0]`, /no IP/],
  ['a broken template', operation({ paths: ['/{**}/a/{*}'] }), `${OPERATION}.paths[0]`, /last operator/],
  ['a template with a name', operation({ paths: ['/{*}/{id}'] }), `${OPERATION}.paths[0]`, /no segment of a template/],
  ['a condition without key', condition({ values: ['a'] }), `${WHEN}.key`, /is missing/],
  ['a condition without values', condition({ key: 'source.ip' }), WHEN, /needs values or notValues/],
  ['an empty list of a condition', condition({ key: 'source.ip', values: [] }), `${WHEN}.values`, /is empty/],
  [
    'an unknown key',
    condition({ key: 'source.port', values: ['1'] }),
    `${WHEN}.key`,
    /"source.port" is unknown: write source.ip/,
  ],
  ['a key of Envoy', condition({ key: 'experimental.envoy.filters.a[b]', values: ['1'] }), `${WHEN}.key`, /unknown/],
  ['a key that every object has', condition({ key: 'constructor', values: ['1'] }), `${WHEN}.key`, /unknown/],
  ['a key that is no text', condition({ key: 7, values: ['1'] }), `${WHEN}.key`, /7 is unknown/],
  ['a key with a part it has not', condition({ key: 'source.ip[a]', values: ['::1'] }), `${WHEN}.key`, /has no parts/],
  [
    'headers without a name',
    condition({ key: 'request.headers', values: ['a'] }),
    `${WHEN}.key`,
    /request.headers\[name\]/,
  ],
  [
    'claims with an empty name',
    condition({ key: 'request.auth.claims[]', values: ['a'] }),
    `${WHEN}.key`,
    /needs a name|unknown/,
  ],
  ['a bracket too few', condition({ key: 'request.headers[a', values: ['a'] }), `${WHEN}.key`, /unknown/],
  ['a header of two names', header('a][b'), `${WHEN}.key`, /no name of a header/],
  ['a pseudo header', header(':path'), `${WHEN}.key`, /no name of a header/],
  ['a header with a blank', header('x role'), `${WHEN}.key`, /no name of a header/],
  [
    'a bad value of a condition',
    condition({ key: 'destination.port', notValues: ['a'] }),
    `${WHEN}.notValues[0]`,
    /no port/,
  ],
  [
    'an unknown field of a condition',
    condition({ key: 'source.ip', values: ['::1'], not: [] }),
    `${WHEN}.not`,
    /unknown/,
  ],
];

describe('an AuthorizationPolicy', () => {
  for (const [name, spec, path, message] of REFUSED) {
    it(`is refused with ${name}`, () => {
      const reports: [string, string][] = [];
      const report = { unsupported: (...said: [string, string]) => reports.push(said) };
      assert.equal(decodeAuthorization(spec, 'spec', 'shop', report), null);
      const found = reports.find(([at]) => at === path);
      assert.match(found?.[1] ?? JSON.stringify(reports), message);
    });
  }

  it('becomes plain data', () => {
    const spec = {
      targetRefs: [],
      selector: {},
      mode: 'Shadow',
      action: 'CUSTOM',
      provider: { name: 'opa' },
      rules: [
        {
          from: [{ source: { serviceAccounts: ['web', 'bank/web'], notIpBlocks: ['::1'] } }],
          to: [{ operation: { ports: ['080'] } }, { operation: { paths: ['/'] } }],
          when: [
            { key: 'request.headers[X-User]', values: ['a'] },
            { key: 'request.auth.claims[https://a.b/c][d]', notValues: ['e'] },
          ],
        },
        {},
      ],
    };
    const report = { unsupported: (path: string, message: string) => assert.fail(`${path}: ${message}`) };
    const test = { key: [], values: [], notValues: [] };
    assert.deepEqual(decodeAuthorization(spec, 'spec', 'shop', report), {
      action: 'CUSTOM',
      provider: 'opa',
      rules: [
        {
          from: [
            [
              {
                ...test,
                attribute: 'source.serviceAccount',
                name: 'serviceAccounts',
                values: ['shop/web', 'bank/web'],
              },
              { ...test, attribute: 'source.ip', name: 'ipBlocks', notValues: ['::1'] },
            ],
          ],
          to: [
            [{ ...test, attribute: 'destination.port', name: 'ports', values: ['80'] }],
            [{ ...test, attribute: 'path', name: 'paths', values: ['/'] }],
          ],
          when: [
            { ...test, attribute: 'request.headers', name: 'request.headers[X-User]', key: ['x-user'], values: ['a'] },
            {
              ...test,
              attribute: 'request.auth.claims',
              name: 'request.auth.claims[https://a.b/c][d]',
              key: ['https://a.b/c', 'd'],
              notValues: ['e'],
            },
          ],
        },
        { from: [], to: [], when: [] },
      ],
    });
  });

  it('without anything allows nothing', () => {
    const report = { unsupported: () => assert.fail() };
    assert.deepEqual(decodeAuthorization({}, 'spec', 'shop', report), { action: 'ALLOW', rules: [], provider: null });
  });
});
