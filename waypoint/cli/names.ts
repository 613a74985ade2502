// The DNS server of a process, loaded where one is asked for, and kept up with what the resources say.

import { networkInterfaces } from 'node:os';
import type { Translation } from '../../gateway-api/translate.ts';
import type { NameServer, NameServerOptions } from '../redirect/dns/name-server.ts';
import type { Zone } from '../redirect/dns/zone.ts';
import { zoneInputs, zoneServices } from './zone-services.ts';

type MakeZone = (...parts: ConstructorParameters<typeof Zone>) => Zone;

export type NamesOptions = NameServerOptions & { readonly clusterDomain: string };

export class Names {
  readonly #server: NameServer;
  readonly #makeZone: MakeZone;
  readonly #options: NamesOptions;
  #inputs: readonly unknown[] = [];
  #serial = Math.floor(Date.now() / 1000);

  private constructor(server: NameServer, makeZone: MakeZone, options: NamesOptions) {
    this.#server = server;
    this.#makeZone = makeZone;
    this.#options = options;
  }

  /** @throws when it can't listen, with the next step. */
  static async start(options: NamesOptions): Promise<Names> {
    const [{ NameServer }, { Zone }] = await Promise.all([
      import('../redirect/dns/name-server.ts'),
      import('../redirect/dns/zone.ts'),
    ]);
    const server = new NameServer(options);
    await server.listen();
    return new Names(server, (...parts) => new Zone(...parts), options);
  }

  /** `host:port` in use. */
  get address(): string {
    return this.#server.address;
  }

  /** Answers from what was translated last. */
  follow(translation: Translation): void {
    const inputs = zoneInputs(translation);
    if (inputs.every((input, index) => input === this.#inputs[index])) return;
    this.#inputs = inputs;
    const services = zoneServices(translation, addressesOfHost(this.#options.listen.host));
    this.#server.publish(this.#makeZone(services, this.#options.clusterDomain, ++this.#serial));
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}

/** Where clients reach a Gateway that listens on every address: where they reached DNS, else at any of this host's. */
export function addressesOfHost(listen: string): readonly string[] {
  const isOne = !['0.0.0.0', '::', 'localhost'].includes(listen);
  if (isOne) return [listen];
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const outside = all.filter(({ internal, scopeid }) => !internal && (scopeid ?? 0) === 0);
  return (outside.length > 0 ? outside : all).map(({ address }) => address);
}
