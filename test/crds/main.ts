// `npm run crds`: writes the CRDs that follow from our schemas.

import { mkdirSync, writeFileSync } from 'node:fs';
import { CRDS } from './published.ts';

const folder = new URL('../../manifests/crds/', import.meta.url);

mkdirSync(folder, { recursive: true });
for (const [file, text] of CRDS) {
  writeFileSync(new URL(file, folder), text);
  process.stdout.write(`manifests/crds/${file}\n`);
}
