import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { type Authority, authority, type CertificateOptions, type Issued } from '../../test/harness/certificates.ts';
import { certifiesServer, identityOf, Trust } from './verify.ts';

const OURS = 'cluster.local';
const ID = `spiffe://${OURS}/ns/shop/sa/orders`;
const THEIRS = 'spiffe://partner.example/ns/bank/sa/till';
const HOUR_MS = 3_600_000;
const now = Date.now();

const ours = authority({ subject: 'Our root' });
const theirs = authority({ subject: 'Their root' });

/** What the peer sends: the leaf and what is between it and the root. */
function chainOf(issued: Issued): Uint8Array[] {
  const blocks = issued.chain.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block).raw);
}

/** Of a client that has this certificate: its id, why it is refused, or that it has no identity. */
function outcome(trust: Trust, issued: Issued, at: number = now): string {
  const { identity, refusal } = trust.verifyClient(chainOf(issued), at);
  return refusal ?? identity?.uri ?? 'nobody';
}

describe('identityOf', () => {
  for (const [name, names, expected] of [
    ['one SPIFFE id', [`URI:${ID}`], ID],
    ['one among other kinds of names', ['DNS:a.example', `URI:${ID}`, 'IP:10.0.0.1'], ID],
    ['none', ['DNS:a.example'], null],
    ['two', [`URI:${ID}`, `URI:${THEIRS}`], null],
    ['the same twice', [`URI:${ID}`, `URI:${ID}`], null],
    ['another URI beside it', ['URI:https://a.example', `URI:${ID}`], null],
    ['another URI', ['URI:https://a.example/b'], null],
    ['one as a DNS name', [`DNS:${ID}`], null],
    ['one with a NUL', [`URI:${ID}\0.evil`], null],
    ['one with a port', ['URI:spiffe://cluster.local:443/a'], null],
  ] as const) {
    it(`M1 ${name}: ${expected ?? 'nobody'}`, () => {
      assert.equal(identityOf(chainOf(ours.issue({ names }))[0]!)?.uri ?? null, expected);
    });
  }

  it('M1 a common name is nobody', () => {
    assert.equal(identityOf(chainOf(ours.issue({ subject: ID }))[0]!), null);
    assert.equal(identityOf(Buffer.from('no certificate')), null);
  });
});

describe('a client certificate', () => {
  const trust = new Trust([{ authorities: ours.certificate, trustDomain: null }], [OURS, 'old.local']);
  const cases: readonly (readonly [name: string, options: CertificateOptions, expected: string])[] = [
    ['one of a workload', { names: [`URI:${ID}`] }, ID],
    ['one of an alias', { names: ['URI:spiffe://old.local/a'] }, 'spiffe://old.local/a'],
    ['one without a SPIFFE id', { names: ['DNS:laptop.example'] }, 'nobody'],
    ['one without names', {}, 'nobody'],
    ['one with another URI', { names: ['URI:https://a.example'] }, 'nobody'],
    ['any use', { names: [`URI:${ID}`], usages: [] }, ID],
    ['that of a server', { names: [`URI:${ID}`], usages: ['serverAuth'] }, 'certificate_for_another_use'],
    ['one that expired', { names: [`URI:${ID}`], notAfter: now - HOUR_MS }, 'certificate_expired'],
    ['one of tomorrow', { names: [`URI:${ID}`], notBefore: now + HOUR_MS }, 'certificate_not_yet_valid'],
    ['two SPIFFE ids', { names: [`URI:${ID}`, `URI:${ID}2`] }, 'spiffe_id_invalid'],
    ['a SPIFFE id beside another URI', { names: [`URI:${ID}`, 'URI:https://a'] }, 'spiffe_id_invalid'],
    ['an id in capitals', { names: [`URI:${ID.toUpperCase()}`] }, 'spiffe_id_invalid'],
    ['an id with a space in front', { names: [`URI: ${ID}`] }, 'spiffe_id_invalid'],
    ['a trust domain for an id', { names: ['URI:spiffe://cluster.local'] }, 'spiffe_id_invalid'],
    ['an id with a query', { names: [`URI:${ID}?a`] }, 'spiffe_id_invalid'],
    ['a NUL in a name', { names: [`URI:${ID}\0`] }, 'certificate_malformed'],
    ['a foreign trust domain', { names: [`URI:${THEIRS}`] }, 'trust_domain_foreign'],
    ['a trust domain below ours', { names: ['URI:spiffe://a.cluster.local/b'] }, 'trust_domain_foreign'],
  ];
  for (const [name, options, expected] of cases) {
    it(`M1 ${name}: ${expected}`, () => assert.equal(outcome(trust, ours.issue(options)), expected));
  }

  it('M1 a CA is no workload', () => {
    assert.equal(outcome(trust, ours.intermediate({ names: [`URI:${ID}`] })), 'certificate_may_sign');
  });

  it('M1 no certificate, and what is none', () => {
    assert.equal(trust.verifyClient([], now).refusal, 'certificate_malformed');
    assert.equal(trust.verifyClient([Buffer.from('what')], now).refusal, 'certificate_malformed');
  });

  it('M2 the same certificate later: valid to its last second and no longer', () => {
    const notAfter = Math.floor(now / 1000) * 1000 + HOUR_MS;
    const issued = ours.issue({ names: [`URI:${ID}`], notAfter });
    for (const [at, expected] of [
      [now, ID],
      [notAfter + 999, ID],
      [notAfter + 1000, 'certificate_expired'],
    ] as const) {
      assert.equal(outcome(trust, issued, at), expected);
    }
  });
});

