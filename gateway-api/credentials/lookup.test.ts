import assert from 'node:assert/strict';
import { authority } from '../../test/harness/certificates.ts';
import { NO_RESOURCES } from '../changes.ts';
import { DEFAULT_ENVIRONMENT } from '../environment.ts';
import type { ConfigMap, Secret } from '../resources.ts';
import { CredentialLookup } from './lookup.ts';

const DAY_MS = 86_400_000;
const BEGIN = Date.UTC(2030, 0, 1);
const END = BEGIN + 10 * DAY_MS;
const root = authority({ notBefore: BEGIN, notAfter: END });
const old = authority({ notBefore: BEGIN - 10 * DAY_MS, notAfter: BEGIN });
const leaf = root.issue({ notBefore: BEGIN, notAfter: END });

const secret = {
  kind: 'Secret',
  metadata: { namespace: 'shop', name: 's' },
  spec: { type: 'Opaque', data: { 'tls.crt': leaf.chain, 'tls.key': leaf.key } },
} as unknown as Secret;
const bundle = {
  kind: 'ConfigMap',
  metadata: { namespace: 'shop', name: 'c' },
  spec: { data: { 'ca.crt': old.certificate + root.certificate } },
} as unknown as ConfigMap;
const resources = {
  ...NO_RESOURCES,
  Secret: new Map([['shop/s', secret]]),
  ConfigMap: new Map([['shop/c', bundle]]),
};

function lookupAt(now: number): CredentialLookup {
  const environment = { ...DEFAULT_ENVIRONMENT, now };
  return new CredentialLookup(
    { resources, grants: new Map(), environment },
    { group: '', kind: 'X', namespace: 'shop' },
  );
}

describe('looking credentials up', () => {
  const times: [name: string, now: number, problem: RegExp | null, changesAt: number][] = [
    ['before it begins', BEGIN - 1, /not valid before 2030-01-01T00:00:00Z/, BEGIN],
    ['when it begins', BEGIN, null, END + 1],
    ['in its last moment', END, null, END + 1],
    ['after it', END + 1, /expired at 2030-01-11T00:00:00Z/, Number.POSITIVE_INFINITY],
  ];
  for (const [name, now, problem, changesAt] of times) {
    it(`tells a certificate ${name}`, () => {
      const lookup = lookupAt(now);
      const found = lookup.pair({ group: '', kind: 'Secret', name: 's' });
      if (problem === null) assert.equal(found.problem, null);
      else assert.match(found.problem?.message ?? '', problem);
      assert.equal(lookup.needs.changesAt, changesAt);
    });
  }

  it('believes a bundle for as long as one of its CAs is in time', () => {
    const ref = { group: '', kind: 'ConfigMap', name: 'c' };
    const now = [BEGIN - 1, BEGIN, BEGIN + 1, END, END + 1];
    assert.deepEqual(
      now.map((at) => lookupAt(at).authorities(ref).problem === null),
      [true, true, true, true, false],
    );
    const lookup = lookupAt(BEGIN - 1);
    lookup.authorities(ref);
    assert.equal(lookup.needs.changesAt, BEGIN);
  });

  it('notes what it read, also where that is not there', () => {
    const lookup = lookupAt(BEGIN);
    lookup.pair({ group: '', kind: 'Secret', name: 's' });
    lookup.pair({ group: '', kind: 'Secret', name: 'nowhere' });
    lookup.pair({ group: '', kind: 'Secret', namespace: 'other', name: 's' });
    lookup.pair({ group: 'waypoint.dev', kind: 'Credential', name: 'c' });
    lookup.pair({ group: '', kind: 'Pod', name: 'p' });
    assert.deepEqual([...lookup.needs.reads], ['Secret shop/s', 'Secret shop/nowhere', 'Grant other', 'Credential c']);
  });

  it('does not tell whether there is what nobody may read', () => {
    const of = (name: string) => lookupAt(BEGIN).pair({ group: '', kind: 'Secret', namespace: 'other', name }).problem;
    assert.equal(of('there')?.cause, 'permission');
    assert.equal(of('there')?.message.replace('there', 'x'), of('x')?.message);
  });

  it('takes core for the core group', () => {
    assert.equal(lookupAt(BEGIN).pair({ group: 'core', kind: 'Secret', name: 's' }).problem, null);
  });
});
