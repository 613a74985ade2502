// A folder in which `npx waypoint` and `node` are those of the working copy, as if it had been installed there.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

export class LinkedFolder {
  readonly path: string = mkdtempSync(join(tmpdir(), 'waypoint-linked-'));

  constructor() {
    mkdirSync(this.#bin, { recursive: true });
    symlinkSync(join(ROOT, 'waypoint/cli/bin.js'), join(this.#bin, 'waypoint'));
    symlinkSync(process.execPath, join(this.#bin, 'node'));
  }

  /** The environment of this process and its own programs first on the path. */
  env(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
    return { ...process.env, PATH: `${this.#bin}${delimiter}${process.env['PATH']}`, ...more };
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  get #bin(): string {
    return join(this.path, 'node_modules/.bin');
  }
}
