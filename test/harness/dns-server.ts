// A DNS server in the test process with two Services to answer for, its counts and log kept, its leavings counted.

import { once } from 'node:events';
import { createLog } from '../../waypoint/ops/log.ts';
import type { ForwardLimits } from '../../waypoint/redirect/dns/forwarder.ts';
import { NameServer, type NameServerOptions } from '../../waypoint/redirect/dns/name-server.ts';
import { Zone, type ZoneService } from '../../waypoint/redirect/dns/zone.ts';
import { type FakeResolver, TcpClient } from './dns.ts';
import { assertNothingLeft, type Census, census } from './leaks.ts';

export const FQDN: string = 'orders.shop.svc.cluster.local';
export const ORDERS: ZoneService = {
  ...{ namespace: 'shop', name: 'orders', isHome: true, vips: ['127.0.10.2'], addresses: [] },
  ports: [{ name: 'http', port: 8880 }],
};
export const MANY: ZoneService = {
  ...ORDERS,
  name: 'many',
  vips: Array.from({ length: 60 }, (_, i) => `127.1.0.${i}`),
  ports: [],
};

export const IMPATIENT: ForwardLimits = { tryTimeoutMs: 200, totalTimeoutMs: 450, inFlight: 200, perClient: 200 };

export class Server {
  readonly counts: Map<string, number> = new Map();
  readonly messages: string[] = [];
  port = 0;
  readonly #server: NameServer;

  private constructor(options: Partial<NameServerOptions>) {
    this.#server = new NameServer({
      ...{ listen: { host: '127.0.0.1', port: 0 }, flag: '--dns', upstream: [], clients: [], rate: 1_000_000 },
      log: createLog('info', (text) => this.messages.push(text)),
      count: (counter, reason) => {
        const key = `${counter === 'dns_forwards' ? 'upstream ' : ''}${reason}`;
        this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
      },
      ...options,
    });
  }

  static async start(options: Partial<NameServerOptions> = {}): Promise<Server> {
    const server = new Server(options);
    await server.#server.listen();
    server.port = Number(server.#server.address.split(':').at(-1));
    server.publish([ORDERS, MANY]);
    return server;
  }

  /** Impatient, but for what tests give it besides. */
  static async with(resolver: FakeResolver, options: Partial<NameServerOptions> = {}): Promise<Server> {
    return Server.start({ upstream: [resolver], forwardLimits: IMPATIENT, ...options });
  }

  publish(services: readonly ZoneService[]): void {
    this.#server.publish(new Zone(services, 'cluster.local', 1));
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}

/** What a test opens and what it leaves behind. Made within the test, when Mocha's own timer runs. */
export class Belongings {
  readonly #before: Census = census();
  readonly #things: { close(): unknown }[] = [];

  /** Closed when the test is over, the last first. */
  own<T extends { close(): unknown }>(thing: T): T {
    this.#things.push(thing);
    return thing;
  }

  async overTcp(port: number): Promise<TcpClient> {
    const client = new TcpClient(port);
    this.own({ close: () => client.socket.destroy() });
    await once(client.socket, 'connect');
    return client;
  }

  async close(): Promise<void> {
    for (const thing of this.#things.splice(0).reverse()) await thing.close();
    await assertNothingLeft(this.#before);
  }
}