describe('CAs that are bound to trust domains', () => {
  const own = { authorities: ours.certificate, trustDomain: OURS };
  const federated = { authorities: theirs.certificate, trustDomain: 'partner.example' };
  const free = (root: Authority): { authorities: string; trustDomain: null } => ({
    authorities: root.certificate,
    trustDomain: null,
  });

  it('vouch for their own only', () => {
    const trust = new Trust([own, federated], [OURS]);
    for (const [root, id, expected] of [
      [ours, ID, ID],
      [theirs, THEIRS, THEIRS],
      [theirs, ID, 'trust_domain_foreign'],
      [ours, THEIRS, 'trust_domain_foreign'],
      [ours, 'spiffe://third.example/a', 'trust_domain_foreign'],
    ] as const) {
      assert.equal(outcome(trust, root.issue({ names: [`URI:${id}`] })), expected);
      assert.equal(
        outcome(
          trust,
          root
            .intermediate()
            .intermediate()
            .issue({ names: [`URI:${id}`] }),
        ),
        expected,
      );
    }
    assert.equal(outcome(trust, ours.issue({ names: ['DNS:a'] })), 'trust_domain_foreign');
  });

  it('alone: no signature has to be followed, and sessions may be resumed', () => {
    const trust = new Trust([own, own], [OURS]);
    assert.equal(trust.resumable, true);
    const [leaf] = chainOf(ours.intermediate().issue({ names: [`URI:${ID}`] }));
    assert.equal(trust.verifyClient([leaf!], now).identity?.uri, ID);
    assert.equal(outcome(trust, ours.issue({ names: [`URI:${THEIRS}`] })), 'trust_domain_foreign');
    assert.equal(outcome(trust, ours.issue({ names: ['DNS:a'] })), 'trust_domain_foreign');
  });

  it('with others: sessions are not resumed, for they bring no chain to follow', () => {
    const trust = new Trust([own, federated], [OURS]);
    assert.equal(trust.resumable, false);
    const [leaf] = chainOf(ours.intermediate().issue({ names: [`URI:${ID}`] }));
    assert.equal(trust.verifyClient([leaf!], now).refusal, 'trust_domain_foreign');
    assert.equal(new Trust([own, free(theirs)], []).resumable, false);
    assert.equal(new Trust([free(ours), free(theirs)], []).resumable, true);
  });

  it('beside those bound to none, which vouch for ours and for people', () => {
    const trust = new Trust([federated, free(ours)], [OURS]);
    assert.equal(outcome(trust, ours.issue({ names: [`URI:${ID}`] })), ID);
    assert.equal(outcome(trust, ours.issue({ names: ['DNS:a'] })), 'nobody');
    assert.equal(outcome(trust, theirs.issue({ names: ['DNS:a'] })), 'trust_domain_foreign');
    assert.equal(outcome(trust, theirs.issue({ names: [`URI:${ID}`] })), 'trust_domain_foreign');
    assert.equal(outcome(trust, ours.issue({ names: [`URI:${THEIRS}`] })), 'trust_domain_foreign');
  });

  it('are told by signatures, not by names', () => {
    const trust = new Trust([own, federated], [OURS]);
    // The partner calls a CA like ours, and sends our root along to make the chain look complete.
    const impostor = theirs.intermediate({ subject: 'Our root' });
    const forged = impostor.issue({ names: [`URI:${ID}`] });
    const root = new X509Certificate(ours.certificate).raw;
    const [leaf, ...between] = chainOf(forged);
    for (const chain of [[leaf!, root], [leaf!, root, ...between], [leaf!, ...between, root], [leaf!]]) {
      assert.equal(trust.verifyClient(chain, now).refusal, 'trust_domain_foreign');
    }
  });

  it('ends with what may not sign, has expired, or is too much', () => {
    const trust = new Trust([own, federated], [OURS]);
    const expired = ours.intermediate({ notAfter: now - HOUR_MS });
    assert.equal(outcome(trust, expired.issue({ names: [`URI:${ID}`] })), 'trust_domain_foreign');
    const leaf = chainOf(theirs.issue({ names: [`URI:${ID}`] }))[0]!;
    const noise = Array.from({ length: 200 }, () => new X509Certificate(theirs.intermediate().certificate).raw);
    assert.equal(trust.verifyClient([leaf, ...noise], now).refusal, 'trust_domain_foreign');
    assert.equal(trust.verifyClient([leaf, Buffer.from('noise')], now).refusal, 'trust_domain_foreign');
  });
});

