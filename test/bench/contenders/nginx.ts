// nginx as its manual shows a keep-alive reverse proxy: one process, no access log, bodies streamed as the others do.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Backend } from '../backend.ts';
import { certificateFiles } from '../certificate.ts';
import { freePort, scratchFolder, start, untilListening } from '../processes.ts';
import type { Contender, Scheme } from './contender.ts';

/** The part every nginx here shares: one process in the foreground that keeps its files in `folder`. */
export function nginxPreamble(folder: string): string {
  const asRoot = process.getuid?.() === 0 ? 'user root;\n' : '';
  return `${asRoot}daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log crit;
worker_rlimit_nofile 40000;
events { worker_connections 12000; }`;
}

function secure(): string {
  const { certificate, key } = certificateFiles();
  return `    ssl_certificate ${certificate};
    ssl_certificate_key ${key};
    ssl_protocols TLSv1.2 TLSv1.3;
`;
}

export async function startNginx(backend: Backend, scheme: Scheme = 'http'): Promise<Contender> {
  const folder = scratchFolder('nginx');
  const port = await freePort();
  writeFileSync(
    join(folder, 'nginx.conf'),
    `${nginxPreamble(folder)}
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  client_max_body_size 16m;
  client_body_temp_path ${folder}/client;
  proxy_temp_path ${folder}/proxy;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $host;
  proxy_request_buffering off;
  proxy_max_temp_file_size 0;
  upstream answers { server 127.0.0.1:${backend.port}; keepalive 128; keepalive_requests 1000000000; }
  upstream sink { server 127.0.0.1:${backend.sinkPort}; keepalive 128; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port}${scheme === 'https' ? ' ssl' : ''} backlog=4096;
${scheme === 'https' ? secure() : ''}    location / { proxy_pass http://answers; }
    location = /upload { proxy_pass http://sink; }
  }
}
`,
  );
  const running = start('nginx', 'nginx', ['-p', folder, '-c', 'nginx.conf', '-e', 'error.log']);
  await untilListening(port, 5000);
  return { ...running, port, scheme };
}
