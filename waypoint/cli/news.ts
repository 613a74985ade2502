// What the operator log says of the configuration: each mistake once, when it appears, and again only when it comes back.

import type { ObjectStatus, Statuses } from '../../gateway-api/conditions.ts';
import type { Finding } from '../../gateway-api/store.ts';
import { changedKeys } from '../../routing/patched-map.ts';
import type { Log } from '../ops/log.ts';
import { statusRows } from './status-table.ts';

const NO_STATUSES: Statuses = new Map();

export class ConfigurationNews {
  readonly #log: Log;
  #findings: ReadonlySet<string> = new Set();
  #statuses: Statuses = NO_STATUSES;

  constructor(log: Log) {
    this.#log = log;
  }

  /** What reading and validating the files found. */
  tellFindings(findings: readonly Finding[]): void {
    const told = new Set<string>();
    for (const finding of findings) {
      const text = lineOf(finding);
      told.add(text);
      if (this.#findings.has(text)) continue;
      if (finding.severity === 'error') this.#log.error(text);
      else if (finding.severity === 'warning') this.#log.warn(text);
      else this.#log.info(text);
    }
    this.#findings = told;
  }

  /** Conditions that are bad news, of the objects whose status is another than before. */
  tellStatuses(statuses: Statuses): void {
    const before = this.#statuses;
    this.#statuses = statuses;
    for (const key of changedKeys(before, statuses)) {
      const status = statuses.get(key);
      if (status === undefined) continue;
      const known = before.get(key);
      const told = new Set(known === undefined ? [] : problemsOf(key, known));
      for (const text of problemsOf(key, status)) if (!told.has(text)) this.#log.warn(text);
    }
  }
}

function problemsOf(key: string, status: ObjectStatus): string[] {
  return statusRows(new Map([[key, status]]))
    .filter(({ problem }) => problem)
    .map(
      ({ object, condition: { type, status: value, reason, message } }) =>
        `${object}: ${type}=${value} ${reason}: ${message}`,
    );
}

function lineOf({ file, line, column, object, path, message }: Finding): string {
  const place = line > 0 ? `${file}:${line}:${column}` : file;
  return [place, [object, path].filter((part) => part !== '').join(' '), message]
    .filter((part) => part !== '')
    .join(': ');
}
