// The certificate of this process and whom it may believe, from the SPIFFE Workload API on a unix socket: read as long
// as the waypoint runs, renewed as it says, and kept while nobody answers.

import type { Client, ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { backoffMs } from '../../policies/backoff.ts';
import type { CredentialPlan } from '../../policies/plan.ts';
import type { SvidAnswer } from './svid.ts';

export interface WorkloadApiOptions {
  /** Called when `credentials` is another map than before. */
  readonly onChange: () => void;
  readonly log: { warn(message: string): void; info(message: string): void };
  /** Ours, then those that mean the same: what policies say of our own workloads. */
  readonly trustDomains: readonly string[];
  /** Chance in [0, 1), for the time between two tries. */
  readonly random?: () => number;
  /** About the time before the second try; it doubles up to thirty times as much. */
  readonly firstDelayMs?: number;
}

const OWN = 'Credential spiffe';
const METHOD = '/SpiffeWorkloadAPI/FetchX509SVID';
const FIRST_DELAY_MS = 1000;
const LONGEST_DELAYS = 30;
/** What the agent may have meant, by gRPC status (PERMISSION_DENIED, UNIMPLEMENTED, UNAVAILABLE). */
const NEXT_STEPS: ReadonlyMap<number, string> = new Map([
  [7, 'no identity is registered for this process: register the workload with the agent'],
  [12, 'this socket speaks something else: is it that of the Workload API?'],
  [14, 'is the agent running, and is its socket mounted here?'],
]);

type Grpc = typeof import('@grpc/grpc-js');
type Decode = (bytes: Buffer) => SvidAnswer;

export class WorkloadApi {
  /** By id, `Credential spiffe` and `Credential spiffe.<trust domain>`; another map whenever something in it changed. */
  credentials: ReadonlyMap<string, CredentialPlan> = new Map();
  readonly #path: string;
  readonly #options: WorkloadApiOptions;
  #client: Client | null = null;
  #stream: ClientReadableStream<SvidAnswer> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #failures = 0;
  /** What was last complained of: said once, not with every try. */
  #complaint = '';
  #closed = false;

  /** `path` of the socket. */
  constructor(path: string, options: WorkloadApiOptions) {
    this.#path = path;
    this.#options = options;
  }

  /** Begins to ask. Nobody has to wait for an answer. */
  start(): void {
    // Only where it is asked for: gRPC is the largest thing there is to load.
    Promise.all([
      import('@grpc/grpc-js'),
      import('@bufbuild/protobuf'),
      import('../protos/gen/spiffe-workload_pb.ts'),
      import('./svid.ts'),
    ]).then(
      ([grpc, { fromBinary }, { X509SVIDResponseSchema }, { credentialsOf }]) => {
        const decode: Decode = (bytes) => fromBinary(X509SVIDResponseSchema, bytes);
        this.#ask(grpc, decode, credentialsOf);
      },
      (error: Error) => this.#complain(`cannot be asked: ${error.message}`),
    );
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#disconnect();
  }

  #ask(grpc: Grpc, decode: Decode, read: typeof import('./svid.ts').credentialsOf): void {
    if (this.#closed) return;
    // A new client each time: the delays between tries are ours, not those of a channel that remembers.
    const client = new grpc.Client(`unix:${this.#path}`, grpc.credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_http_proxy': 0,
    });
    const metadata = new grpc.Metadata();
    // SPIFFE Workload Endpoint section 5: it proves that no browser was talked into this request.
    metadata.set('workload.spiffe.io', 'true');
    const stream = client.makeServerStreamRequest(METHOD, () => Buffer.alloc(0), decode, null, metadata);
    this.#client = client;
    this.#stream = stream;
    stream.on('data', (answer: SvidAnswer) => stream === this.#stream && this.#take(read(answer)));
    const again = (error: ServiceError | null): void => {
      if (stream !== this.#stream) return;
      this.#disconnect();
      this.#complain(error === null ? 'ended its answer' : failureText(error));
      this.#timer = setTimeout(() => this.#ask(grpc, decode, read), this.#delayMs());
      this.#failures++;
    };
    stream.on('error', again);
    stream.on('end', () => again(null));
  }

  #take(credentials: ReadonlyMap<string, CredentialPlan> | string): void {
    if (typeof credentials === 'string') {
      this.#complain(`gave an answer that is not used: ${credentials}`);
      return;
    }
    const isBack = this.#complaint !== '';
    this.#complaint = '';
    this.#failures = 0;
    const next = reusing(credentials, this.credentials);
    const changed =
      next.size !== this.credentials.size || [...next].some(([id, one]) => this.credentials.get(id) !== one);
    if (isBack || changed) {
      this.#options.log.info(
        `the SPIFFE Workload API at ${this.#path} ${changed ? 'gave new certificates' : 'answers again'}`,
      );
    }
    if (!changed) return;
    this.#compare(next.get(OWN)?.trustDomain ?? null, this.credentials.get(OWN)?.trustDomain ?? null);
    this.credentials = next;
    this.#options.onChange();
  }

  /** Both ends of a mesh are believed all the same; but policies that name workloads of ours mean other ones. */
  #compare(trustDomain: string | null, before: string | null): void {
    const { log, trustDomains } = this.#options;
    if (trustDomain === null || trustDomain === before || trustDomains.includes(trustDomain)) return;
    const remedy = `--trust-domain ${trustDomain} makes it ours`;
    log.warn(
      `the SPIFFE Workload API at ${this.#path} gave an id of ${trustDomain}, not of ${trustDomains[0]}: ${remedy}`,
    );
  }

  #disconnect(): void {
    const stream = this.#stream;
    this.#stream = null;
    stream?.cancel();
    this.#client?.close();
    this.#client = null;
  }

  #delayMs(): number {
    const { random = Math.random, firstDelayMs = FIRST_DELAY_MS } = this.#options;
    const plan = {
      backoffBaseMs: firstDelayMs / 2,
      backoffMinMs: firstDelayMs / 2,
      maxBackoffMs: firstDelayMs * LONGEST_DELAYS,
    };
    return backoffMs(plan, this.#failures + 1, random());
  }

  #complain(complaint: string): void {
    if (this.#closed || complaint === this.#complaint) return;
    this.#complaint = complaint;
    const kept = this.credentials.size > 0 ? '; the certificates it gave last are used' : '';
    this.#options.log.warn(`the SPIFFE Workload API at ${this.#path} ${complaint}${kept}`);
  }
}

function failureText({ code, details }: ServiceError): string {
  const next = NEXT_STEPS.get(code);
  return `failed: ${details} (gRPC status ${code}${next === undefined ? '' : `; ${next}`}); trying again`;
}

/** The objects of before where they say the same: what did not change is not published again. */
function reusing(
  now: ReadonlyMap<string, CredentialPlan>,
  before: ReadonlyMap<string, CredentialPlan>,
): ReadonlyMap<string, CredentialPlan> {
  const same = (id: string, one: CredentialPlan): CredentialPlan => {
    const known = before.get(id);
    return known !== undefined && JSON.stringify(known) === JSON.stringify(one) ? known : one;
  };
  return new Map([...now].map(([id, one]) => [id, same(id, one)]));
}
