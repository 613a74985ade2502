// What every contender forwards to: small answers and 1 MiB files from nginx, a sink for uploads beside it.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nginxPreamble } from './contenders/nginx.ts';
import type { Work } from './load.ts';
import { freePort, type Running, scratchFolder, start, untilListening } from './processes.ts';

export const MIB = 1_048_576;
const SMALL_BODY = 'x'.repeat(60);

export interface Backend {
  /** Answers 61 bytes to everything but `/mib`, and 1 MiB to that. */
  readonly port: number;
  /** Reads a request's body to its end, then answers 2 bytes. */
  readonly sinkPort: number;
  readonly processes: readonly Running[];
}

export const SMALL: Work = {
  path: '/api/orders/42?page=2&sort=date',
  host: 'shop.example.com',
  connections: 64,
  bodyBytes: 0,
};
export const SMALL_BYTES: number = SMALL_BODY.length + 1;
export const DOWNLOAD: Work = { path: '/mib', host: 'shop.example.com', connections: 16, bodyBytes: 0 };
export const UPLOAD: Work = { path: '/upload', host: 'shop.example.com', connections: 16, bodyBytes: MIB };
export const UPLOAD_ANSWER_BYTES = 2;

export async function startBackend(): Promise<Backend> {
  const folder = scratchFolder('backend');
  const port = await freePort();
  const sinkPort = await freePort();
  writeFileSync(join(folder, 'mib'), Buffer.alloc(MIB, 'x'));
  writeFileSync(
    join(folder, 'nginx.conf'),
    `${nginxPreamble(folder)}
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  sendfile on;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = /mib { root ${folder}; default_type application/octet-stream; }
    location / { default_type text/plain; return 200 "${SMALL_BODY}\\n"; }
  }
}
`,
  );
  const answers = start('backend', 'nginx', ['-p', folder, '-c', 'nginx.conf', '-e', 'error.log']);
  const sink = start('upload sink', process.execPath, [join(import.meta.dirname, 'upload-sink.ts'), String(sinkPort)]);
  await untilListening(port, 5000);
  await untilListening(sinkPort, 5000);
  return { port, sinkPort, processes: [answers, sink] };
}
