// CPU time and resident memory of a process and its descendants, from /proc (proc(5)).

import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ is 100 on every Linux that Node runs on. */
const TICK_MS = 10;
const PAGE_BYTES = 4096;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly cpuMs: number;
  readonly residentBytes: number;
}

/** User and system time so far of the process, all its threads, and its living descendants. */
export function cpuMs(pid: number): number {
  return family(pid).reduce((sum, stat) => sum + stat.cpuMs, 0);
}

export function residentBytes(pid: number): number {
  return family(pid).reduce((sum, stat) => sum + stat.residentBytes, 0);
}

function family(pid: number): Stat[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readStat(Number(name)))
    .filter((stat) => stat !== null);
  const found = all.filter((stat) => stat.pid === pid);
  for (const stat of found) found.push(...all.filter((other) => other.parent === stat.pid));
  if (found.length === 0) throw new Error(`process ${pid} is gone: it ended while it was measured`);
  return found;
}

function readStat(pid: number): Stat | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null; // it ended between the listing and the read
  }
  // The command name may hold blanks and parentheses; the fields after the last one do not.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  return {
    pid,
    parent: field(4),
    cpuMs: (field(14) + field(15)) * TICK_MS,
    residentBytes: field(24) * PAGE_BYTES,
  };
}
