// One file-system watch per directory, replaced when the directory is, and said when it cannot be had.
import { type FSWatcher, watch } from 'node:fs';
import { statOf } from './file-tree.ts';

export interface DirectoryEvent {
  readonly directory: string;
  /** null: the system does not know of what. */
  readonly name: string | null;
  /** The name came, went or means another file now; otherwise what its file says changed. */
  readonly isEntry: boolean;
}

interface Watch {
  readonly watcher: FSWatcher;
  readonly inode: number;
}

export class DirectoryWatches {
  readonly #watches = new Map<string, Watch>();
  /** Directories that should be watched and are not: they are missing, or the system refused. */
  readonly #missing = new Set<string>();
  readonly #onEvent: (event: DirectoryEvent) => void;
  readonly #onRefusal: (directory: string, reason: string) => void;

  constructor(onEvent: (event: DirectoryEvent) => void, onRefusal: (directory: string, reason: string) => void) {
    this.#onEvent = onEvent;
    this.#onRefusal = onRefusal;
  }

  /** Directories that have to be looked after by other means. */
  get missing(): Iterable<string> {
    return [...this.#missing];
  }

  /** Watches the directory that is at this path now. True when it was not watched before. */
  add(directory: string): boolean {
    const stats = statOf(directory);
    const before = this.#watches.get(directory);
    if (before !== undefined && before.inode === stats?.ino) return false;
    before?.watcher.close();
    this.#watches.delete(directory);
    if (stats === null || !stats.isDirectory()) {
      this.#missing.add(directory);
      return false;
    }
    return this.#start(directory, stats.ino);
  }

  #start(directory: string, inode: number): boolean {
    try {
      const watcher = watch(directory, (type, name) => this.#onEvent({ directory, name, isEntry: type === 'rename' }));
      watcher.on('error', (error) => this.#refused(directory, error));
      this.#watches.set(directory, { watcher, inode });
      this.#missing.delete(directory);
      return true;
    } catch (error) {
      this.#refused(directory, error as Error);
      return false;
    }
  }

  #refused(directory: string, error: Error): void {
    this.#watches.get(directory)?.watcher.close();
    this.#watches.delete(directory);
    if (!this.#missing.has(directory)) this.#onRefusal(directory, error.message);
    this.#missing.add(directory);
  }

  remove(directory: string): void {
    this.#watches.get(directory)?.watcher.close();
    this.#watches.delete(directory);
    this.#missing.delete(directory);
  }

  close(): void {
    for (const { watcher } of this.#watches.values()) watcher.close();
    this.#watches.clear();
    this.#missing.clear();
  }
}
