// The version of this waypoint, as its package says.

import { readFileSync } from 'node:fs';

export const VERSION: string = readVersion();

/** package.json stands above the sources, and one folder further up from the compiled files in dist. */
function readVersion(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const manifest = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version: string };
      return manifest.version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return 'unknown';
}
