// Ports nobody listens on, outside the range that the kernel hands to outgoing connections, so that they stay free.

import { once } from 'node:events';
import { createServer } from 'node:net';

const FIRST = 21_000;
const LAST = 31_999;
let next = FIRST + (process.pid % 500) * 20;

export async function freePort(host: string = '127.0.0.1'): Promise<number> {
  for (let tries = 0; tries < 1000; tries++) {
    next = next >= LAST ? FIRST : next + 1;
    if (await isFree(next, host)) return next;
  }
  throw new Error(`no free port from ${FIRST} to ${LAST}`);
}

async function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ port, host, exclusive: true });
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    const closed = server.listening ? once(server, 'close') : null;
    server.close();
    await closed;
  }
}
