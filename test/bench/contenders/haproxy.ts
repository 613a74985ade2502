// HAProxy in HTTP mode: one thread, upstream connections reused.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Backend } from '../backend.ts';
import { freePort, scratchFolder, start, untilListening } from '../processes.ts';
import type { Contender } from './contender.ts';

export async function startHaproxy(backend: Backend): Promise<Contender> {
  const folder = scratchFolder('haproxy');
  const port = await freePort();
  writeFileSync(
    join(folder, 'haproxy.cfg'),
    `global
  nbthread 1
  maxconn 4000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend front
  bind 127.0.0.1:${port}
  use_backend sink if { path /upload }
  default_backend answers
backend answers
  server one 127.0.0.1:${backend.port}
backend sink
  server one 127.0.0.1:${backend.sinkPort}
`,
  );
  const running = start('haproxy', 'haproxy', ['-db', '-f', join(folder, 'haproxy.cfg')]);
  await untilListening(port, 5000);
  return { ...running, port, scheme: 'http' };
}
