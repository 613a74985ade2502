// The ports of Services, kept on disk so that redirections which others configured still lead to the same Service after a restart.

import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NO_PORTS, type PortAllocation, portAllocation } from './service-ports.ts';

const FILE = 'service-ports.json';

export class KeptPorts {
  /** What holds now. */
  current: PortAllocation = NO_PORTS;
  readonly #directory: string | null;
  readonly #complain: (message: string) => void;

  /** null: kept nowhere. `complain` is told what cannot be read or kept; serving goes on. */
  constructor(directory: string | null, complain: (message: string) => void) {
    this.#directory = directory;
    this.#complain = complain;
  }

  load(): void {
    if (this.#directory === null) return;
    const path = join(this.#directory, FILE);
    try {
      const read = portAllocation(JSON.parse(readFileSync(path, 'utf8')));
      if (read === null) this.#complain(`${path} is not what was written there: ports are allocated anew`);
      else this.current = read;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT') this.#complain(`cannot read the ports of Services, they are allocated anew: ${message}`);
    }
  }

  /** Written before anybody learns of the ports. */
  keep(ports: PortAllocation): void {
    if (ports === this.current) return;
    this.current = ports;
    if (this.#directory === null) return;
    const path = join(this.#directory, FILE);
    const text = JSON.stringify(
      { assigned: Object.fromEntries(ports.assigned), released: [...ports.released] },
      null,
      1,
    );
    try {
      mkdirSync(this.#directory, { recursive: true });
      writeFileSync(`${path}.new`, `${text}\n`, { mode: 0o600 });
      renameSync(`${path}.new`, path);
    } catch (error) {
      this.#complain(`cannot keep the ports of Services in ${path}: ${(error as Error).message}`);
    }
  }
}
