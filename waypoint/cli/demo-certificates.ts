// The certificates of the demo: a CA, the waypoint's own and those of two clients, made at start and gone with it.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { authority, type Issued } from './certificates/authority.ts';

export interface DemoCertificates {
  /** A directory for `--credentials`, with `ca.crt` and the `<client>.pem` besides. */
  readonly folder: string;
  discard(): void;
}

/** Service accounts of the namespace shop. */
const CLIENTS = ['till', 'guest'] as const;
/** Long enough that nothing warns of their end. */
const LIFETIME_MS = 90 * 24 * 3_600_000;

/** `address`: where the waypoint is reached over TLS. */
export function demoCertificates(address: string): DemoCertificates {
  // Readable for this user alone: there are keys in it.
  const folder = mkdtempSync(join(tmpdir(), 'waypoint-demo-'));
  const notAfter = Date.now() + LIFETIME_MS;
  const ca = authority({ subject: 'CA of the demo', notAfter });
  const server = ca.issue({ subject: 'shop', notAfter, names: [`IP:${address}`, 'DNS:localhost', 'DNS:ledger.shop'] });
  write(join(folder, 'ca.crt'), ca.certificate);
  writeCredential(join(folder, 'shop'), server, ca.certificate);
  for (const name of CLIENTS) {
    const { chain, key } = ca.issue({
      subject: name,
      notAfter,
      names: [`URI:spiffe://cluster.local/ns/shop/sa/${name}`],
    });
    write(join(folder, `${name}.pem`), chain + key);
  }
  return { folder, discard: () => rmSync(folder, { recursive: true, force: true }) };
}

function writeCredential(folder: string, { chain, key }: Issued, authorities: string): void {
  mkdirSync(folder);
  write(join(folder, 'tls.crt'), chain);
  write(join(folder, 'tls.key'), key);
  write(join(folder, 'ca.crt'), authorities);
}

function write(file: string, text: string): void {
  writeFileSync(file, text, { mode: 0o600 });
}
