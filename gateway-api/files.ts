// Resources from files and directories: the first reading, and every change after it.
import { hash } from 'node:crypto';
import { readFileSync, type Stats } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Debounce } from './debounce.ts';
import { type DirectoryEvent, DirectoryWatches } from './directory-watches.ts';
import { isConfigName, statOf, walk } from './file-tree.ts';
import { Settling } from './settling.ts';
import { State } from './state.ts';
import { type Draft, type Note, Store } from './store.ts';

export interface FileSourceOptions {
  /** Where the last good text of each file is kept; null: nowhere. */
  readonly stateDir: string | null;
  /** Called when `store` may have changed, after `load`. */
  readonly onChange: (source: FileSource) => void;
  readonly log: { warn(message: string): void };
}

/** What was last believed of a file. */
interface Known {
  readonly textHash: string;
  readonly stamp: string;
  readonly endsLine: boolean;
}

const pollMs = 500;
const gone = 'gone';

export class FileSource {
  readonly store: Store = new Store();
  readonly #roots: readonly string[];
  readonly #options: FileSourceOptions;
  readonly #state: State | null;
  readonly #known = new Map<string, Known>();
  /** Directories whose every file is read, as opposed to those that merely contain a root. */
  readonly #directories = new Set<string>();
  readonly #unreadable = new Set<string>();
  /** Paths that something happened to. */
  readonly #touched = new Set<string>();
  readonly #debounce: Debounce = new Debounce(() => this.#update(this.#take()));
  readonly #settling: Settling = new Settling((paths) => this.#update(paths));
  readonly #watches: DirectoryWatches = new DirectoryWatches(
    (event) => this.#onEvent(event),
    (directory, reason) => this.#onRefusal(directory, reason),
  );
  #poll: NodeJS.Timeout | null = null;
  #watching = false;

  constructor(paths: readonly string[], options: FileSourceOptions) {
    this.#roots = [...new Set(paths.map((path) => join(path)))].map((path) =>
      path.length > 1 ? path.replace(/\/$/, '') : path,
    );
    this.#options = options;
    this.#state =
      options.stateDir === null ? null : new State(options.stateDir, (message) => options.log.warn(message));
  }

  /** Reads everything there is. What is missing or wrong becomes a finding. */
  load(): void {
    for (const root of this.#roots) this.#look(root);
  }

  /** From now on changes are read too. What changed since `load` is found. */
  watch(): void {
    this.#watching = true;
    for (const root of this.#roots) this.#watches.add(dirname(root));
    for (const directory of this.#directories) this.#watches.add(directory);
    this.#poll = setInterval(() => this.#pollMissing(), pollMs).unref();
    for (const root of this.#roots) this.#touched.add(root);
    this.#debounce.touch();
  }

  close(): void {
    this.#watching = false;
    this.#watches.close();
    this.#debounce.close();
    this.#settling.close();
    if (this.#poll !== null) clearInterval(this.#poll);
    this.#state?.close();
  }

  #onEvent({ directory, name, isEntry }: DirectoryEvent): void {
    // A file that is replaced as a whole is complete: writers that rename do it for that.
    let isComplete = false;
    if (name === null || name === basename(directory)) {
      // Either the directory itself went, or the system lost count: the watch may be dead.
      this.#watches.remove(directory);
      this.#watches.add(directory);
      this.#touchAll(directory);
    } else if (name.startsWith('..')) {
      // Kubernetes swaps the link `..data`: every file of the directory may have changed with it.
      this.#touchAll(directory);
    } else {
      const path = join(directory, name);
      const inside = this.#directories.has(directory) && !name.startsWith('.');
      if (inside || this.#roots.includes(path)) this.#touched.add(path);
      isComplete = isEntry && this.#known.has(path);
    }
    if (this.#touched.size === 0) return;
    if (isComplete) this.#debounce.hurry();
    else this.#debounce.touch();
  }

  #touchAll(directory: string): void {
    if (this.#directories.has(directory)) this.#touched.add(directory);
    for (const root of this.#roots) if (dirname(root) === directory) this.#touched.add(root);
  }

  #onRefusal(directory: string, reason: string): void {
    this.#options.log.warn(`cannot watch ${directory} (${reason}): its files are compared every ${pollMs} ms instead`);
  }

  #take(): string[] {
    const paths = [...this.#touched];
    this.#touched.clear();
    return paths;
  }

  /** Looks at these paths again and tells when that changed something. */
  #update(paths: readonly string[]): void {
    let changed = false;
    for (const path of paths) changed = this.#look(path) || changed;
    if (changed && this.#watching) this.#options.onChange(this);
  }

  #look(path: string): boolean {
    const stats = statOf(path);
    if (stats === null) return this.#lookAtNothing(path);
    const noted = this.#roots.includes(path) && this.store.note(path, null);
    if (stats.isDirectory()) return this.#lookAtDirectory(path) || noted;
    if (stats.isFile() && (isConfigName(path) || this.#roots.includes(path)))
      return this.#lookAtFile(path, stats) || noted;
    return noted;
  }

  #lookAtNothing(path: string): boolean {
    let changed = this.#roots.includes(path) && this.store.note(path, missing);
    if (this.#known.has(path)) changed = this.#lookAtGone(path) || changed;
    else this.#settling.forget(path);
    if (!this.#directories.has(path)) return changed;
    const below = `${path}/`;
    for (const file of this.#known.keys()) if (file.startsWith(below)) changed = this.#lookAtGone(file) || changed;
    for (const directory of this.#directories) {
      if (directory !== path && !directory.startsWith(below)) continue;
      this.#watches.remove(directory);
      this.#directories.delete(directory);
    }
    return changed;
  }

  #lookAtGone(file: string): boolean {
    if (this.#watching && !this.#settling.isStable(file, gone, performance.now())) return false;
    this.#known.delete(file);
    this.#unreadable.delete(file);
    return this.store.remove(file);
  }

  #lookAtDirectory(path: string): boolean {
    const tree = walk(path);
    for (const directory of tree.directories) {
      this.#directories.add(directory);
      if (this.#watching) this.#watches.add(directory);
    }
    const found = new Set(tree.files);
    let changed = false;
    for (const file of this.#known.keys()) {
      if (file.startsWith(`${path}/`) && !found.has(file)) changed = this.#lookAtNothing(file) || changed;
    }
    for (const file of tree.files) {
      const stats = statOf(file);
      if (stats === null || stampOf(stats) === this.#known.get(file)?.stamp) this.#settling.forget(file);
      else changed = this.#lookAtFile(file, stats) || changed;
    }
    return changed;
  }

  #lookAtFile(file: string, stats: Stats): boolean {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      return this.#lookAtUnreadable(file, error as NodeJS.ErrnoException);
    }
    const noted = this.#unreadable.delete(file) && this.store.note(file, null);
    const known = this.#known.get(file);
    const now = { textHash: hash('sha1', text), stamp: stampOf(stats), endsLine: text.endsWith('\n') };
    if (known?.textHash === now.textHash) {
      this.#settling.forget(file);
      this.#known.set(file, now);
      return noted;
    }
    return (this.#watching ? this.#believe(file, text, now) : this.#readFirst(file, text, now)) || noted;
  }

  /** Takes over a changed text, unless it looks half written and has not stood still for long enough. */
  #believe(file: string, text: string, now: Known): boolean {
    const known = this.#known.get(file);
    const draft = this.store.draft(file, text);
    const halfWritten =
      draft.broken ||
      draft.losesObjects ||
      (known?.endsLine === true && !now.endsLine) ||
      // A file under a new name that says what another one says: that one is being replaced.
      (known === undefined && draft.repeatsObjects);
    if (halfWritten && !this.#settling.isStable(file, now.textHash, performance.now())) return false;
    this.#settling.forget(file);
    const changed = this.store.note(file, null);
    return this.#commit(draft, text, now) || changed;
  }

  #readFirst(file: string, text: string, now: Known): boolean {
    let draft = this.store.draft(file, text);
    if (draft.flawed && this.#restore(file)) {
      draft = this.store.draft(file, text);
      const message = `where this file is wrong, its last good version from ${this.#options.stateDir} serves`;
      this.store.note(file, { severity: 'info', code: 'restored', line: 0, column: 0, message });
    }
    return this.#commit(draft, text, now);
  }

  #commit(draft: Draft, text: string, now: Known): boolean {
    this.#known.set(draft.file, now);
    if (!draft.flawed) this.#state?.keep(draft.file, text);
    return this.store.commit(draft);
  }

  #lookAtUnreadable(file: string, error: NodeJS.ErrnoException): boolean {
    if (error.code === 'ENOENT') return this.#lookAtNothing(file);
    const restored = !this.#watching && this.#restore(file);
    const kept = restored ? `; its last good version from ${this.#options.stateDir} serves` : '';
    const message = `cannot be read (${error.code}): make it readable for the user the waypoint runs as${kept}`;
    this.#unreadable.add(file);
    return this.store.note(file, { severity: 'error', code: 'unreadable', line: 0, column: 0, message });
  }

  /** Puts what the file last said when it was good into the store, for the flawed text to be judged against. */
  #restore(file: string): boolean {
    const text = this.#state?.load(file) ?? null;
    if (text === null) return false;
    const draft = this.store.draft(file, text);
    if (draft.broken) return false;
    this.store.commit(draft);
    return true;
  }

  /** Looks after directories without a watch: those that do not exist yet, and those the system refuses to watch. */
  #pollMissing(): void {
    for (const directory of this.#watches.missing) {
      if (this.#watches.add(directory)) this.#touchAll(directory);
      else if (this.#directories.has(directory)) this.#touched.add(directory);
      for (const root of this.#roots) if (dirname(root) === directory && this.#differs(root)) this.#touched.add(root);
    }
    if (this.#touched.size > 0) this.#debounce.touch();
  }

  #differs(root: string): boolean {
    const stats = statOf(root);
    if (stats?.isDirectory() === true) return !this.#directories.has(root) || this.#watches.add(root);
    return stampOf(stats) !== (this.#known.get(root)?.stamp ?? gone);
  }
}

const missing: Note = {
  severity: 'error',
  code: 'missing_path',
  line: 0,
  column: 0,
  message: 'there is no such file or directory: correct the path, or create it (a waypoint that runs reads it then)',
};

function stampOf(stats: Stats | null): string {
  return stats === null ? gone : `${stats.ino}:${stats.size}:${stats.mtimeMs}`;
}
