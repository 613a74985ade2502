// The resolvers of this host, as resolv.conf names them now.

import { readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import type { SocketAddress } from '../../flag-values.ts';

/** Looked at again no sooner than this, and only when somebody asks. */
const LOOK_MS = 1000;
const DNS_PORT = 53;
const NONE: readonly SocketAddress[] = [];

/** resolv.conf(5): lines `nameserver <address>`; others have no use for us. */
export function parseResolvConf(text: string): readonly SocketAddress[] {
  return text.split('\n').flatMap((line) => {
    const host = /^\s*nameserver\s+([^\s#;]+)/.exec(line)?.[1] ?? '';
    return isIP(host) === 0 ? [] : [{ host, port: DNS_PORT }];
  });
}

export class ResolvConf {
  readonly #path: string;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #seen = '';
  #resolvers: readonly SocketAddress[] = NONE;

  constructor(path: string = '/etc/resolv.conf') {
    this.#path = path;
  }

  /** `now`: monotonic ms. */
  resolvers(now: number): readonly SocketAddress[] {
    if (now - this.#lookedAt >= LOOK_MS) {
      this.#lookedAt = now;
      this.#look();
    }
    return this.#resolvers;
  }

  #look(): void {
    try {
      // A file that is replaced has another number, one that is edited another time or size.
      const { mtimeMs, ino, size } = statSync(this.#path);
      const seen = `${mtimeMs} ${ino} ${size}`;
      if (seen === this.#seen) return;
      this.#resolvers = parseResolvConf(readFileSync(this.#path, 'utf8'));
      this.#seen = seen;
    } catch {
      // Half replaced, or not there: what was said last holds until there is something else.
      this.#seen = '';
    }
  }
}
