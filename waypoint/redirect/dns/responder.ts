// One query, from its bytes to those of its answer: from the names of enrolled Services, or from elsewhere for those who may.

import { Shares } from './clients.ts';
import {
  type Answer,
  LEAST_UDP_BYTES,
  type Question,
  type Reply,
  readQuestion,
  TCP_BYTES,
  UDP_BYTES,
  writeReply,
} from './codec.ts';
import { type Decision, decide } from './decide.ts';
import type { Forwarder } from './forwarder.ts';
import { FLAG, HEADER_BYTES, type Query, RCODE, type Rcode, readQuery } from './query.ts';
import type { Wait } from './upstream.ts';
import type { Zone, ZoneRecord } from './zone.ts';

type Transport = 'udp' | 'tcp';

/** What became of a query; counted. */
export type QueryResult =
  | 'answered'
  | 'nodata'
  | 'nxdomain'
  | 'forwarded'
  | 'refused'
  | 'servfail'
  | 'formerr'
  | 'notimp'
  | 'badvers'
  | 'truncated'
  | 'dropped';

export interface ResponderOptions {
  readonly forwarder: Forwarder;
  /** Whether this client may ask for names that are not ours. */
  readonly mayForward: (address: string) => boolean;
  readonly count: (result: QueryResult) => void;
}

export interface Client {
  readonly address: string;
  readonly transport: Transport;
}

type Send = (answer: Buffer) => void;

/** Short, so that clients follow as Services are enrolled and leave. */
const TTL_SECONDS = 5;
const NONE: readonly Answer[] = [];
const RESULTS: Readonly<Record<Rcode, QueryResult>> = {
  [RCODE.NOERROR]: 'nodata',
  [RCODE.FORMERR]: 'formerr',
  [RCODE.SERVFAIL]: 'servfail',
  [RCODE.NXDOMAIN]: 'nxdomain',
  [RCODE.NOTIMP]: 'notimp',
  [RCODE.REFUSED]: 'refused',
  [RCODE.BADVERS]: 'badvers',
};

export class Responder {
  /** null: not known yet, and then nobody is sent past the waypoint. */
  zone: Zone | null = null;
  readonly #options: ResponderOptions;
  readonly #shares: Shares;

  constructor(options: ResponderOptions) {
    this.#options = options;
    this.#shares = new Shares(options.forwarder.limits.perClient);
  }

  /** `send` is called at most once, perhaps within this call; null: nothing is to be waited for. */
  answer(message: Buffer, client: Client, send: Send): Wait | null {
    const query = readQuery(message);
    if (query === null) {
      this.#options.count('dropped');
      return null;
    }
    if (query.verdict !== RCODE.NOERROR) return this.#fail(query, query.verdict, client, send);
    const question = readQuestion(query.question!);
    if (question === null) return this.#fail(query, RCODE.FORMERR, client, send);
    if (this.zone === null) return this.#fail(query, RCODE.SERVFAIL, client, send);
    const decision = decide(
      { ...question, name: question.name.toLowerCase() },
      this.zone,
      this.#options.forwarder.hasResolvers(),
    );
    if (decision.kind === 'forward') return this.#forward(query, client, send);
    this.#say({ query, question, client, zone: this.zone }, decision, send);
    return null;
  }

  /** For a client that asks too often: it may come back over TCP, and costs no more than it sent. */
  cut(message: Buffer, send: Send): void {
    const query = readQuery(message);
    if (query === null || query.question === null) this.#options.count('dropped');
    else {
      this.#options.count('truncated');
      send(writeReply({ ...emptyReply(query), flags: FLAG.TC | query.flags }, LEAST_UDP_BYTES));
    }
  }

  #fail(query: Query, rcode: Rcode, client: Client, send: Send): null {
    this.#options.count(RESULTS[rcode]);
    send(writeReply({ ...emptyReply(query), flags: this.#flags(query, client), rcode }, limitOf(query, client)));
    return null;
  }

  #flags({ flags }: Query, { address }: Client): number {
    const { forwarder, mayForward } = this.#options;
    return forwarder.hasResolvers() && mayForward(address) ? flags | FLAG.RA : flags;
  }

  #say(about: About, decision: Exclude<Decision, { kind: 'forward' }>, send: Send): void {
    const { query, client } = about;
    if (decision.kind === 'refused') {
      this.#fail(query, RCODE.REFUSED, client, send);
      return;
    }
    const flags = this.#flags(query, client) | FLAG.AA;
    const reply = { ...emptyReply(query), flags, ...recordsOf(about, decision) };
    this.#options.count(decision.kind === 'negative' ? RESULTS[decision.rcode] : 'answered');
    send(writeReply(reply, limitOf(query, client)));
  }

