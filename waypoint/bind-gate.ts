// Before workers share a port among themselves, the main thread asks whether somebody else holds it.

import { createServer } from 'node:net';
import type { BindPlan } from '../policies/plan.ts';

/** How long after a failed bind the next try comes. */
const RETRY_MS = 1000;

type State = 'probing' | 'open' | { readonly error: string };

/**
 * Listeners of workers use SO_REUSEPORT, with which two waypoints would silently split a port between them. So each new
 * address is bound once without it; only what succeeds is published, and what fails is told and tried again.
 */
export class BindGate {
  readonly #states: Map<string, State> = new Map();
  readonly #retries: Set<NodeJS.Timeout> = new Set();
  readonly #changed: () => void;
  #wanted: ReadonlyMap<string, BindPlan> = new Map();

  /** `changed` is called when an address became usable or turned out not to be. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Takes note of what is wanted now; settles when every new address has been tried. */
  async want(binds: ReadonlyMap<string, BindPlan>): Promise<void> {
    this.#wanted = binds;
    for (const id of this.#states.keys()) if (!binds.has(id)) this.#states.delete(id);
    const probes: Promise<void>[] = [];
    for (const bind of binds.values()) if (!this.#states.has(bind.id)) probes.push(this.#probe(bind));
    await Promise.all(probes);
  }

  /** Those of `binds` that can be listened on. */
  admitted(binds: ReadonlyMap<string, BindPlan>): ReadonlyMap<string, BindPlan> {
    const admitted = new Map<string, BindPlan>();
    for (const [id, bind] of binds) if (this.#states.get(id) === 'open') admitted.set(id, bind);
    return admitted.size === binds.size ? binds : admitted;
  }

  /** By bind id, why it can not be listened on. */
  errors(): ReadonlyMap<string, string> {
    const errors = new Map<string, string>();
    for (const [id, state] of this.#states) if (typeof state === 'object') errors.set(id, state.error);
    return errors;
  }

  close(): void {
    for (const retry of this.#retries) clearTimeout(retry);
    this.#retries.clear();
    this.#wanted = new Map();
  }

  async #probe(bind: BindPlan): Promise<void> {
    const before = this.#states.get(bind.id);
    if (before === undefined) this.#states.set(bind.id, 'probing');
    const error = await tryBind(bind);
    if (!this.#wanted.has(bind.id)) return;
    this.#states.set(bind.id, error === null ? 'open' : { error });
    if (error !== null) this.#retryLater(bind);
    const known = typeof before === 'object' ? before.error : null;
    if (known !== error) this.#changed();
  }

  #retryLater(bind: BindPlan): void {
    const retry = setTimeout(() => {
      this.#retries.delete(retry);
      if (this.#wanted.has(bind.id)) void this.#probe(bind);
    }, RETRY_MS);
    this.#retries.add(retry);
  }
}

function tryBind(bind: BindPlan): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host: bind.address, port: bind.port }, () => server.close(() => resolve(null)));
  });
}
