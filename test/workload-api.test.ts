// The SPIFFE Workload API over gRPC: certificates as they come, are renewed, and stay while the agent is away.

import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CredentialPlan } from '../policies/plan.ts';
import { WorkloadApi } from '../waypoint/credentials/workload-api.ts';
import type { X509SVIDResponse } from '../waypoint/protos/gen/spiffe-workload_pb.ts';
import { authority } from './harness/certificates.ts';
import { assertNothingLeft, type Census, census } from './harness/leaks.ts';
import { Signal } from './harness/signal.ts';
import { answerOf, type Svid, WorkloadAgent } from './harness/workload-agent.ts';

const ID = 'spiffe://cluster.local/ns/shop/sa/waypoint';
const [PERMISSION_DENIED, UNAVAILABLE] = [7, 14];
const root = authority();
const partner = authority();

function svid(more: Partial<Svid> = {}): Svid {
  return { id: ID, issued: root.intermediate().issue({ names: [`URI:${ID}`] }), bundle: [root], ...more };
}

describe('the SPIFFE Workload API', () => {
  let before: Census;
  let directory: string;
  let agent: WorkloadAgent;
  let api: WorkloadApi;
  let log: string[];
  let changes: number;
  const signal = new Signal();

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'waypoint-spiffe-'));
    before = census();
    const path = join(directory, 'agent.sock');
    log = [];
    changes = 0;
    agent = new WorkloadAgent(path);
    const say = (message: string): void => {
      log.push(message);
      signal.notify();
    };
    api = new WorkloadApi(path, {
      onChange: () => {
        changes++;
        signal.notify();
      },
      log: { warn: say, info: say },
      trustDomains: ['cluster.local', 'old.local'],
      firstDelayMs: 10,
    });
  });

  afterEach(async () => {
    api.close();
    agent.stop();
    await rm(directory, { recursive: true });
    await assertNothingLeft(before);
  });

  function own(): CredentialPlan | undefined {
    return api.credentials.get('Credential spiffe');
  }

  function changed(times: number): Promise<boolean> {
    return signal.until(
      () => changes >= times,
      () => `change ${times}; log: ${log.join('; ')}`,
    );
  }

  function said(text: RegExp, times: number = 1): Promise<boolean> {
    return signal.until(
      () => log.filter((line) => text.test(line)).length >= times,
      () => `${text} in: ${log.join('; ')}`,
    );
  }

  it('gives the certificate, its key and the bundle of its trust domain', async () => {
    const mine = svid({ bundle: [root, authority()], revocations: root.revoke([]) });
    agent.tell(mine);
    await agent.start();
    api.start();
    await changed(1);
    const { issued } = mine;
    const credential = own() as CredentialPlan;
    assert.equal(credential.trustDomain, 'cluster.local');
    assert.equal(credential.certificate, issued.chain);
    assert.ok(createPrivateKey(credential.key as string).equals(createPrivateKey(issued.key)));
    assert.equal(credential.authorities?.match(/BEGIN CERTIFICATE/g)?.length, 2);
    assert.equal(credential.revocations, mine.revocations);
    assert.equal(api.credentials.size, 1);
    const leaf = new X509Certificate(credential.certificate as string);
    assert.ok(leaf.checkPrivateKey(createPrivateKey(credential.key as string)));
  });

  it('gives a bundle for each federated trust domain', async () => {
    agent.tell(svid({ federated: { 'partner.example': [partner], 'other.example': [authority(), authority()] } }));
    await agent.start();
    api.start();
    await changed(1);
    assert.deepEqual([...api.credentials.keys()].sort(), [
      'Credential spiffe',
      'Credential spiffe.other.example',
      'Credential spiffe.partner.example',
    ]);
    assert.deepEqual(api.credentials.get('Credential spiffe.partner.example'), {
      id: 'Credential spiffe.partner.example',
      certificate: null,
      key: null,
      authorities: partner.certificate,
      revocations: null,
      trustDomain: 'partner.example',
    });
  });

  it('follows rotation, and tells only of what is new', async () => {
    const [first, second] = [svid(), svid({ federated: { 'partner.example': [partner] } })];
    agent.tell(first);
    await agent.start();
    api.start();
    await changed(1);
    agent.tell(first);
    agent.tell(second);
    await changed(2);
    assert.equal(own()?.certificate, second.issued.chain);
    const kept = api.credentials.get('Credential spiffe.partner.example');
    const third = svid({ federated: { 'partner.example': [partner] } });
    agent.tell(third);
    await changed(3);
    assert.equal(own()?.certificate, third.issued.chain);
    assert.equal(api.credentials.get('Credential spiffe.partner.example'), kept);
    assert.equal(changes, 3);
  });

  it('waits for an agent that is not there, and complains once', async () => {
    api.start();
    await said(/is the agent running, and is its socket mounted here\?/);
    const mine = svid();
    agent.tell(mine);
    await agent.start();
    await changed(1);
    assert.equal(own()?.certificate, mine.issued.chain);
    assert.equal(log.filter((line) => line.includes('is the agent running')).length, 1, log.join('\n'));
    assert.equal(log.length, 2);
  });

  it('keeps what it was given while the stream is broken, and begins another', async () => {
    const [first, second] = [svid(), svid()];
    agent.tell(first);
    await agent.start();
    api.start();
    await changed(1);
    for (const code of [UNAVAILABLE, 0, 13]) {
      const { calls } = agent;
      agent.end(code);
      await agent.asked(calls + 1);
      assert.equal(own()?.certificate, first.issued.chain);
    }
    await said(/the certificates it gave last are used/);
    agent.stop();
    await agent.start();
    agent.tell(second);
    await changed(2);
    assert.equal(own()?.certificate, second.issued.chain);
  });

  it('goes on asking where no identity is registered', async () => {
    agent.refuses = PERMISSION_DENIED;
    await agent.start();
    api.start();
    await said(/no identity is registered for this process: register the workload with the agent/);
    await agent.asked(3);
    assert.equal(log.length, 1);
    agent.refuses = null;
    agent.tell(svid());
    await changed(1);
  });

  it('loses nothing when its identity is taken from it', async () => {
    const mine = svid();
    agent.tell(mine);
    await agent.start();
    api.start();
    await changed(1);
    agent.refuses = PERMISSION_DENIED;
    agent.end(PERMISSION_DENIED);
    await said(/status 7.*the certificates it gave last are used/);
    assert.equal(own()?.certificate, mine.issued.chain);
  });

  for (const [name, wrong, complaint] of [
    ['no SVID', { ...answerOf(svid()), svids: [] }, /holds no SVID/],
    ['another id than it says', answerOf(svid({ id: `${ID}2` })), /waypoint2 is for spiffe:.*waypoint; the/],
    [
      'two ids',
      answerOf(svid({ issued: root.issue({ names: [`URI:${ID}`, `URI:${ID}2`] }) })),
      /is no certificate with one SPIFFE id/,
    ],
    ['no certificate', changedAnswer({ x509Svid: Buffer.from('what') }), /is no certificate with one SPIFFE id/],
    [
      'a certificate that is cut short',
      changedAnswer({ x509Svid: cut(answerOf(svid()).svids[0]?.x509Svid) }),
      /is no cert/,
    ],
    [
      'the key of another',
      changedAnswer({ x509SvidKey: answerOf(svid()).svids[0]!.x509SvidKey }),
      /the key of .* does not/,
    ],
    ['no key', changedAnswer({ x509SvidKey: new Uint8Array() }), /the key of .* does not/],
    ['an empty bundle', changedAnswer({ bundle: new Uint8Array() }), /the bundle of cluster\.local holds no/],
    ['a broken bundle', changedAnswer({ bundle: Buffer.from('3000', 'hex') }), /the bundle of cluster\.local holds no/],
    [
      'a broken federated bundle',
      { ...answerOf(svid()), federatedBundles: { 'spiffe://partner.example': Buffer.from('x') } },
      /the bundle of spiffe:\/\/partner\.example holds no/,
    ],
    [
      'a federated bundle without a name',
      { ...answerOf(svid({ federated: { 'Partner.example/..': [partner] } })) },
      /the bundle of spiffe:\/\/Partner\.example\/\.\. /,
    ],
  ] as readonly (readonly [name: string, wrong: X509SVIDResponse, complaint: RegExp])[]) {
    it(`keeps what was good over an answer with ${name}`, async () => {
      const mine = svid();
      agent.tell(mine);
      await agent.start();
      api.start();
      await changed(1);
      agent.tell(wrong);
      await said(complaint);
      assert.equal(own()?.certificate, mine.issued.chain);
      const next = svid();
      agent.tell(next);
      await changed(2);
      assert.equal(own()?.certificate, next.issued.chain);
    });
  }

  it('keeps what was good over bytes that are no answer, and asks again', async () => {
    const mine = svid();
    agent.tell(mine);
    await agent.start();
    api.start();
    await changed(1);
    const { calls } = agent;
    agent.tell(Buffer.from('0aff', 'hex'));
    await agent.asked(calls + 2);
    assert.equal(own()?.certificate, mine.issued.chain);
    agent.tell(svid());
    await changed(2);
  });

  it('says when it is of another trust domain than the policies here, once', async () => {
    const of = (id: string): Svid => svid({ id, issued: root.issue({ names: [`URI:${id}`] }) });
    await agent.start();
    api.start();
    agent.tell(of('spiffe://old.local/waypoint'));
    await changed(1);
    assert.equal(log.length, 1);
    agent.tell(of('spiffe://new.local/waypoint'));
    await changed(2);
    agent.tell(of('spiffe://new.local/waypoint'));
    await changed(3);
    assert.equal(own()?.trustDomain, 'new.local');
    const told = log.filter((line) =>
      /gave an id of new\.local, not of cluster\.local: --trust-domain new\.local/.test(line),
    );
    assert.equal(told.length, 1);
  });

  it('never says what a key is', async () => {
    const answer = answerOf(svid());
    agent.tell(changedAnswer({ x509SvidKey: Buffer.from('secret key') }));
    await agent.start();
    api.start();
    await said(/does not belong/);
    agent.tell(answer);
    await changed(1);
    assert.doesNotMatch(log.join(), /secret|PRIVATE|c2VjcmV0/);
  });

  it('can be closed at any time', async () => {
    api.start();
    api.close();
    await agent.start();
    assert.equal(agent.calls, 0);
    const again = new WorkloadApi(join(directory, 'agent.sock'), {
      onChange: () => assert.fail('it was closed'),
      log: { warn: () => {}, info: () => {} },
      trustDomains: ['cluster.local'],
    });
    again.start();
    await agent.asked(1);
    again.close();
    agent.tell(svid());
  });
});

function changedAnswer(part: object): X509SVIDResponse {
  const answer = answerOf(svid());
  return { ...answer, svids: answer.svids.map((one) => ({ ...one, ...part })) };
}

function cut(bytes: Uint8Array = new Uint8Array()): Uint8Array {
  return bytes.subarray(0, -1);
}
