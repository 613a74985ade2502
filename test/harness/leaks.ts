// What keeps the event loop alive, before and after: a closed waypoint leaves no socket, watcher, port or timer behind.

import { eventually } from './signal.ts';

const WATCHED: ReadonlySet<string> = new Set([
  'TCPSocketWrap',
  'TCPServerWrap',
  'UDPWrap',
  'PipeWrap',
  'MessagePort',
  'Worker',
  'FSEventWrap',
  'StatWatcher',
  'Timeout',
  'Immediate',
]);

export type Census = ReadonlyMap<string, number>;

export function census(): Census {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) {
    if (WATCHED.has(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

/** Waits until nothing is left beyond `before`; what is left after two seconds is the error's text. */
export async function assertNothingLeft(before: Census): Promise<void> {
  let left = '';
  await eventually(
    () => {
      left = difference(before, census());
      return left === '';
    },
    'a closed waypoint to release its resources',
    2000,
  ).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}; left: ${left}`);
  });
}

function difference(before: Census, now: Census): string {
  return [...now]
    .map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const)
    .filter(([, surplus]) => surplus > 0)
    .map(([name, surplus]) => `${surplus} ${name}`)
    .join(', ');
}
