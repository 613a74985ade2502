// What is said to a question: from the names of enrolled Services alone, or that somebody else has to be asked.

import { RCODE, type Rcode } from './query.ts';
import type { Zone, ZoneNode, ZoneRecord } from './zone.ts';

export interface Asked {
  /** In lower case; '' for the root. */
  readonly name: string;
  readonly type: string;
  readonly class: string;
  /** Could be the name of a Service at all. */
  readonly isPlain: boolean;
}

export type Decision =
  | { readonly kind: 'answer'; readonly records: readonly ZoneRecord[] }
  /** Any type of a name that is ours (RFC 8482). */
  | { readonly kind: 'minimal' }
  /** NOERROR: the name exists and has nothing of this type. */
  | { readonly kind: 'negative'; readonly rcode: Rcode; readonly apex: string }
  | { readonly kind: 'refused' }
  | { readonly kind: 'forward' };

/** Whole zones and mailboxes by name are nothing that we hand out. */
const REFUSED_TYPES: ReadonlySet<string> = new Set(['AXFR', 'IXFR', 'UNKNOWN_253', 'UNKNOWN_254']);
const REFUSED: Decision = { kind: 'refused' };
const FORWARD: Decision = { kind: 'forward' };

/** `hasUpstream`: somebody else can be asked. */
export function decide(asked: Asked, zone: Zone, hasUpstream: boolean): Decision {
  if (asked.class !== 'IN' || REFUSED_TYPES.has(asked.type)) return REFUSED;
  const { name } = asked;
  const found = asked.isPlain ? zone.find(name) : ({ kind: 'foreign', isInCluster: false } as const);
  if (found.kind === 'found') return ofNode(found.node, asked.type);
  if (found.kind === 'missing') return { kind: 'negative', rcode: RCODE.NXDOMAIN, apex: found.apex };
  if (hasUpstream) return FORWARD;
  if (!found.isInCluster) return REFUSED;
  const rcode = zone.isBetween(name) ? RCODE.NOERROR : RCODE.NXDOMAIN;
  return { kind: 'negative', rcode, apex: zone.clusterDomain };
}

function ofNode({ records, apex }: ZoneNode, type: string): Decision {
  if (type === 'ANY') return { kind: 'minimal' };
  const wanted = records.filter((record) => record.type === type);
  if (wanted.length > 0) return { kind: 'answer', records: wanted };
  return { kind: 'negative', rcode: RCODE.NOERROR, apex };
}
