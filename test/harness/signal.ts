// Waiting for a condition instead of for a while: whoever changes something notifies, whoever waits looks again.

const DEFAULT_TIMEOUT_MS = 5000;

export class Signal {
  readonly #waiters = new Set<() => void>();

  notify(): void {
    for (const waiter of [...this.#waiters]) waiter();
  }

  /** The first value of `probe` that is neither null nor false, looked at now and after each notification. */
  until<T>(
    probe: () => T | null | false,
    what: () => string,
    timeoutMs: number = DEFAULT_TIMEOUT_MS,
  ): Promise<Exclude<T, null | false>> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        this.#waiters.delete(look);
        settle();
      };
      const look = (): void => {
        try {
          const value = probe();
          if (value !== null && value !== false) finish(() => resolve(value as Exclude<T, null | false>));
        } catch (error) {
          finish(() => reject(error));
        }
      };
      const timer = setTimeout(() => {
        finish(() => reject(new Error(`waited ${timeoutMs} ms in vain for ${what()}`)));
      }, timeoutMs);
      this.#waiters.add(look);
      look();
    });
  }
}

/** For what cannot notify (another process, a page): asks again every few ms until the answer is neither null nor false. */
export async function eventually<T>(
  probe: () => T | null | false | Promise<T | null | false>,
  what: string,
  timeoutMs: number = DEFAULT_TIMEOUT_MS,
): Promise<Exclude<T, null | false>> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== null && value !== false) return value as Exclude<T, null | false>;
    if (performance.now() > until) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
