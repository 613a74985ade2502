// Clients that speak TLS: what they ask for and present is what the test says, and how a handshake failed is told.

import { connect, type SecureVersion, type TLSSocket } from 'node:tls';
import { type Answered, type Call, requestBytes } from './call.ts';
import type { Issued } from './certificates.ts';
import { RawClient } from './raw-client.ts';

export interface TlsDial {
  readonly port: number;
  /** CAs that the server must be certified by; null: whoever it is. */
  readonly ca: string | null;
  /** SNI; null: none is sent. The certificate must be for it. */
  readonly serverName: string | null;
  readonly certificate?: Pick<Issued, 'chain' | 'key'>;
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
  /** Of TLS 1.2, in OpenSSL's words. */
  readonly ciphers?: string;
  /** `http/1.1` alone by default. */
  readonly protocols?: readonly string[];
  /** Resumes it. */
  readonly session?: Buffer;
}

export interface TlsClient {
  readonly socket: TLSSocket;
  readonly client: RawClient;
}

/** Settles behind the client's part of the handshake: in TLS 1.3 a server refuses certificates only afterwards. */
export function connectTls(dial: TlsDial): Promise<TlsClient> {
  const { port, ca, serverName, certificate, protocols = ['http/1.1'] } = dial;
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: '127.0.0.1',
      port,
      ...(ca === null ? { rejectUnauthorized: false } : { ca }),
      ...(serverName === null ? { checkServerIdentity: () => undefined } : { servername: serverName }),
      ...(certificate === undefined ? {} : { cert: certificate.chain, key: certificate.key }),
      ...(dial.minVersion === undefined ? {} : { minVersion: dial.minVersion }),
      ...(dial.maxVersion === undefined ? {} : { maxVersion: dial.maxVersion }),
      ...(dial.ciphers === undefined ? {} : { ciphers: dial.ciphers }),
      ...(dial.session === undefined ? {} : { session: dial.session }),
      ALPNProtocols: [...protocols],
    });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      socket.off('error', reject);
      resolve({ socket, client: RawClient.over(socket) });
    });
  });
}

/** One request on a connection of its own. @throws when the handshake fails, on either side. */
export async function callTls(dial: TlsDial, request: Call = {}): Promise<Answered & { readonly socket: TLSSocket }> {
  const { socket, client } = await connectTls(dial);
  try {
    await client.send(requestBytes({ host: dial.serverName ?? 'test.example', ...request }));
    const message = await client.response(request.method);
    return { status: message.status, body: message.body, message, socket };
  } finally {
    client.destroy();
  }
}

/** The status that one request is answered, or 'refused' where no request comes through. */
export async function outcomeOf(dial: TlsDial, request: Call = {}): Promise<number | 'refused'> {
  try {
    return (await callTls(dial, request)).status;
  } catch {
    return 'refused';
  }
}
