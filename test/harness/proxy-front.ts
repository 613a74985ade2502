// A server that wants a PROXY protocol header first: reads it in a way of its own, keeps it, and hands what follows to a backend.

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Signal } from './signal.ts';

export interface Introduced {
  readonly version: 1 | 2;
  readonly command: 'PROXY' | 'LOCAL';
  /** `address:port`, '' where none is told. */
  readonly source: string;
  readonly destination: string;
  readonly tlvs: Readonly<Record<number, string>>;
}

export class ProxyFront {
  /** In the order of the connections. */
  readonly introduced: Introduced[] = [];
  /** Beginnings of connections that are no header. */
  readonly malformed: string[] = [];
  readonly #signal = new Signal();
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set();

  private constructor(backendPort: number) {
    this.#server = createServer((socket) => this.#accept(socket, backendPort));
  }

  static async start(backendPort: number): Promise<ProxyFront> {
    const front = new ProxyFront(backendPort);
    front.#server.listen(0, '127.0.0.1');
    await once(front.#server, 'listening');
    return front;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  async connections(count: number): Promise<readonly Introduced[]> {
    return this.#signal.until(
      () => (this.introduced.length >= count ? this.introduced : null),
      () => `${count} introductions, there are ${JSON.stringify(this.introduced)}, malformed: ${this.malformed}`,
    );
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #accept(socket: Socket, backendPort: number): void {
    this.#keep(socket);
    let bytes = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      const header = bytes[0] === 13 ? readV2(bytes) : readV1(bytes);
      if (header === 'more') return;
      socket.off('data', onData);
      if (header === 'malformed') {
        this.malformed.push(bytes.toString('latin1'));
        socket.destroy();
        return;
      }
      this.introduced.push(header.told);
      this.#signal.notify();
      const onward = connect({ port: backendPort, host: '127.0.0.1' });
      this.#keep(onward);
      onward.write(bytes.subarray(header.length));
      socket.pipe(onward);
      onward.pipe(socket);
    };
    socket.on('data', onData);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

type Read = { readonly told: Introduced; readonly length: number } | 'more' | 'malformed';

function readV1(bytes: Buffer): Read {
  const text = bytes.toString('latin1');
  const end = text.indexOf('\r\n');
  if (end < 0) return bytes.length > 107 ? 'malformed' : 'more';
  const [word, family, from, to, fromPort, toPort] = text.slice(0, end).split(' ');
  if (word !== 'PROXY') return 'malformed';
  const untold = { version: 1, command: 'LOCAL', source: '', destination: '', tlvs: {} } as const;
  if (family === 'UNKNOWN') return { told: untold, length: end + 2 };
  const told = { ...untold, command: 'PROXY', source: `${from}:${fromPort}`, destination: `${to}:${toPort}` } as const;
  return { told, length: end + 2 };
}

function readV2(bytes: Buffer): Read {
  if (bytes.length < 16) return 'more';
  const length = 16 + bytes.readUInt16BE(14);
  if (bytes.length < length) return 'more';
  if (bytes.toString('hex', 0, 12) !== '0d0a0d0a000d0a515549540a') return 'malformed';
  const command = bytes[12] === 0x21 ? 'PROXY' : 'LOCAL';
  const size = bytes[13] === 0x11 ? 4 : bytes[13] === 0x21 ? 16 : 0;
  const tlvs: Record<number, string> = {};
  for (let at = 16 + (size === 0 ? 0 : 2 * size + 4); at < length; ) {
    const end = at + 3 + bytes.readUInt16BE(at + 1);
    tlvs[bytes[at]!] = bytes.toString('utf8', at + 3, end);
    at = end;
  }
  const place = (from: number, port: number): string =>
    size === 0 ? '' : `${addressOf(bytes.subarray(from, from + size))}:${bytes.readUInt16BE(port)}`;
  const ports = 16 + 2 * size;
  const told = { source: place(16, ports), destination: place(16 + size, ports + 2) };
  return { told: { version: 2, command, ...told, tlvs }, length };
}

function addressOf(bytes: Buffer): string {
  return bytes.length === 4 ? bytes.join('.') : bytes.toString('hex');
}
