// A port of its own for every enrolled Service port: whoever redirects traffic by address leads it there, and what arrives is for that Service.

/** Both ends belong to it. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

export interface PortAllocation {
  /** By id of the ServicePlan (`namespace/name:port`). */
  readonly assigned: ReadonlyMap<string, number>;
  /** Ports that were given back and to whom they belonged, the longest free first. */
  readonly released: ReadonlyMap<number, string>;
}

export const NO_PORTS: PortAllocation = { assigned: new Map(), released: new Map() };

/**
 * Whoever has a port keeps it; whoever comes back gets the one it had, while nobody else needed it. A new one is looked
 * for from a place that depends on the id alone, so that nothing depends on the order of files, and among those that
 * nobody ever had: rules for a redirection that are still in force somewhere lead to nobody then, not to somebody else.
 * When none is left, the one that has been free for longest is used. `reserved` is never given away.
 */
export function allocatePorts(
  wanted: Iterable<string>,
  before: PortAllocation,
  range: PortRange,
  reserved: ReadonlySet<number>,
): PortAllocation {
  const ids = [...new Set(wanted)].sort();
  if (ids.length === before.assigned.size && ids.every((id) => isKept(id, before, range))) return before;
  const draft = new Draft(before, range, reserved);
  draft.release(new Set(ids));
  for (const id of ids) draft.keepOrRegain(id);
  for (const id of ids) draft.assign(id);
  return draft.current();
}

/** What was kept of an earlier run, as far as it can be believed; null: nothing can. */
export function portAllocation(raw: unknown): PortAllocation | null {
  const { assigned, released } = (raw ?? {}) as { readonly assigned?: unknown; readonly released?: unknown };
  if (typeof assigned !== 'object' || assigned === null || !Array.isArray(released)) return null;
  const taken = new Set<number>();
  const free = (port: unknown): port is number => isPort(port) && !taken.has(port) && taken.add(port) !== null;
  return {
    assigned: new Map(Object.entries(assigned).filter((entry): entry is [string, number] => free(entry[1]))),
    released: new Map(released.filter((entry): entry is [number, string] => isRelease(entry) && free(entry[0]))),
  };
}

function isRelease(entry: unknown): entry is [unknown, string] {
  return Array.isArray(entry) && entry.length === 2 && typeof entry[1] === 'string';
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 65_535;
}

function isKept(id: string, { assigned }: PortAllocation, range: PortRange): boolean {
  const port = assigned.get(id);
  return port !== undefined && isWithin(port, range);
}

function isWithin(port: number, { from, to }: PortRange): boolean {
  return port >= from && port <= to;
}

class Draft {
  readonly #before: PortAllocation;
  readonly #range: PortRange;
  readonly #reserved: ReadonlySet<number>;
  readonly #assigned: Map<string, number> = new Map();
  readonly #taken: Set<number> = new Set();
  readonly #released: Map<number, string>;
  readonly #owners: Map<string, number>;

  constructor(before: PortAllocation, range: PortRange, reserved: ReadonlySet<number>) {
    this.#before = before;
    this.#range = range;
    this.#reserved = reserved;
    this.#released = new Map([...before.released].filter(([port]) => isWithin(port, range)));
    this.#owners = new Map([...this.#released].map(([port, id]) => [id, port]));
  }

  /** Ports of those who are not wanted any more. */
  release(wanted: ReadonlySet<string>): void {
    for (const [id, port] of this.#before.assigned) {
      if (!wanted.has(id) && isWithin(port, this.#range)) this.#released.set(port, id);
    }
  }

  keepOrRegain(id: string): void {
    const kept = this.#before.assigned.get(id);
    if (kept !== undefined && isWithin(kept, this.#range)) {
      this.#give(id, kept);
      return;
    }
    const own = this.#owners.get(id);
    if (own !== undefined && this.#released.get(own) === id && !this.#reserved.has(own)) this.#give(id, own);
  }

  assign(id: string): void {
    if (this.#assigned.has(id)) return;
    const port = this.#unused(id) ?? this.#longestFree();
    if (port !== undefined) this.#give(id, port);
  }

  current(): PortAllocation {
    return { assigned: this.#assigned, released: this.#released };
  }

  #give(id: string, port: number): void {
    this.#assigned.set(id, port);
    this.#taken.add(port);
    this.#released.delete(port);
  }

  #unused(id: string): number | undefined {
    const { from, to } = this.#range;
    const size = to - from + 1;
    const start = hash(id) % size;
    for (let step = 0; step < size; step++) {
      const port = from + ((start + step) % size);
      if (!this.#taken.has(port) && !this.#released.has(port) && !this.#reserved.has(port)) return port;
    }
    return undefined;
  }

  #longestFree(): number | undefined {
    return this.#released.keys().find((port) => !this.#reserved.has(port));
  }
}

/** FNV-1a, 32 bits: the same everywhere and for ever. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}
