import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { analyse } from '../gateway-api/findings.ts';
import { Store } from '../gateway-api/store.ts';
import { translate } from '../gateway-api/translate.ts';
import { FILTER_KINDS } from '../policies/index.ts';

const FOLDER = new URL('../manifests/examples/', import.meta.url);
const ENVIRONMENT = { gateway: null, bindAddress: '127.0.0.1', clusterDomain: 'cluster.local', bindErrors: new Map() };

const texts = new Map(readdirSync(FOLDER).map((file) => [file, readFileSync(new URL(file, FOLDER), 'utf8')]));

describe('examples', () => {
  for (const [file, text] of texts) {
    it(`${file} is valid and complete on its own`, () => {
      const store = new Store();
      store.apply(file, text);
      const translation = translate(store.resources, ENVIRONMENT, null);
      assert.deepEqual([...store.findings, ...analyse(store.resources, translation)], []);
      const addresses = [...translation.snapshot.binds.values()].map(({ address }) => address);
      assert.ok(addresses.length > 1 && addresses.every((address) => address.startsWith('127.')), addresses.join(' '));
      assert.ok(translation.snapshot.tables.size > 0);
    });

    it(`${file} says how to run it`, () => {
      assert.ok(text.startsWith('# '));
      assert.ok(text.includes(`#   npx waypoint run --config manifests/examples/${file}\n`));
    });
  }

  it('can be served together', () => {
    const store = new Store();
    for (const [file, text] of texts) store.apply(file, text);
    const translation = translate(store.resources, ENVIRONMENT, null);
    assert.deepEqual([...store.findings, ...analyse(store.resources, translation)], []);
    assert.equal(translation.snapshot.binds.size, 2 * texts.size);
  });

  for (const type of [...FILTER_KINDS.keys(), 'RequestMirror']) {
    it(`one shows ${type}`, () => {
      assert.ok([...texts.values()].some((text) => text.includes(`- type: ${type}\n`)));
    });
  }
});
