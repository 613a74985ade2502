// Certificates that are renewed under a running waypoint: in place, by renaming, by Kubernetes, and half of them.

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CredentialsDirectory } from '../gateway-api/credentials/directory.ts';
import { authority, type Issued } from './harness/certificates.ts';
import { Signal } from './harness/signal.ts';

const root = authority();

/** A directory whose changes can be awaited. */
class Scene {
  readonly base: string = mkdtempSync(join(tmpdir(), 'waypoint-credentials-'));
  readonly directory: string = join(this.base, 'credentials');
  readonly log: string[] = [];
  changes = 0;
  readonly #signal: Signal = new Signal();
  readonly source: CredentialsDirectory;

  constructor() {
    const say = (message: string): void => {
      this.log.push(message);
      this.#signal.notify();
    };
    this.source = new CredentialsDirectory(this.directory, {
      onChange: () => {
        this.changes++;
        this.#signal.notify();
      },
      log: { warn: say, info: say },
    });
  }

  write(name: string, files: Readonly<Record<string, string>>): void {
    mkdirSync(join(this.directory, name), { recursive: true });
    for (const [file, text] of Object.entries(files)) writeFileSync(join(this.directory, name, file), text);
  }

  start(): void {
    this.source.load();
    this.source.watch();
  }

  /** Resolves once the certificate of `Credential shop` is this one; null: once there is none. */
  serves(issued: Issued | null): Promise<boolean> {
    const certificate = (): string | null => this.source.credentials.get('Credential shop')?.certificate ?? null;
    return this.#signal.until(
      () => certificate() === (issued?.chain ?? null),
      () => `the certificate; log: ${this.log.join('; ')}`,
    );
  }

  says(text: RegExp): Promise<string> {
    const find = (): string | null => this.log.find((line) => text.test(line)) ?? null;
    return this.#signal.until(find, () => `${text} in: ${this.log.join('; ')}`);
  }

  end(): void {
    this.source.close();
    rmSync(this.base, { recursive: true, force: true });
  }
}

function pair(issued: Issued): Record<string, string> {
  return { 'tls.crt': issued.chain, 'tls.key': issued.key };
}

