// What policies and the route itself say about the requests of one rule, as far as they go to one backend.

import type { DecodeReport } from '../../policies/policy.ts';
import { decodeRouteRetry } from '../../policies/retry.ts';
import { decodeSession } from '../../policies/session.ts';
import { NO_REQUEST_POLICY, type RequestPolicy } from '../../policies/traffic.ts';
import { LayerMemo } from './layer-memo.ts';
import { gatewayLayers, routeLayers, saysAny, serviceLayers, shadowsAny } from './layers.ts';
import { assemble, type Draft, type Held, type Merged, type MergedPolicy, type Mode, mergeSection } from './merge.ts';
import { BALANCING_SECTION, REQUEST_SECTIONS, type Section, sectionSettings } from './settings.ts';
import type { Layer, PolicyIndex } from './targets.ts';

/** One port of a Service, as policies name it. */
export interface PortRef {
  readonly service: string;
  /** Its name, '' where it has none. */
  readonly port: string;
}

/** Where a rule's requests come from. */
export interface Frontend {
  readonly gateway: string;
  /** The Service that the route is attached to; null: it is attached to the Gateway. */
  readonly parent: PortRef | null;
}

/** The stanzas of a rule of an HTTPRoute, which come before every policy. */
export interface RuleStanzas {
  /** `namespace/name`. */
  readonly route: string;
  /** Name of the rule, '' where it has none. */
  readonly rule: string;
  /** Its name, or its index. */
  readonly id: string;
  /** JSON path of the rule. */
  readonly path: string;
  readonly createdAt: number;
  readonly retry: unknown;
  readonly sessionPersistence: unknown;
}

export interface Asked {
  readonly index: PolicyIndex;
  readonly frontend: Frontend;
  /** null: a Service that is forwarded to itself, without a route. */
  readonly stanzas: RuleStanzas | null;
  /** null: a rule without backends, or a broken reference. */
  readonly backend: PortRef | null;
}

const NOTHING: MergedPolicy<RequestPolicy> = { policy: NO_REQUEST_POLICY, origins: [], refused: [] };
const SECTIONS: ReadonlySet<Section> = new Set(REQUEST_SECTIONS);
const BALANCING: ReadonlySet<Section> = new Set<Section>([BALANCING_SECTION]);
const NONE: readonly never[] = [];
/** The stanzas were judged where the rule was translated. */
const SILENT: DecodeReport = { unsupported() {} };

interface Chain {
  /** For everything but load balancing. */
  readonly request: readonly Layer[];
  /** Empty unless the route or the rule says something. */
  readonly balancing: readonly Layer[];
}

/** Of the layers alone: a rule without stanzas. */
const plain = new LayerMemo<MergedPolicy<RequestPolicy>>();
/** Stands between the two chains. */
const BETWEEN: Layer = { level: 'route', target: '', enforced: NONE, shadow: NONE };

export function requestPolicy(asked: Asked): MergedPolicy<RequestPolicy> {
  const { stanzas } = asked;
  const chain = chainOf(asked);
  const { request, balancing } = chain;
  if (stanzas?.retry !== undefined || stanzas?.sessionPersistence !== undefined) return merge(chain, stanzas);
  if (!saysAny(request, SECTIONS) && balancing.length === 0) return NOTHING;
  return plain.get([...request, BETWEEN, ...balancing], () => merge(chain, null));
}

function merge(chain: Chain, stanzas: RuleStanzas | null): MergedPolicy<RequestPolicy> {
  const isShadowed = shadowsAny(chain.request, SECTIONS) || shadowsAny(chain.balancing, BALANCING);
  return assemble(draft(chain, stanzas, 'Enforce'), isShadowed ? draft(chain, stanzas, 'Shadow') : null);
}

/** "Service" is the route's parent where that is a Service, else the backend's. */
function chainOf({ index, frontend, stanzas, backend }: Asked): Chain {
  const own = stanzas === null ? NONE : routeLayers(index, stanzas.route, stanzas.rule);
  const gateway = gatewayLayers(index, [frontend.gateway]);
  const asks = frontend.parent ?? backend;
  const service = asks === null ? NONE : serviceLayers(index, asks.service, asks.port);
  const endpoints = backend === null ? NONE : serviceLayers(index, backend.service, backend.port);
  return {
    request: [...own, ...service, ...gateway],
    balancing: backend !== null && saysAny(own, BALANCING) ? [...own, ...endpoints, ...gateway] : NONE,
  };
}

function draft({ request, balancing }: Chain, stanzas: RuleStanzas | null, mode: Mode): Draft<RequestPolicy> {
  const retry = withStanza(mergeSection('retry', request, mode), stanzas);
  const rateLimit = mergeSection('rateLimit', request, mode);
  const fault = mergeSection('fault', request, mode);
  const loadBalancing = mergeSection('loadBalancing', balancing, mode);
  const session = ownSession(stanzas) ?? mergeSection('sessionPersistence', request, mode);
  return {
    policy: {
      retry: retry.plan,
      rateLimit: rateLimit.plan,
      rateLimitScope: rateLimit.held[0]?.target ?? null,
      fault: fault.plan,
      loadBalancing: loadBalancing.plan,
      session: session.plan,
      sessionScope: session.held[0]?.target ?? null,
    },
    parts: [retry, rateLimit, fault, loadBalancing, session],
  };
}

function withStanza(below: Merged<'retry'>, stanzas: RuleStanzas | null): Merged<'retry'> {
  if (stanzas?.retry === undefined) return below;
  const own = heldBy(stanzas, 'retry', stanzas.retry);
  const slots = new Set(own.map(({ setting }) => setting.slot));
  const held = [...below.held.filter(({ setting }) => !slots.has(setting.slot)), ...own];
  return { ...below, plan: decodeRouteRetry(stanzas.retry, `${stanzas.path}.retry`, SILENT, below.plan), held };
}

function ownSession(stanzas: RuleStanzas | null): Merged<'sessionPersistence'> | null {
  if (stanzas?.sessionPersistence === undefined) return null;
  const { sessionPersistence, path } = stanzas;
  const plan = decodeSession(sessionPersistence, `${path}.sessionPersistence`, SILENT);
  return { plan, held: heldBy(stanzas, 'sessionPersistence', sessionPersistence), refused: NONE };
}

function heldBy({ route, id, createdAt }: RuleStanzas, section: Section, value: unknown): readonly Held[] {
  const settings = sectionSettings(section, value, { from: `HTTPRoute ${route}`, createdAt });
  return settings.map((setting) => ({ setting, level: 'rule', target: `HTTPRoute ${route} ${id}`, mode: 'Enforce' }));
}
