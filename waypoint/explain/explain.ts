// Why a request goes where it goes: a request that is only thought of, led through the code that serves real ones.

import { describeFilter } from '../../policies/index.ts';
import { describeMirror } from '../../policies/mirror.ts';
import type { BackendShare, BindPlan, RoutePlan, Snapshot } from '../../policies/plan.ts';
import type { Candidate, Explanation } from '../../routing/table.ts';
import type { RunOptions } from '../config.ts';
import type { Failure } from '../errors.ts';
import { FAILURES } from '../errors.ts';
import { Frontend, misdirected, resolveFrontend } from '../frontend.ts';
import type { LivePlan } from '../live-plan.ts';
import { accessAnswer, accessOf, tokenOf } from './access.ts';
import { arrive, trustDomainsOf } from './arrival.ts';
import { choiceOf, sessionOf } from './choice.ts';
import type { Dialled } from './dialled.ts';
import { type Link, link } from './link.ts';
import { endpointSections, requestSections } from './policy.ts';
import type { ExplainedAnswer, ExplainedBackend, ExplainedCandidate, ExplainReport } from './report.ts';
import type { Thought } from './thought.ts';
import type { Presented } from './token.ts';
import { matchWords, mismatchWords, replyWords, timeoutsWords, tlsWords } from './words.ts';

export interface ExplainRequest {
  readonly method: string;
  /** `http://host:port/path?query`, or `https://`: whom the client dials, and what it asks for. */
  readonly url: string;
  /** `Host` replaces the authority of the URL. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Where the client is known to live, for consumer routes; null: unknown. */
  readonly namespace: string | null;
  /** Whose certificate it shows, `cluster.local/ns/shop/sa/web`. */
  readonly principal?: string | null;
  /** SNI; absent: the host of the URL, unless that is an address. */
  readonly serverName?: string | null;
  /** Where it comes from. */
  readonly address?: string | null;
  /** Of the token that it brings, which is taken for verified. */
  readonly claims?: Readonly<Record<string, unknown>> | null;
}

/** Of a run: what they allow is what a request may be. */
export type ExplainOptions = Pick<RunOptions, 'limits' | 'pathNormalization' | 'zone' | 'sessionKey'> &
  Partial<Pick<RunOptions, 'trustDomain' | 'trustDomainAliases' | 'trustedProxies'>>;

/** A string says what is wrong with the question. `presented`: what became of the token that it brings. */
export function explain(
  asked: ExplainRequest,
  snapshot: Snapshot,
  options: ExplainOptions,
  presented: Presented | null = null,
): ExplainReport | string {
  const arrival = arrive(asked, snapshot, options);
  if (typeof arrival === 'string') return arrival;
  const { dialled, client, thought } = arrival;
  const arrived = { ...NOTHING, bind: bindOf(dialled), tls: client.tls, client: client.words };
  if (client.refused !== null) return { ...arrived, answer: client.refused };
  const { failure } = thought;
  if (failure !== null) {
    const message = 'the request is malformed: it is refused, the connection closed, nothing forwarded';
    return { ...arrived, answer: { ...failure, message } };
  }
  const { claims = null } = asked;
  if (presented !== null) thought.present(presented);
  else if (claims !== null) thought.present({ token: tokenOf(claims), apply: () => {} });
  const known = { snapshot, options, presented, linked: link(snapshot, options.sessionKey) };
  return route(thought, dialled.bind, arrived, known);
}

const NOTHING: ExplainReport = {
  ...{ request: null, bind: null, tls: null, client: '', frontend: null, candidates: [] },
  ...{ rule: null, token: null, access: [], answer: null },
};

/** Where the answers are looked up. */
interface Known {
  readonly snapshot: Snapshot;
  readonly options: ExplainOptions;
  readonly presented: Presented | null;
  readonly linked: Link;
}

function route(thought: Thought, bind: BindPlan, arrived: ExplainReport, known: Known): ExplainReport {
  const { live } = known.linked;
  const { head, peer } = thought;
  const { method, authority, path, query } = head;
  const seen = { ...arrived, request: { method, authority, path, query } };
  const frontend = new Frontend();
  if (!resolveFrontend({ bind, head, peer }, live, frontend)) return { ...seen, answer: unaddressed(bind) };
  if (misdirected({ bind, head, peer }, frontend)) return { ...seen, answer: elsewhere(thought, frontend) };
  const { service, listener, table, tableId } = frontend;
  const winner = table === null ? null : table.find(head);
  const plan = table === null ? (service?.fallback ?? null) : (winner?.value ?? null);
  const found = {
    ...seen,
    frontend: { service: service?.plan.id ?? null, listener: listener?.id ?? null, table: tableId },
    candidates: table === null ? [] : [...table.explain(head)].map((each) => candidateOf(each, winner)),
  };
  if (plan === null) return { ...found, answer: answerOf(FAILURES.noRoute) };
  thought.matched(winner?.prefix ?? null, bind.port);
  const { rule, answer } = ruleOf(plan, thought, known);
  const { kind, route: name, backends } = plan.plan;
  const place = {
    ...{ gateway: bind.gateway, service: service?.plan ?? null, backends },
    route: kind === 'Default' ? null : `${kind} ${name}`,
  };
  const { snapshot, options, presented } = known;
  const judges = { snapshot, trustDomains: trustDomainsOf(options) };
  const access = accessOf(place, thought.accessContext(service?.plan.port ?? bind.port), judges);
  // Preflights are answered before anybody asks who it is.
  const isPreflight = answer?.reason === 'cors_preflight';
  const guarded = isPreflight ? null : (tokenAnswer(presented) ?? accessAnswer(access, backends.length));
  return { ...found, rule, token: presented?.explained ?? null, access, answer: guarded ?? answer };
}

