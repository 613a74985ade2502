// The operator log: what the process itself has to say, on standard error, one line each.

import type { LogLevel } from '../config.ts';
import { printable } from './escape.ts';

export interface Log {
  error(message: string): void;
  warn(message: string): void;
  info(message: string): void;
  debug(message: string): void;
}

const LEVELS: readonly LogLevel[] = ['error', 'warn', 'info', 'debug'];

/** A log that says nothing below `level`. Line breaks in a message stay, indented; other control characters are escaped. */
export function createLog(level: LogLevel, write: (text: string) => void = writeToStandardError): Log {
  const most = LEVELS.indexOf(level);
  const at = (line: LogLevel) =>
    LEVELS.indexOf(line) > most ? silent : (message: string) => say(write, line, message);
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}

function silent(): void {}

function say(write: (text: string) => void, level: LogLevel, message: string): void {
  const text = message.split('\n').map(printable).join('\n    ');
  write(`${new Date().toISOString()} ${level.padEnd(5)} ${text}\n`);
}

function writeToStandardError(text: string): void {
  process.stderr.write(text);
}
