// The decisions of a waypoint as its access log tells them, one entry for each request.

import { Signal } from './signal.ts';

/** One line of the JSON access log; tests name the fields they read. */
export type LogEntry = Readonly<Record<string, unknown>>;

export class AccessLog {
  readonly entries: LogEntry[] = [];
  /** Lines of the same stream that are no access log. */
  readonly other: string[] = [];
  readonly #signal = new Signal();
  #partial = '';

  add(text: string): void {
    const lines = (this.#partial + text).split('\n');
    this.#partial = lines.pop() as string;
    for (const line of lines) this.#line(line);
    this.#signal.notify();
  }

  /** Waits for `count` entries that fit. */
  async find(fits: (entry: LogEntry) => boolean, count: number = 1, timeoutMs?: number): Promise<LogEntry[]> {
    return this.#signal.until(
      () => {
        const found = this.entries.filter(fits);
        return found.length >= count ? found : null;
      },
      () => `${count} log entries; the last ones: ${JSON.stringify(this.entries.slice(-3))}`,
      timeoutMs,
    );
  }

  async findOne(fits: (entry: LogEntry) => boolean): Promise<LogEntry> {
    return (await this.find(fits))[0] as LogEntry;
  }

  #line(line: string): void {
    if (!line.startsWith('{')) {
      if (line !== '') this.other.push(line);
      return;
    }
    this.entries.push(JSON.parse(line) as LogEntry);
  }
}
