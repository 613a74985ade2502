// The certificate that every contender presents in the TLS rows: made for this run, P-256, as most are.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { authority, type Issued } from '../harness/certificates.ts';
import { scratchFolder } from './processes.ts';

let issued: Issued | null = null;

export function benchCertificate(): Issued {
  issued ??= authority().issue({ names: ['DNS:shop.example.com', 'IP:127.0.0.1'] });
  return issued;
}

/** Paths of its files, for those who read files. */
export function certificateFiles(): { readonly certificate: string; readonly key: string } {
  const folder = scratchFolder('certificate');
  const files = { certificate: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
  writeFileSync(files.certificate, benchCertificate().chain);
  writeFileSync(files.key, benchCertificate().key);
  return files;
}
