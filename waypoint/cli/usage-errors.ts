// Mistakes in how a command was called: all of them, and where its help is.

/** The exit code. */
export function usageErrors(command: string, errors: readonly string[]): number {
  const lines = errors.map((error) => `  ${error}\n`).join('');
  process.stderr.write(`waypoint ${command}:\n${lines}See waypoint help ${command}\n`);
  return 2;
}
