// `waypoint run`: serves until a signal, drains on the first, ends at once on the second.

import { parseRunOptions } from '../config.ts';
import { run } from '../main.ts';
import { firstLoad } from './first-load.ts';
import { usageErrors } from './usage-errors.ts';

export async function runCommand(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const parsed = parseRunOptions(args, env);
  if ('errors' in parsed) return usageErrors('run', parsed.errors);
  const first = Promise.withResolvers<void>();
  let signals = 0;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (++signals > 1) process.exit(signal === 'SIGINT' ? 130 : 143);
      first.resolve();
    });
  }
  try {
    const waypoint = await firstLoad(() => run(parsed.options));
    await first.promise;
    await waypoint.drain();
  } catch (error) {
    process.stderr.write(`waypoint: ${(error as Error).message}\n`);
    process.exit(1);
  }
  // A worker that does not end, or a log that nobody reads, does not keep a drained process alive.
  process.exit(0);
}