describe('a server certificate', () => {
  const trust = new Trust([{ authorities: ours.certificate, trustDomain: null }], []);
  const plan = { serverName: 'shop.example', names: [] };
  const verdict = (options: CertificateOptions, wanted: Parameters<Trust['verifyServer']>[1] = plan): string =>
    trust.verifyServer(chainOf(ours.issue(options)), wanted, now) ?? 'fine';

  for (const [name, options, expected] of [
    ['its name', { names: ['DNS:shop.example'] }, 'fine'],
    ['another name', { names: ['DNS:other.example'] }, 'certificate_of_another'],
    ['its name as a common name', { subject: 'shop.example' }, 'certificate_of_another'],
    ['its name before a NUL', { names: ['DNS:shop.example\0.evil.example'] }, 'certificate_malformed'],
    ['that of a client', { names: ['DNS:shop.example'], usages: ['clientAuth'] }, 'certificate_for_another_use'],
    ['one that expired', { names: ['DNS:shop.example'], notAfter: now - HOUR_MS }, 'certificate_expired'],
  ] as const) {
    it(`${name}: ${expected}`, () => assert.equal(verdict(options), expected));
  }

  it('is known by its SPIFFE id where that is asked for', () => {
    const wanted = { serverName: 'shop.example', names: [{ type: 'URI', value: ID }] } as const;
    assert.equal(verdict({ names: [`URI:${ID}`] }, wanted), 'fine');
    assert.equal(verdict({ names: [`URI:${THEIRS}`, 'DNS:shop.example'] }, wanted), 'certificate_of_another');
    const der = chainOf(ours.issue({ names: [`URI:${ID}`] }))[0]!;
    assert.equal(certifiesServer(der, wanted), true);
    assert.equal(certifiesServer(der, plan), false);
  });

  it('is believed by the CA of its trust domain only', () => {
    const federated = { authorities: theirs.certificate, trustDomain: 'partner.example' };
    const bound = new Trust([{ authorities: ours.certificate, trustDomain: OURS }, federated], []);
    const wanted = { serverName: null, names: [{ type: 'URI', value: ID }] } as const;
    assert.equal(bound.verifyServer(chainOf(ours.issue({ names: [`URI:${ID}`] })), wanted, now), null);
    const forged = theirs.issue({ names: [`URI:${ID}`] });
    assert.equal(bound.verifyServer(chainOf(forged), wanted, now), 'trust_domain_foreign');
  });
});
