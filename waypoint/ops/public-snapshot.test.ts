import assert from 'node:assert/strict';
import { EMPTY_SNAPSHOT } from '../../policies/plan.ts';
import { authority } from '../../test/harness/certificates.ts';
import { publicSnapshot } from './public-snapshot.ts';
import { readableJson } from './readable-json.ts';

describe('the snapshot as it is shown', () => {
  const root = authority({ subject: 'Root' });
  const leaf = root.intermediate({ subject: 'Between' }).issue({ subject: 'shop', names: ['DNS:shop.example'] });
  const id = 'Secret shop/tls';
  const plan = {
    id,
    certificate: leaf.chain,
    key: leaf.key,
    authorities: root.certificate,
    revocations: root.revoke([leaf]),
    trustDomain: 'cluster.local',
  };
  const shown = publicSnapshot({ ...EMPTY_SNAPSHOT, credentials: new Map([[id, plan]]) }).credentials.get(id);

  it('names what is presented and who vouches', () => {
    assert.deepEqual(
      shown?.presents.map(({ subject, names }) => [subject, names]),
      [
        ['CN=shop', 'DNS:shop.example'],
        ['CN=Between', ''],
      ],
    );
    assert.deepEqual(
      shown?.authorities.map(({ subject }) => subject),
      ['CN=Root'],
    );
    assert.equal(shown?.revocations, 'checked');
    assert.equal(shown?.trustDomain, 'cluster.local');
    assert.match(shown?.presents[0]?.validTo ?? '', /^\d{4}-\d\d-\d\dT/);
  });

  it('holds no PEM of any kind, and nothing of the key', () => {
    const text = readableJson(shown);
    assert.doesNotMatch(text, /BEGIN|PRIVATE/);
    for (const line of leaf.key.split('\n').filter((each) => each.length > 20)) {
      assert.ok(!text.includes(line) && !text.includes(line.slice(0, 20)), text);
    }
  });

  it('is unchanged where there are no credentials', () => {
    assert.deepEqual(publicSnapshot(EMPTY_SNAPSHOT), EMPTY_SNAPSHOT);
  });
});
