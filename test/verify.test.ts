// `waypoint verify`: ways around a waypoint are found, and nothing else is taken for one.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { bundle, policy, root } from './harness/backend-tls-world.ts';
import { command, type Ran } from './harness/command.ts';
import { documents, gateway, gatewayClass, type Manifest, service } from './harness/manifests.ts';
import { freePort } from './harness/ports.ts';
import { ScriptedBackend } from './harness/scripted-backend.ts';
import { Waypoint } from './harness/waypoint.ts';

const LABELS = { 'waypoint.dev/use-waypoint': 'shop' };
const NET = `127.${64 + (process.pid % 60)}.${process.pid % 250}`;

/** A workload that does this with every connection. */
class Workload {
  readonly server: Server;
  readonly sockets: Set<Socket> = new Set();

  private constructor(behave: (socket: Socket) => void) {
    this.server = createServer((socket) => {
      this.sockets.add(socket);
      socket.on('error', () => {});
      behave(socket);
    });
  }

  static async start(behave: (socket: Socket) => void): Promise<Workload> {
    const workload = new Workload(behave);
    workload.server.listen(0, '127.0.0.1');
    await once(workload.server, 'listening');
    return workload;
  }

  get port(): number {
    return (this.server.address() as { port: number }).port;
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}

function shop(port: number, endpoints: readonly number[], more: readonly Manifest[] = []): Manifest[] {
  return [
    gatewayClass(),
    gateway('shop', [{ port }]),
    ...service({ name: 'orders', labels: LABELS, endpoints, clusterIP: `${NET}.9`, port: port + 1 }),
    ...more,
  ];
}

interface Way {
  readonly service: string;
  readonly kind: string;
  readonly verdict: string;
  readonly detail: string;
}

async function ways(manifests: readonly Manifest[]): Promise<{ readonly ran: Ran; readonly found: string[] }> {
  const ran = await command(['verify', 'FILE', '--format', 'json', '--timeout', '500ms'], documents(manifests));
  const { ways: list } = JSON.parse(ran.stdout) as { readonly ways: readonly Way[] };
  return { ran, found: list.map(({ kind, verdict }) => `${kind} ${verdict}`) };
}

describe('waypoint verify', function () {
  this.timeout(20_000);

  const guards: [name: string, behave: (socket: Socket) => void, verdict: string, code: number][] = [
    ['answers', (socket) => socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n'), 'open', 1],
    ['answers in another tongue', (socket) => socket.end('220 mail\r\n'), 'open', 1],
    ['says nothing', () => {}, 'open', 1],
    ['closes at once', (socket) => socket.end(), 'guarded', 0],
    ['resets', (socket) => socket.once('data', () => socket.resetAndDestroy()), 'guarded', 0],
    [
      'is guarded by a policy',
      (socket) => socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 19\r\n\r\nRBAC: access denied'),
      'guarded',
      0,
    ],
    ['forbids by itself', (socket) => socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 3\r\n\r\nno!'), 'open', 1],
  ];
  for (const [name, behave, verdict, code] of guards) {
    it(`a workload that ${name}: ${verdict}`, async () => {
      const workload = await Workload.start(behave);
      try {
        const { ran, found } = await ways(shop(await freePort(`${NET}.9`), [workload.port]));
        assert.deepEqual([found, ran.code], [[`endpoint ${verdict}`, 'address refused'], code], ran.stderr);
      } finally {
        workload.close();
      }
    });
  }

  it('a workload that closes what is no TLS is open, also at the address of its Service', async () => {
    const workload = await Workload.start((socket) => socket.once('data', () => socket.end()));
    try {
      const { port } = workload;
      const vault = service({ name: 'vault', labels: LABELS, endpoints: [port], clusterIP: '127.0.0.1', port });
      const edge = gateway('shop', [{ port: await freePort() }]);
      const { ran, found } = await ways([gatewayClass(), edge, ...vault, bundle('root', root), policy('vault', {})]);
      assert.deepEqual([found, ran.code], [['endpoint open', 'address open'], 1], ran.stderr);
    } finally {
      workload.close();
    }
  });

  it('a closed port is no way', async () => {
    const { ran, found } = await ways(shop(await freePort(`${NET}.9`), [await freePort()]));
    assert.deepEqual([found, ran.code], [['endpoint refused', 'address refused'], 0]);
    assert.match(ran.stderr, /nobody answered, not even the waypoint/);
  });

  it('knows the waypoint at the address of a Service, and bothers nobody behind it', async () => {
    const backend = await ScriptedBackend.start();
    const port = await freePort();
    const closed = await freePort();
    const waypoint = await Waypoint.start({ 'shop.yaml': shop(port, [backend.port]) });
    try {
      const { ran, found } = await ways(shop(port, [closed]));
      assert.deepEqual([found, ran.code], [['endpoint refused', 'address waypoint'], 0], ran.stderr);
      assert.equal(backend.requests.length, 0);
    } finally {
      await waypoint.close();
      await backend.close();
    }
  });

  it('says what to do, the open ways first', async () => {
    const port = await freePort();
    const backend = await ScriptedBackend.start();
    const stray = await ScriptedBackend.start(undefined, 'stray');
    try {
      const catalog = service({
        name: 'catalog',
        labels: LABELS,
        endpoints: [],
        clusterIP: '127.0.0.1',
        port: stray.port,
      });
      const { code, stdout, stderr } = await command(
        ['verify', 'FILE', '--timeout', '500ms'],
        documents(shop(port, [await freePort(), backend.port], catalog)),
      );
      assert.equal(code, 1);
      const lines = stdout.split('\n');
      assert.match(lines[1] ?? '', /^! .*default\/catalog.*address.*open.*lead its address to the waypoint/);
      assert.match(lines[2] ?? '', /^! .*default\/orders.*endpoint.*open.*answers 200: .*waypoint lockdown/);
      assert.match(stdout, /4 ways tried, 2 around the waypoint\n$/);
      assert.match(stderr, /default\/catalog has no endpoints to try/);
    } finally {
      await backend.close();
      await stray.close();
    }
  });

  it('tries many, a few at a time', async () => {
    let open = 0;
    let most = 0;
    const workload = await Workload.start((socket) => {
      most = Math.max(most, ++open);
      setTimeout(() => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'), 10);
      socket.on('close', () => open--).resume();
    });
    try {
      const many = Array.from({ length: 20 }, (_, i) =>
        service({ name: `s${i}`, labels: LABELS, endpoints: [workload.port] }),
      );
      const { code, stdout } = await command(
        ['verify', 'FILE', '--concurrency', '4', '--format', 'json'],
        documents([gatewayClass(), gateway('shop', [{ port: 15_080 }]), ...many.flat()]),
      );
      assert.equal(code, 1);
      assert.equal((JSON.parse(stdout) as { open: number }).open, 20);
      // One that ended for the client may not have ended here yet.
      assert.ok(most <= 8, `${most} at a time`);
    } finally {
      workload.close();
    }
  });

  it('says that nothing is enrolled', async () => {
    const { code, stderr } = await command(
      ['verify', 'FILE'],
      documents([gatewayClass(), gateway('shop', [{ port: 1 }])]),
    );
    assert.equal(code, 1);
    assert.match(stderr, /no Service is enrolled/);
    assert.equal((await command(['verify'], '')).code, 2);
  });
});