  #forward(query: Query, client: Client, send: Send): Wait | null {
    if (!this.#options.mayForward(client.address)) return this.#fail(query, RCODE.REFUSED, client, send);
    const over = this.#shares.take(client.address);
    if (over === null) return this.#fail(query, RCODE.SERVFAIL, client, send);
    const wait = this.#options.forwarder.ask(query, (answer) => {
      over();
      if (answer === null) {
        this.#fail(query, RCODE.SERVFAIL, client, send);
        return;
      }
      this.#options.count('forwarded');
      send(relayed(answer, query, limitOf(query, client)));
    });
    if (wait === null) return null;
    return {
      cancel: () => {
        over();
        wait.cancel();
      },
    };
  }
}

/** A question that is answered from the names of enrolled Services. */
interface About {
  readonly query: Query;
  readonly question: Question;
  readonly client: Client;
  readonly zone: Zone;
}

type Records = Pick<Reply, 'rcode' | 'answers' | 'authorities' | 'additionals'>;

function recordsOf({ question, zone }: About, decision: Exclude<Decision, { kind: 'forward' | 'refused' }>): Records {
  const { name } = question;
  const empty = { rcode: RCODE.NOERROR, answers: NONE, authorities: NONE, additionals: NONE };
  switch (decision.kind) {
    case 'minimal':
      return { ...empty, answers: [{ name, type: 'HINFO', ttl: TTL_SECONDS, data: { cpu: 'RFC8482', os: '' } }] };
    case 'negative':
      return { ...empty, rcode: decision.rcode, authorities: [soa(decision.apex, zone)] };
    case 'answer':
      return {
        ...empty,
        answers: decision.records.map((record) => answerOf(name, record)),
        additionals: [...new Set(decision.records.flatMap(targetOf))].flatMap((target) => addresses(target, zone)),
      };
  }
}

function answerOf(name: string, record: ZoneRecord): Answer {
  if (record.type !== 'SRV') return { name, type: record.type, ttl: TTL_SECONDS, data: record.data };
  const { port, target } = record;
  return { name, type: 'SRV', ttl: TTL_SECONDS, data: { priority: 0, weight: 100, port, target } };
}

function targetOf(record: ZoneRecord): readonly string[] {
  return record.type === 'SRV' ? [record.target] : [];
}

function addresses(name: string, zone: Zone): readonly Answer[] {
  const found = zone.find(name);
  return found.kind === 'found' ? found.node.records.map((record) => answerOf(name, record)) : NONE;
}

/** Says for how long there is nothing (RFC 2308 5). */
function soa(apex: string, { clusterDomain, serial }: Zone): Answer {
  const timers = { refresh: 7200, retry: 1800, expire: 86_400, minimum: TTL_SECONDS };
  const data = { mname: `ns.dns.${clusterDomain}`, rname: `hostmaster.${clusterDomain}`, serial, ...timers };
  return { name: apex, type: 'SOA', ttl: TTL_SECONDS, data };
}

function emptyReply({ id, flags, question, edns }: Query): Reply {
  const rcode = RCODE.NOERROR;
  return { id, flags, rcode, question, edns, answers: NONE, authorities: NONE, additionals: NONE };
}

function limitOf({ edns }: Query, { transport }: Client): number {
  if (transport === 'tcp') return TCP_BYTES;
  return edns === null ? LEAST_UDP_BYTES : Math.min(UDP_BYTES, Math.max(LEAST_UDP_BYTES, edns.size));
}

/** The answer of a resolver with the number and the case of this client's own question. */
function relayed(answer: Buffer, query: Query, limit: number): Buffer {
  const flags = answer.readUInt16BE(2);
  if (answer.length > limit) {
    const kept = flags & (FLAG.AA | FLAG.RD | FLAG.RA | FLAG.AD | FLAG.CD);
    return writeReply({ ...emptyReply(query), flags: kept | FLAG.TC }, limit);
  }
  const own = Buffer.from(answer);
  own.writeUInt16BE(query.id, 0);
  own.set(query.question!, HEADER_BYTES);
  return own;
}
