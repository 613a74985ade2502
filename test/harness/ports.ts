// Ports nobody listens on, outside the range that the kernel hands to outgoing connections, so that they stay free.

import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Test files that run at the same time each have a lane of their own. Looking whether a port is free is not enough: a
 * waypoint shares its port (SO_REUSEPORT), and of two that were given the same each would get half of the other's calls.
 */
const LANES = 4;
const LANE = 2750;
const FIRST = 21_000 + (Number(process.env['MOCHA_WORKER_ID'] ?? 0) % LANES) * LANE;
const LAST = FIRST + LANE - 1;
let next = FIRST + (process.pid % 137) * 20;

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
