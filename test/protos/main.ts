// `npm run protos`: writes the TypeScript that follows from the protos.

import { mkdirSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { generate, hasProtoc } from './generate.ts';

const protos = fileURLToPath(new URL('../../waypoint/protos/', import.meta.url));

if (hasProtoc()) {
  const names = readdirSync(protos).filter((name) => name.endsWith('.proto'));
  mkdirSync(`${protos}gen`, { recursive: true });
  generate(names, `${protos}gen`);
  for (const name of names) process.stdout.write(`waypoint/protos/gen/${name.replace('.proto', '_pb.ts')}\n`);
} else {
  process.stderr.write('protoc is missing: apt-get install protobuf-compiler\n');
  process.exitCode = 1;
}
