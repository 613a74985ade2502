// What the rows need to know of anything that forwards requests: its process and its port.

import * as http from 'node:http';
import * as https from 'node:https';
import type { Work } from '../load.ts';
import type { Running } from '../processes.ts';

/** What it speaks to its clients. */
export type Scheme = 'http' | 'https';

export interface Contender extends Running {
  readonly port: number;
  readonly scheme: Scheme;
}

/** Sends the work once and fails unless the answer is a 200 of the expected size. */
export function checkAnswer(contender: Contender, work: Work, expectedBytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (why: string): void =>
      reject(new Error(`${contender.name} on port ${contender.port}, ${work.host}${work.path}: ${why}`));
    const { request } = contender.scheme === 'https' ? https : http;
    const outgoing = request(
      {
        host: '127.0.0.1',
        port: contender.port,
        path: work.path,
        method: work.bodyBytes > 0 ? 'POST' : 'GET',
        headers: { host: work.host, 'content-length': work.bodyBytes },
        agent: false,
        rejectUnauthorized: false,
        timeout: 10_000,
      },
      (response) => {
        let bytes = 0;
        response.on('data', (chunk: Buffer) => (bytes += chunk.length));
        response.on('end', () => {
          if (response.statusCode !== 200) refuse(`answered ${response.statusCode}, expected 200`);
          else if (bytes !== expectedBytes) refuse(`answered ${bytes} bytes, expected ${expectedBytes}`);
          else resolve();
        });
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer within 10 s')));
    outgoing.on('error', (error) => refuse(error.message));
    outgoing.end(Buffer.alloc(work.bodyBytes, 'x'));
  });
}
