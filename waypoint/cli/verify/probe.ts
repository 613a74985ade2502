// One try to reach somebody past a waypoint: whether a connection opens, and what answers on it.

import { connect } from 'node:net';

/** `closed`: it opened, and was closed without a byte; `silent`: it stayed open without one. */
type Outcome = 'answered' | 'silent' | 'closed' | 'refused' | 'unreachable';

export interface Probed {
  readonly outcome: Outcome;
  /** What came, cut off; or what the system said. */
  readonly text: string;
}

export interface Target {
  readonly address: string;
  readonly port: number;
  readonly request: string;
  readonly timeoutMs: number;
}

/** A whole small answer, and no more of a large one. */
const ENOUGH_BYTES = 4096;
const REFUSED: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET']);

/** Never throws; takes `timeoutMs` at most. */
export function probe({ address, port, request, timeoutMs }: Target): Promise<Probed> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    let opened = false;
    let text = '';
    const settle = (): void => {
      clearTimeout(timer);
      socket.destroy();
    };
    const finish = (outcome: Outcome, said: string = text): void => {
      settle();
      resolve({ outcome: text === '' ? outcome : 'answered', text: said });
    };
    const timer = setTimeout(() => finish(opened ? 'silent' : 'unreachable', text || 'timed out'), timeoutMs);
    socket.on('connect', () => {
      opened = true;
      socket.write(request, 'latin1');
    });
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.length >= ENOUGH_BYTES) finish('answered');
    });
    socket.on('end', () => finish('closed'));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? error.message;
      if (opened) finish('closed', text || code);
      else finish(REFUSED.has(code) ? 'refused' : 'unreachable', code);
    });
  });
}
