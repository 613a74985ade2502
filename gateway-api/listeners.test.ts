import assert from 'node:assert/strict';
import { NO_RESOURCES } from './changes.ts';
import { CredentialLookup } from './credentials/lookup.ts';
import { DEFAULT_ENVIRONMENT } from './environment.ts';
import { listenersOf } from './listeners.ts';
import type { Gateway, ListenerSpec } from './resources.ts';

type Short = [name: string, port: number, protocol: string, hostname?: string];

/** Per listener: the reason of its conflict, '' when there is none. */
function conflicts(listeners: readonly Short[]): string[] {
  return statesOf(listeners).map(({ conflicted }) => (conflicted.status === 'True' ? conflicted.reason : ''));
}

function acceptedMessage(protocol: string): string {
  return statesOf([['a', 443, protocol]])[0]!.accepted.message;
}

function statesOf(listeners: readonly Short[]): ReturnType<typeof listenersOf> {
  const specs = listeners.map(([name, port, protocol, hostname]): ListenerSpec => {
    const allowedRoutes = { namespaces: { from: 'Same' as const }, kinds: [] };
    return { name, port, protocol, allowedRoutes, ...(hostname === undefined ? {} : { hostname }) };
  });
  const gateway = { metadata: { namespace: 'a', name: 'g' }, spec: { listeners: specs } } as unknown as Gateway;
  const scope = { resources: NO_RESOURCES, grants: new Map(), environment: DEFAULT_ENVIRONMENT };
  const lookup = new CredentialLookup(scope, { group: '', kind: 'Gateway', namespace: 'a' });
  return listenersOf(gateway, lookup);
}

describe('listeners of one Gateway', () => {
  const cases: [string, Short[], string[]][] = [
    [
      'other ports',
      [
        ['a', 80, 'HTTP'],
        ['b', 81, 'HTTP'],
      ],
      ['', ''],
    ],
    [
      'other hostnames',
      [
        ['a', 80, 'HTTP', 'a.com'],
        ['b', 80, 'HTTP', '*.a.com'],
        ['c', 80, 'HTTP'],
      ],
      ['', '', ''],
    ],
    [
      'one hostname twice',
      [
        ['a', 80, 'HTTP', 'a.com'],
        ['b', 80, 'HTTP', 'A.com'],
      ],
      ['HostnameConflict', 'HostnameConflict'],
    ],
    [
      'an empty hostname is none',
      [
        ['a', 80, 'HTTP'],
        ['b', 80, 'HTTP', ''],
      ],
      ['HostnameConflict', 'HostnameConflict'],
    ],
    [
      'HTTP and HTTPS',
      [
        ['a', 80, 'HTTP'],
        ['b', 80, 'HTTPS'],
      ],
      ['ProtocolConflict', 'ProtocolConflict'],
    ],
    [
      'HTTPS and TLS share a port',
      [
        ['a', 443, 'HTTPS', 'a.com'],
        ['b', 443, 'TLS', 'b.com'],
      ],
      ['', ''],
    ],
    [
      'TCP excludes all others of its port',
      [
        ['a', 80, 'HTTP', 'a.com'],
        ['b', 80, 'HTTP', 'b.com'],
        ['c', 80, 'TCP'],
        ['d', 81, 'HTTP'],
      ],
      ['ProtocolConflict', 'ProtocolConflict', 'ProtocolConflict', ''],
    ],
    [
      'UDP is another transport',
      [
        ['a', 53, 'UDP'],
        ['b', 53, 'TCP'],
      ],
      ['', ''],
    ],
    [
      'an unknown protocol claims nothing',
      [
        ['a', 80, 'HTTP'],
        ['b', 80, 'example.com/X'],
      ],
      ['', ''],
    ],
  ];
  for (const [name, listeners, expected] of cases) {
    it(name, () => assert.deepEqual(conflicts(listeners), expected));
  }
});

describe('a protocol in small letters', () => {
  for (const [protocol, expected] of [
    ['https', /write HTTPS$/],
    ['http', /write HTTP$/],
    ['tcp', /use protocol HTTP for this listener$/],
    ['quic', /use protocol HTTP for this listener$/],
  ] as const) {
    it(`${protocol}: is told what was meant`, () => assert.match(acceptedMessage(protocol), expected));
  }
});
