// The PROXY protocol as others speak it: nginx reads what we write, curl writes what we read.

import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { requestBytes } from '../harness/call.ts';
import { echoed, sentField } from '../harness/echoed.ts';
import { backendRef, gateway, gatewayClass, route, service } from '../harness/manifests.ts';
import { PolicyWorld } from '../harness/policy-world.ts';
import { freePort } from '../harness/ports.ts';
import { RawClient } from '../harness/raw-client.ts';
import { ScriptedBackend } from '../harness/scripted-backend.ts';
import { eventually } from '../harness/signal.ts';
import { Waypoint } from '../harness/waypoint.ts';

const TOLD = '$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr $proxy_protocol_server_port';

function configuration(folder: string, port: number): string {
  const logs = `pid ${folder}/pid; error_log ${folder}/error.log;`;
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const server = `server { listen 127.0.0.1:${port} proxy_protocol; location / { return 200 "${TOLD}"; } }`;
  return `worker_processes 1; ${logs} events {} http { access_log off; ${paths.join(' ')} ${server} }`;
}

describe('the PROXY protocol of others', () => {
  for (const version of ['V1', 'V2'] as const) {
    it(`nginx reads ${version}`, async function () {
      if (spawnSync('nginx', ['-v']).error !== undefined) {
        process.stderr.write('    nginx is not installed: nobody else reads our headers (apt-get install nginx)\n');
        this.skip();
      }
      const folder = mkdtempSync(join(tmpdir(), 'waypoint-nginx-'));
      const port = await freePort();
      writeFileSync(join(folder, 'nginx.conf'), configuration(folder, port));
      const nginx = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf'), '-g', 'daemon off;']);
      const policy = { connections: { proxyProtocol: version } };
      const world = await PolicyWorld.start({ backends: 0, dead: [port], policy });
      try {
        await eventually(async () => (await world.call()).status === 200, 'nginx to serve');
        const client = await RawClient.connect(world.port);
        await client.send(requestBytes({}));
        const { body } = await client.response();
        assert.equal(body, `127.0.0.1 ${client.socket.localPort} 127.0.0.1 ${world.port}`);
      } finally {
        await world.close();
        const gone = once(nginx, 'exit');
        nginx.kill('SIGTERM');
        await gone;
        rmSync(folder, { recursive: true });
      }
    });
  }

  it('curl introduces itself', async function () {
    if (!spawnSync('curl', ['--help', 'all'], { encoding: 'utf8' }).stdout?.includes('--haproxy-protocol')) {
      process.stderr.write('    curl is not installed: nobody else writes headers (apt-get install curl)\n');
      this.skip();
    }
    const backend = await ScriptedBackend.start();
    const port = await freePort();
    const manifests = [
      gatewayClass(),
      gateway('edge', [{ port, protocol: 'waypoint.dev/PROXY' }]),
      ...service({ name: 'app', endpoints: [backend.port] }),
      route({ name: 'app', parents: ['edge'], rules: [{ backendRefs: [backendRef('app')] }] }),
    ];
    const waypoint = await Waypoint.start({ 'edge.yaml': manifests }, { proxyProtocolFrom: ['127.0.0.0/8'] });
    try {
      const run = promisify(execFile);
      const { stdout } = await run('curl', ['-s', '-m', '5', '--haproxy-protocol', `http://127.0.0.1:${port}/`]);
      assert.equal(echoed({ body: stdout }).backend, backend.port);
      assert.equal(sentField({ body: stdout }, 'x-forwarded-for'), '127.0.0.1');
      await assert.rejects(run('curl', ['-s', '-m', '5', `http://127.0.0.1:${port}/`]), 'without a header');
    } finally {
      await waypoint.close();
      await backend.close();
    }
  });
});