function candidateOf(each: Explanation<LivePlan>, winner: Candidate<LivePlan> | null): ExplainedCandidate {
  const { candidate, mismatch } = each;
  const { plan } = candidate.value;
  return {
    route: plan.route,
    rule: plan.rule,
    hostname: candidate.hostname,
    match: matchWords(candidate.match),
    mismatch: mismatch === null ? null : mismatchWords(mismatch),
    wins: candidate === winner,
  };
}

function ruleOf(live: LivePlan, thought: Thought, known: Known): Pick<ExplainReport, 'rule' | 'answer'> {
  const { plan } = live;
  const { kind, route, rule, filters, mirrors } = plan;
  const after = thought.filtered(filters);
  const sum = plan.backends.reduce((total, share) => total + share.weight, 0);
  const backends = plan.backends.map((share) => backendOf(share, sum, { plan, thought, known }));
  const explained = {
    ...{ kind, route, rule, timeouts: timeoutsWords(plan), filters: filters.map(describeFilter) },
    policy: plan.backends.length === 0 ? requestSections(plan) : [],
    session: sessionOf(live, thought.head.fields, known.linked.registry),
    ...{ mirrors: mirrors.map(describeMirror), before: thought.received, after: after.lines, backends },
  };
  if (plan.failure !== null) return { rule: explained, answer: { status: 500, ...plan.failure } };
  if (after.reply === null) return { rule: explained, answer: backendAnswer(backends) };
  const { status, reason } = after.reply;
  return { rule: explained, answer: { status, reason, message: replyWords(after.reply) } };
}

interface Context {
  readonly plan: RoutePlan;
  readonly thought: Thought;
  readonly known: Known;
}

function backendOf(share: BackendShare, sum: number, { plan, thought, known }: Context): ExplainedBackend {
  const { snapshot, options, linked } = known;
  const id = share.backend;
  const own = id === null ? undefined : snapshot.backends.get(id);
  const backend = id === null ? undefined : linked.registry.peek(id);
  const after = thought.filtered([...plan.filters, ...share.filters]);
  const balancing = share.policy.enforced.loadBalancing ?? own?.policy.enforced.loadBalancing ?? null;
  const chosen = { balancing, context: after.context, zone: options.zone };
  return {
    backend: id,
    percent: sum === 0 ? 0 : Math.round((share.weight / sum) * 10_000) / 100,
    failure: share.failure,
    filters: share.filters.map(describeFilter),
    mirrors: share.mirrors.map(describeMirror),
    after: share.filters.length === 0 ? null : after.lines,
    tls: own?.tls == null ? null : tlsWords(own.tls),
    tlsFailure: own?.tls?.failure ?? null,
    outside: own?.authority ?? null,
    policy: requestSections(share),
    endpointPolicy: own === undefined ? [] : endpointSections(own, options.limits),
    choice: backend === undefined ? null : choiceOf({ backend, ...chosen }),
    endpoints: (backend?.endpoints ?? []).map((endpoint) => {
      const { address, port, name, zone, hints, ready, serving, terminating } = endpoint;
      const eligible = backend?.eligible.includes(endpoint) === true;
      return { address, port, name, zone, hints, ready, serving, terminating, eligible };
    }),
  };
}

/** null where some share of the requests reaches an endpoint. */
function backendAnswer(backends: readonly ExplainedBackend[]): ExplainedAnswer | null {
  const taking = backends.filter((backend) => backend.percent > 0);
  if (taking.length === 0) return answerOf(FAILURES.noBackend);
  const reached = taking.filter(({ endpoints }) => endpoints.some((endpoint) => endpoint.eligible));
  if (reached.some(({ tlsFailure }) => tlsFailure === null)) return null;
  if (reached.length > 0) {
    const answer = answerOf(FAILURES.upstreamTls);
    return { ...answer, message: `${answer.message}: ${reached[0]?.tlsFailure?.message}` };
  }
  const broken = taking.find(({ failure }) => failure !== null)?.failure ?? null;
  return broken === null ? answerOf(FAILURES.noEndpoint) : { status: 500, ...broken };
}

function bindOf({ bind, found }: Dialled): ExplainReport['bind'] {
  return { id: bind.id, gateway: bind.gateway, found };
}

function unaddressed(bind: BindPlan): ExplainedAnswer {
  const answer = answerOf(FAILURES.noFrontend);
  const hostnames = bind.listeners.map(({ hostname }) => hostname ?? '*');
  const known = hostnames.length === 0 ? '' : ` (the listeners here have the hostnames ${hostnames.join(', ')})`;
  return { ...answer, message: `${answer.message}${known}` };
}

/** RFC 9110 section 15.5.20: on another connection the same request may be right. */
function elsewhere({ peer, head }: Thought, { listener }: Frontend): ExplainedAnswer {
  const { serverName } = peer;
  const made =
    serverName === null ? 'the client named no host (SNI)' : `the connection was made for ${serverName} (SNI)`;
  const message = `${made}, but listener ${listener?.id} serves ${head.host}: ask over a connection of its own (--sni ${head.host})`;
  return { ...answerOf(FAILURES.misdirected), message };
}

function tokenAnswer(presented: Presented | null): ExplainedAnswer | null {
  const { reply = null, explained = null } = presented ?? {};
  if (reply === null) return null;
  const by = explained?.policy ? ` (${explained.policy})` : '';
  return { status: reply.status, reason: reply.reason, message: `the token is refused${by}` };
}

function answerOf({ status, reason, body }: Failure): ExplainedAnswer {
  return { status, reason, message: body.trim() };
}
