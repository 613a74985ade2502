// The files under a path that are read: *.yaml, *.yml and *.json in every folder whose name has no leading dot.
import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface Tree {
  readonly files: string[];
  readonly directories: string[];
}

/** Whether a file of this name is read. Dot files are editors' and Kubernetes' own (`..data`). */
export function isConfigName(path: string): boolean {
  return /^[^.].*\.(?:ya?ml|json)$/i.test(basename(path));
}

/** The path's stats through all links; null when there is nothing (any more). */
export function statOf(path: string): Stats | null {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? null;
  } catch {
    return null;
  }
}

/** Everything under the directory, files in order of their names. A link back to a folder above is not followed. */
export function walk(directory: string): Tree {
  const tree: Tree = { files: [], directories: [] };
  visit(directory, tree, new Set());
  return tree;
}

function visit(directory: string, tree: Tree, above: ReadonlySet<string>): void {
  let entries: Dirent[];
  let real: string;
  try {
    real = realpathSync(directory);
    entries = readdirSync(directory, { withFileTypes: true });
  } catch {
    return;
  }
  if (above.has(real)) return;
  tree.directories.push(directory);
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue;
    const path = join(directory, entry.name);
    const target = entry.isSymbolicLink() ? statOf(path) : entry;
    if (target?.isDirectory() === true) visit(path, tree, new Set([...above, real]));
    else if (target?.isFile() === true && isConfigName(path)) tree.files.push(path);
  }
}
