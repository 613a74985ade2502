// The command line: which command is meant, loaded only then.

import { suggestion } from '../flags.ts';
import { VERSION } from '../version.ts';
import { growAsUsual } from './first-load.ts';

type Env = Readonly<Record<string, string | undefined>>;
/** Settles with the exit code. */
type Command = (args: readonly string[], env: Env) => Promise<number>;

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['run', async (args, env) => (await import('./run.ts')).runCommand(args, env)],
  ['check', async (args, env) => (await import('./check.ts')).checkCommand(args, env)],
  ['explain', async (args, env) => (await import('./explain.ts')).explainCommand(args, env)],
  ['dns', async (args, env) => (await import('./dns.ts')).dnsCommand(args, env)],
  ['lockdown', async (args, env) => (await import('./lockdown.ts')).lockdownCommand(args, env)],
  ['verify', async (args, env) => (await import('./verify.ts')).verifyCommand(args, env)],
  ['demo', async (_args, env) => (await import('./demo.ts')).demo(env)],
  ['version', version],
  ['help', help],
]);

/** Exit codes: 0 fine, 1 it did not work, 2 it was asked for in the wrong way. */
export async function main(args: readonly string[], env: Env): Promise<void> {
  const [name, ...rest] = args;
  if (name === undefined) {
    await help([]);
    process.exitCode = 2;
  } else if (name === '--version' || name === '-v') process.exitCode = await version();
  else if (name === '--help' || name === '-h') process.exitCode = await help(rest);
  else process.exitCode = await dispatch(name, rest, env);
}

async function dispatch(name: string, rest: readonly string[], env: Env): Promise<number> {
  const command = COMMANDS.get(name);
  if (command === undefined) return unknown(name);
  const own = rest.includes('--') ? rest.slice(0, rest.indexOf('--')) : rest;
  if (own.includes('--help') || own.includes('-h')) return help([name]);
  if (name !== 'run') growAsUsual();
  return command(rest, env);
}

function unknown(name: string): number {
  process.stderr.write(`waypoint: unknown command '${name}'${suggestion(name, COMMANDS.keys())}; try waypoint help\n`);
  return 2;
}

async function version(): Promise<number> {
  process.stdout.write(`waypoint ${VERSION} (Node ${process.versions.node})\n`);
  return 0;
}

async function help(args: readonly string[]): Promise<number> {
  const { helpText } = await import('./help.ts');
  const [name] = args;
  if (name !== undefined && !COMMANDS.has(name)) return unknown(name);
  process.stdout.write(helpText(args[0] ?? ''));
  return 0;
}
