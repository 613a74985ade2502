// Reading everything for the first time without keeping the memory that it took.

import { setFlagsFromString } from 'node:v8';

/** V8's own: the factor by which a young generation grows that too much survives in. */
const USUAL_GROWTH = 2;

/**
 * Modules and thousands of objects that are here to stay make V8 believe in a thread full of survivors: its young
 * generation grows from 2 MB to 32 MB and keeps them. It does not grow while `load` runs, in any thread; it reads this
 * flag each time. `bin.js` sets it before the first module is loaded.
 */
export async function firstLoad<T>(load: () => Promise<T>): Promise<T> {
  setFlagsFromString('--semi-space-growth-factor=1');
  try {
    return await load();
  } finally {
    growAsUsual();
  }
}

/** For whoever does not serve: time counts, and memory is given back at the end anyway. */
export function growAsUsual(): void {
  setFlagsFromString(`--semi-space-growth-factor=${USUAL_GROWTH}`);
}
