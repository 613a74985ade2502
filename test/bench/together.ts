// Servers that live as long as one measurement: all are started, and all are stopped even when it fails.

import type { Running } from './processes.ts';

export async function together<T extends Running, R>(
  starting: readonly Promise<T>[],
  measure: (running: readonly T[]) => Promise<R>,
): Promise<R> {
  const settled = await Promise.allSettled(starting);
  const running = settled.filter((result) => result.status === 'fulfilled').map((result) => result.value);
  try {
    for (const result of settled) if (result.status === 'rejected') throw result.reason;
    return await measure(running);
  } finally {
    await Promise.all(running.map((one) => one.stop()));
  }
}
