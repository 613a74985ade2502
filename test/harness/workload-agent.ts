// A SPIFFE agent inside the test process: the Workload API on a unix socket, as a real one speaks it.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  type handleServerStreamingCall,
  Server,
  ServerCredentials,
  type ServerWritableStream,
  status,
} from '@grpc/grpc-js';
import {
  type X509SVIDRequest,
  X509SVIDRequestSchema,
  type X509SVIDResponse,
  X509SVIDResponseSchema,
} from '../../waypoint/protos/gen/spiffe-workload_pb.ts';
import type { Authority, Issued } from './certificates.ts';
import { Signal } from './signal.ts';

/** Bytes: what no agent says. */
type Answer = X509SVIDResponse | Buffer;
type Call = ServerWritableStream<X509SVIDRequest, Answer>;

export interface Svid {
  readonly id: string;
  readonly issued: Issued;
  readonly bundle: readonly Authority[];
  /** By trust domain. */
  readonly federated?: Readonly<Record<string, readonly Authority[]>>;
  /** PEM. */
  readonly revocations?: string;
}

export class WorkloadAgent {
  /** Calls that were begun, told or not. */
  calls = 0;
  /** gRPC status that calls end with at once; null: they are told `answer`. */
  refuses: number | null = null;
  #answer: Answer | null = null;
  #server: Server | null = null;
  readonly #path: string;
  readonly #streams = new Set<Call>();
  readonly #signal: Signal = new Signal();

  constructor(path: string) {
    this.#path = path;
  }

  async start(): Promise<void> {
    const server = new Server();
    const fetchX509SVID: handleServerStreamingCall<X509SVIDRequest, Answer> = (call) => this.#begin(call);
    server.addService(SERVICE, { FetchX509SVID: fetchX509SVID });
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`unix:${this.#path}`, ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      );
    });
    this.#server = server;
  }

  /** Tells every workload, now and later. */
  tell(svid: Svid | Answer): void {
    this.#answer = 'issued' in svid ? answerOf(svid) : svid;
    for (const stream of this.#streams) stream.write(this.#answer);
  }

  /** Every answer ends here, with this status; 0: as if all had been said. */
  end(code: number): void {
    for (const stream of this.#streams) {
      if (code === 0) stream.end();
      else stream.emit('error', { code, details: 'it was told to' });
    }
    this.#streams.clear();
  }

  asked(times: number): Promise<boolean> {
    return this.#signal.until(
      () => this.calls >= times,
      () => `call ${times}; there were ${this.calls}`,
    );
  }

  stop(): void {
    this.#server?.forceShutdown();
    this.#server = null;
    this.#streams.clear();
  }

  #begin(call: Call): void {
    this.calls++;
    const isMeant = call.metadata.get('workload.spiffe.io')[0] === 'true';
    const code = isMeant ? this.refuses : status.INVALID_ARGUMENT;
    if (code !== null) {
      call.emit('error', { code, details: 'no identity issued' });
    } else {
      this.#streams.add(call);
      call.on('cancelled', () => this.#streams.delete(call));
      if (this.#answer !== null) call.write(this.#answer);
    }
    this.#signal.notify();
  }
}

const SERVICE = {
  FetchX509SVID: {
    path: '/SpiffeWorkloadAPI/FetchX509SVID',
    requestStream: false,
    responseStream: true,
    requestSerialize: (message: X509SVIDRequest) => Buffer.from(toBinary(X509SVIDRequestSchema, message)),
    requestDeserialize: (bytes: Buffer) => fromBinary(X509SVIDRequestSchema, bytes),
    responseSerialize: (answer: Answer) =>
      Buffer.isBuffer(answer) ? answer : Buffer.from(toBinary(X509SVIDResponseSchema, answer)),
    responseDeserialize: (bytes: Buffer) => fromBinary(X509SVIDResponseSchema, bytes),
  },
} as const;

export function answerOf({ id, issued, bundle, federated = {}, revocations = '' }: Svid): X509SVIDResponse {
  const der = (authorities: readonly Authority[]): Uint8Array =>
    derOf(authorities.map((each) => each.certificate).join(''));
  const lists = revocations.match(/(?<=BEGIN X509 CRL-----)[^-]+/g) ?? [];
  return create(X509SVIDResponseSchema, {
    svids: [
      {
        spiffeId: id,
        x509Svid: derOf(issued.chain),
        x509SvidKey: createPrivateKey(issued.key).export({ type: 'pkcs8', format: 'der' }),
        bundle: der(bundle),
      },
    ],
    crl: lists.map((text) => Buffer.from(text, 'base64')),
    federatedBundles: Object.fromEntries(
      Object.entries(federated).map(([domain, authorities]) => [`spiffe://${domain}`, der(authorities)]),
    ),
  });
}

/** The certificates of a PEM text side by side. */
function derOf(pem: string): Uint8Array {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return Buffer.concat(blocks.map((block) => new X509Certificate(block).raw));
}
