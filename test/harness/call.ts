// One small request on a connection of its own: for admin pages and for probes whose bytes do not matter.

import { RawClient } from './raw-client.ts';
import type { Message } from './wire.ts';

export interface Answered {
  readonly status: number;
  readonly body: string;
  readonly message: Message;
}

export interface Call {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly fields?: readonly (readonly [name: string, value: string])[];
  readonly body?: string;
}

/** The request of a call, as bytes. */
export function requestBytes(call: Call): string {
  const { method = 'GET', path = '/', host = 'test.example', fields = [], body } = call;
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const length = body === undefined ? '' : `content-length: ${body.length}\r\n`;
  return `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n${lines}${length}\r\n${body ?? ''}`;
}

export async function call(port: number, request: Call = {}, host: string = '127.0.0.1'): Promise<Answered> {
  const client = await RawClient.connect({ port, host });
  try {
    await client.send(requestBytes(request));
    const message = await client.response(request.method);
    return { status: message.status, body: message.body, message };
  } finally {
    client.destroy();
  }
}