describe('a directory of credentials', () => {
  let scene: Scene;
  const [first, second] = [root.issue(), root.intermediate().issue()];
  beforeEach(() => {
    scene = new Scene();
  });
  afterEach(() => scene.end());

  it('is read at start, one credential for each sub-directory', () => {
    scene.write('shop', { ...pair(first), 'ca.crt': root.certificate, 'ca.crl': root.revoke([]) });
    scene.write('clients', { 'ca.crt': root.certificate });
    scene.write('.hidden', pair(first));
    scene.write('empty', { 'README.md': 'nothing' });
    writeFileSync(join(scene.directory, 'tls.crt'), first.chain);
    scene.start();
    assert.deepEqual([...scene.source.credentials.keys()].sort(), ['Credential clients', 'Credential shop']);
    const shop = scene.source.credentials.get('Credential shop');
    assert.deepEqual([shop?.certificate, shop?.key, shop?.authorities], [first.chain, first.key, root.certificate]);
    assert.match(shop?.revocations ?? '', /X509 CRL/);
    const clients = scene.source.credentials.get('Credential clients');
    assert.deepEqual([clients?.certificate, clients?.key, clients?.trustDomain], [null, null, null]);
    assert.deepEqual(scene.log, []);
  });

  it('follows files that are written in place', async () => {
    scene.write('shop', pair(first));
    scene.start();
    scene.write('shop', pair(second));
    await scene.serves(second);
    // Both files at once, never one of the old and one of the new.
    assert.equal(scene.source.credentials.get('Credential shop')?.key, second.key);
    assert.deepEqual(scene.log, ['Credential shop was renewed']);
  });

  it('follows files that are renamed into place', async () => {
    scene.write('shop', pair(first));
    scene.start();
    for (const [file, text] of Object.entries(pair(second))) {
      writeFileSync(join(scene.base, file), text);
      renameSync(join(scene.base, file), join(scene.directory, 'shop', file));
    }
    await scene.serves(second);
  });

  it('follows the links that Kubernetes swaps', async () => {
    const mount = join(scene.directory, 'shop');
    const version = (name: string, issued: Issued): void => {
      scene.write(join('shop', name), pair(issued));
      symlinkSync(name, join(mount, '..data_tmp'));
      renameSync(join(mount, '..data_tmp'), join(mount, '..data'));
    };
    version('..2026_01', first);
    for (const file of ['tls.crt', 'tls.key']) symlinkSync(join('..data', file), join(mount, file));
    scene.start();
    await scene.serves(first);
    version('..2026_02', second);
    rmSync(join(mount, '..2026_01'), { recursive: true });
    await scene.serves(second);
  });

  it('follows a sub-directory behind a link', async () => {
    scene.write(join('..1', 'shop'), pair(first));
    scene.write(join('..2', 'shop'), pair(second));
    symlinkSync('..1', join(scene.directory, '..data'));
    symlinkSync(join('..data', 'shop'), join(scene.directory, 'shop'));
    scene.start();
    await scene.serves(first);
    symlinkSync('..2', join(scene.directory, '..data_tmp'));
    renameSync(join(scene.directory, '..data_tmp'), join(scene.directory, '..data'));
    await scene.serves(second);
    scene.write(join('..2', 'shop'), pair(first));
    await scene.serves(first);
  });

  it('sees what comes later: the directory, a credential, its files', async () => {
    scene.start();
    await scene.says(/cannot be read \(ENOENT\)/);
    scene.write('shop', {});
    scene.write('shop', pair(first));
    await scene.serves(first);
    scene.write('other', pair(second));
    scene.write('shop', pair(second));
    await scene.serves(second);
    rmSync(join(scene.directory, 'shop'), { recursive: true });
    await scene.serves(null);
    await scene.says(/Credential shop is gone/);
    scene.write('shop', pair(first));
    await scene.serves(first);
  });

  it('keeps what was good while the directory is away', async () => {
    scene.write('shop', pair(first));
    scene.start();
    renameSync(scene.directory, join(scene.base, 'away'));
    await scene.says(/cannot be read/);
    await scene.serves(first);
    scene.write('shop', pair(second));
    await scene.serves(second);
  });

  for (const [name, files, complaint] of [
    ['a key of another certificate', { 'tls.key': second.key }, /not the key of the certificate/],
    ['a certificate without its key', { 'tls.crt': second.chain }, /not the key of the certificate/],
    ['a certificate that is cut short', { 'tls.crt': first.chain.slice(0, -10) }, /tls\.crt that is cut short/],
    ['an empty key', { 'tls.key': '' }, /no PEM private key/],
    ['no certificate', { 'tls.crt': 'hello' }, /no PEM certificate in tls\.crt/],
    ['CAs that are none', { 'ca.crt': 'hello' }, /ca\.crt/],
    ['revocations without CAs', { 'ca.crl': root.revoke([]) }, /ca\.crt/],
    ['a file without an end', { 'tls.crt': 'x'.repeat(1_048_577) }, /tls\.crt/],
  ] as const) {
    it(`keeps what was good over ${name}, says so once, and goes on when it is mended`, async () => {
      scene.write('shop', pair(first));
      scene.start();
      scene.write('shop', files);
      assert.match(await scene.says(/its last good version is used/), complaint);
      assert.equal(scene.source.credentials.get('Credential shop')?.certificate, first.chain);
      assert.equal(scene.changes, 0);
      for (const file of ['ca.crt', 'ca.crl']) rmSync(join(scene.directory, 'shop', file), { force: true });
      scene.write('shop', pair(second));
      await scene.serves(second);
      assert.equal(scene.log.filter((line) => complaint.test(line)).length, 1);
    });
  }

  it('starts without what is broken, and with the rest', async () => {
    scene.write('shop', { 'tls.crt': first.chain });
    scene.write('other', pair(second));
    scene.start();
    assert.deepEqual([...scene.source.credentials.keys()], ['Credential other']);
    assert.match(scene.log[0] ?? '', /^Credential shop \(.*\) has no tls\.key: add it$/);
    scene.write('shop', { 'tls.key': first.key });
    await scene.serves(first);
  });

  it('never says what a key is', async () => {
    scene.write('shop', {
      'tls.crt': first.chain,
      'tls.key': `-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n`,
    });
    scene.start();
    assert.equal(scene.log.length, 1);
    assert.doesNotMatch(scene.log[0] as string, /c2VjcmV0|secret/);
  });

  it('does not tell of what says the same', async () => {
    scene.write('shop', pair(first));
    scene.start();
    scene.write('shop', pair(first));
    unlinkSync(join(scene.directory, 'shop', 'tls.key'));
    scene.write('shop', pair(first));
    scene.write('later', pair(second));
    await scene.serves(first);
    await new Promise<void>((resolve) => setImmediate(resolve));
    scene.write('shop', pair(second));
    await scene.serves(second);
    assert.equal(scene.log.filter((line) => line.includes('shop was renewed')).length, 1);
  });

  it('ends when it is closed', () => {
    scene.write('shop', pair(first));
    scene.start();
    scene.source.close();
    scene.write('shop', pair(second));
    chmodSync(scene.directory, 0o700);
    assert.equal(scene.source.credentials.get('Credential shop')?.certificate, first.chain);
  });
});
