// Both ends of DNS as tests need them: queries byte by byte, a client over UDP and TCP, a resolver that does as it is told.

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket as TcpSocket } from 'node:net';
import { type DecodedPacket, decode, encode, type Packet } from 'dns-packet';

export type Reply = DecodedPacket & { readonly rcode: string };

export interface Ask {
  readonly type?: string;
  readonly class?: string;
  readonly id?: number;
  readonly flags?: number;
  /** UDP size; null: no EDNS. */
  readonly size?: number | null;
  readonly version?: number;
  readonly dnssec?: boolean;
}

const RD = 0x0100;

export function query(name: string, ask: Ask = {}): Buffer {
  const { type = 'A', id = 1, flags = RD, size = null, version = 0, dnssec = false } = ask;
  const questions = [{ name, type, class: ask.class ?? 'IN' }];
  const opt = { type: 'OPT', name: '.', udpPayloadSize: size, ednsVersion: version, flags: dnssec ? 0x8000 : 0 };
  return encode({ type: 'query', id, flags, questions, additionals: size === null ? [] : [opt] } as Packet);
}

export function read(message: Buffer): Reply {
  return decode(message) as Reply;
}

/** `name type data` of each answer. */
export function lines(records: readonly unknown[] | undefined): string[] {
  return (records as readonly { name: string; type: string; data?: unknown }[])
    .filter(({ type }) => type !== 'OPT')
    .map(({ name, type, data }) => `${name} ${type} ${typeof data === 'string' ? data : JSON.stringify(data)}`);
}

/** Sends each and gives what comes back for it, in order of arrival; null when nothing comes within `waitMs`. */
export class UdpClient {
  readonly #socket: Socket;
  readonly #port: number;
  readonly received: Buffer[] = [];

  constructor(port: number) {
    this.#port = port;
    this.#socket = createSocket('udp4');
    this.#socket.on('message', (message) => this.received.push(message));
  }

  send(message: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.send(message, this.#port, '127.0.0.1', (error) => (error === null ? resolve() : reject(error)));
    });
  }

  async ask(message: Buffer): Promise<Reply> {
    const next = once(this.#socket, 'message', { signal: AbortSignal.timeout(8000) });
    await this.send(message);
    return read((await next)[0] as Buffer);
  }

  close(): void {
    this.#socket.close();
  }
}

export class TcpClient {
  readonly socket: TcpSocket;
  readonly replies: Reply[] = [];
  isClosed = false;
  #unread: Buffer = Buffer.alloc(0);

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.isClosed = true;
    });
    this.socket.on('data', (chunk: Buffer) => {
      this.#unread = Buffer.concat([this.#unread, chunk]);
      while (this.#unread.length >= 2 && this.#unread.length >= 2 + this.#unread.readUInt16BE(0)) {
        const end = 2 + this.#unread.readUInt16BE(0);
        this.replies.push(read(this.#unread.subarray(2, end)));
        this.#unread = this.#unread.subarray(end);
      }
    });
  }

  send(...messages: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(messages.map(framed)));
  }
}

function framed(message: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** Answers to one query; none: silence. */
export type Script = (query: DecodedPacket, transport: 'udp' | 'tcp') => Buffer | readonly Buffer[] | null;

/** A resolver on loopback, over UDP and TCP on one port. */
export class FakeResolver {
  readonly host = '127.0.0.1';
  port = 0;
  readonly seen: {
    readonly name: string;
    readonly transport: 'udp' | 'tcp';
    readonly from: number;
    readonly id: number;
  }[] = [];
  script: Script;
  readonly #udp: Socket = createSocket('udp4');
  readonly #tcp: Server;
  readonly #open: Set<TcpSocket> = new Set();

  private constructor(script: Script) {
    this.script = script;
    this.#udp.on('message', (message, from) => this.#overUdp(message, from));
    this.#tcp = createServer((socket) => {
      this.#open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#open.delete(socket));
      socket.on('data', (chunk: Buffer) => {
        for (const answer of this.#answers(chunk.subarray(2), 'tcp', socket.remotePort!)) socket.write(framed(answer));
      });
    });
  }

  static async start(script: Script = answering('192.0.2.1')): Promise<FakeResolver> {
    for (;;) {
      const resolver = new FakeResolver(script);
      resolver.#tcp.listen(0, '127.0.0.1');
      await once(resolver.#tcp, 'listening');
      resolver.port = (resolver.#tcp.address() as { port: number }).port;
      const isBound = await new Promise<boolean>((resolve) => {
        resolver.#udp.once('error', () => resolve(false));
        resolver.#udp.bind(resolver.port, '127.0.0.1', () => resolve(true));
      });
      if (isBound) return resolver;
      await resolver.close();
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    this.#udp.close();
    await new Promise((resolve) => this.#tcp.close(resolve));
  }

  #overUdp(message: Buffer, { port, address }: RemoteInfo): void {
    for (const answer of this.#answers(message, 'udp', port)) this.#udp.send(answer, port, address);
  }

  #answers(message: Buffer, transport: 'udp' | 'tcp', from: number): readonly Buffer[] {
    const asked = decode(message);
    this.seen.push({ name: asked.questions![0]!.name, transport, from, id: asked.id! });
    const answer = this.script(asked, transport);
    return answer === null ? [] : Array.isArray(answer) ? answer : [answer as Buffer];
  }
}

/** With one address for every name. */
export function answering(address: string, more: Partial<Packet> = {}): Script {
  return (asked) => {
    const { name } = asked.questions![0]!;
    return reply(asked, { answers: [{ name, type: 'A', ttl: 60, data: address }], ...more });
  };
}

export function reply(asked: DecodedPacket, more: Partial<Packet> = {}): Buffer {
  return encode({ type: 'response', id: asked.id!, flags: 0x0180, questions: asked.questions!, ...more });
}
