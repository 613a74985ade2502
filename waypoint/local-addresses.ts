// The addresses of this host: they come and go without anybody's telling, and decide which addresses of Services are listened on.

import { networkInterfaces } from 'node:os';

const EVERY_MS = 1000;

export class LocalAddresses {
  /** The same object while the addresses are the same. */
  current: ReadonlySet<string> = read();
  readonly #changed: () => void;
  #timer: NodeJS.Timeout | null = null;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** `need`: whether anything depends on the addresses; looking costs little, and nothing is cheaper. */
  follow(need: 'watch' | 'none'): void {
    if (need === 'none') this.close();
    else this.#timer ??= setInterval(() => this.#look(), EVERY_MS).unref();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #look(): void {
    const now = read();
    if (now.size === this.current.size && now.isSubsetOf(this.current)) return;
    this.current = now;
    this.#changed();
  }
}

function read(): ReadonlySet<string> {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return new Set(all.map(({ address }) => address));
}
