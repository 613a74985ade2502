// Outside services over gRPC, answered as a test scripts it: an external authorizer and a rate limit service, by another
// implementation of the protocol than the one that asks them.

import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import {
  type CheckRequest,
  CheckRequestSchema,
  CheckResponseSchema,
} from '../../waypoint/protos/gen/external-auth_pb.ts';
import {
  type RateLimitRequest,
  RateLimitRequestSchema,
  RateLimitResponseSchema,
} from '../../waypoint/protos/gen/rate-limit_pb.ts';

type CheckInit = NonNullable<MessageInitShape<typeof CheckResponseSchema>>;
type LimitInit = NonNullable<MessageInitShape<typeof RateLimitResponseSchema>>;

/** A number is a grpc-status instead of an answer; bytes are sent as they are. */
type Answer<T> = T | number | Uint8Array | Promise<T | number | Uint8Array>;

export interface Scripts {
  check?: (request: CheckRequest) => Answer<CheckInit>;
  limit?: (request: RateLimitRequest) => Answer<LimitInit>;
}

export class GrpcService {
  readonly port: number;
  readonly checks: CheckRequest[] = [];
  readonly limits: RateLimitRequest[] = [];
  /** Metadata of every call. */
  readonly metadata: ReadonlyMap<string, unknown>[] = [];
  scripts: Scripts;
  readonly #server: Server;

  private constructor(server: Server, port: number, scripts: Scripts) {
    this.#server = server;
    this.port = port;
    this.scripts = scripts;
  }

  static async start(
    scripts: Scripts = {},
    credentials: ServerCredentials = ServerCredentials.createInsecure(),
    port: number = 0,
  ): Promise<GrpcService> {
    const server = new Server();
    const bound = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${port}`, credentials, (error, found) => (error ? reject(error) : resolve(found)));
    });
    const service = new GrpcService(server, bound, scripts);
    service.#register('/envoy.service.auth.v3.Authorization/Check', (bytes) => {
      const request = fromBinary(CheckRequestSchema, bytes);
      service.checks.push(request);
      return encoded<CheckInit>(service.scripts.check?.(request) ?? {}, (init) =>
        toBinary(CheckResponseSchema, create(CheckResponseSchema, init)),
      );
    });
    service.#register('/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit', (bytes) => {
      const request = fromBinary(RateLimitRequestSchema, bytes);
      service.limits.push(request);
      return encoded<LimitInit>(service.scripts.limit?.(request) ?? { overallCode: 1 }, (init) =>
        toBinary(RateLimitResponseSchema, create(RateLimitResponseSchema, init)),
      );
    });
    return service;
  }

  /** At once: streams that are open see a reset. */
  close(): void {
    this.#server.forceShutdown();
  }

  /** As a server does that is stopped for good: what is under way is answered. */
  async drain(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
  }

  #register(path: string, answer: (request: Buffer) => Promise<Uint8Array | number>): void {
    const handle = (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): void => {
      this.metadata.push(new Map(Object.entries(call.metadata.getMap())));
      answer(call.request).then(
        (bytes) => (typeof bytes === 'number' ? done({ code: bytes }) : done(null, Buffer.from(bytes))),
        (error: Error) => done({ code: status.INTERNAL, details: error.message }),
      );
    };
    const same = (bytes: Buffer): Buffer => bytes;
    this.#server.register(path, handle, same, same, 'unary');
  }
}

async function encoded<T>(answer: Answer<T>, encode: (init: T) => Uint8Array): Promise<Uint8Array | number> {
  const settled = await answer;
  return typeof settled === 'number' || settled instanceof Uint8Array ? settled : encode(settled);
}
