// From references to the credentials that they mean: permitted, found, sound and in time, or in words why not.

import type { Environment } from '../environment.ts';
import { coreGroup, type Grants, isGranted, type Referrer } from '../references.ts';
import type { ObjectReference, Resources } from '../resources.ts';
import { type Certificate, outOfTime, phaseOf } from './certificate.ts';
import { type Content, contentOf, type Holder, type Part } from './content.ts';

export interface CredentialScope {
  readonly resources: Resources;
  readonly grants: Grants;
  readonly environment: Environment;
}

/** What an outcome depends on beside the object that it is for. */
export interface Needs {
  /** `Secret shop/tls`, `Grant shop`, `Credential spiffe`. */
  readonly reads: ReadonlySet<string>;
  /** The outcome is the same for as long as it is not before this, in ms since the epoch, ... */
  readonly heldSince: number;
  /** ... and before this; Infinity: for ever. */
  readonly changesAt: number;
}

export interface Found {
  /** `Secret shop/tls`, `ConfigMap shop/ca`, `Credential spiffe`: the key in Snapshot.credentials. */
  readonly id: string;
  /** null: it may be used. */
  readonly problem: CredentialProblem | null;
}

/** Each kind of reference has its own reasons for these. */
export interface CredentialProblem {
  readonly cause: 'kind' | 'permission' | 'content';
  readonly message: string;
}

/** Those of the SPIFFE Workload API: our own, and one for each federated trust domain. */
const SPIFFE = /^spiffe($|\.)/;
const CREDENTIALS = { group: 'waypoint.dev', kind: 'Credential' };

/** Looks credentials up for one object, and notes what that depended on. */
export class CredentialLookup {
  readonly #reads: Set<string> = new Set();
  #heldSince = Number.NEGATIVE_INFINITY;
  #changesAt = Number.POSITIVE_INFINITY;
  readonly #scope: CredentialScope;
  readonly #referrer: Referrer;

  constructor(scope: CredentialScope, referrer: Referrer) {
    this.#scope = scope;
    this.#referrer = referrer;
  }

  /** Of everything that was looked up so far. */
  get needs(): Needs {
    return { reads: this.#reads, heldSince: this.#heldSince, changesAt: this.#changesAt };
  }

  /** A certificate with its key: tls.crt and tls.key of a Secret, or a Credential. */
  pair(ref: ObjectReference): Found {
    return this.#find(ref, ['Secret'], (content) => this.#pairProblem(content));
  }

  /** CAs to believe: ca.crt of a ConfigMap or of a Secret, or those of a Credential. */
  authorities(ref: ObjectReference): Found {
    return this.#find(ref, ['ConfigMap', 'Secret'], (content) => this.#authoritiesProblem(content));
  }

  #find(
    ref: ObjectReference,
    kinds: readonly ('ConfigMap' | 'Secret')[],
    problemOf: (content: Content) => string | null,
  ): Found {
    const { group, kind, name } = ref;
    if (group === CREDENTIALS.group && kind === CREDENTIALS.kind) return this.#own(ref, problemOf);
    const known = kinds.find((each) => each === kind && coreGroup(group) === '');
    const key = `${ref.namespace ?? this.#referrer.namespace}/${name}`;
    const id = `${kind} ${key}`;
    if (known === undefined) {
      const wanted = `name a ${kinds.join(' or ')}, or a ${CREDENTIALS.kind} of group ${CREDENTIALS.group}`;
      return failed(
        id,
        'kind',
        `${group === '' ? '' : `${group}/`}${kind} ${name} is of no kind that is read here: ${wanted}`,
      );
    }
    if (!this.#isPermitted(known, ref)) {
      const { kind: from, namespace } = this.#referrer;
      const remedy = `a ReferenceGrant in namespace ${ref.namespace} must admit ${from} of namespace ${namespace}`;
      return failed(id, 'permission', `${id} is of another namespace: ${remedy}`);
    }
    this.#reads.add(id);
    const resource = this.#scope.resources[known].get(key);
    if (resource === undefined)
      return failed(id, 'content', `There is no ${id}, or it is not valid: create it, or change the reference`);
    return judged(id, problemOf(contentOf(resource)));
  }

  #own({ namespace, name }: ObjectReference, problemOf: (content: Content) => string | null): Found {
    const id = `${CREDENTIALS.kind} ${name}`;
    if (namespace !== undefined) return failed(id, 'content', `${id} is of no namespace: remove it from the reference`);
    this.#reads.add(id);
    const plan = this.#scope.environment.credentials.get(id);
    if (plan === undefined) {
      const source = SPIFFE.test(name)
        ? '--spiffe-endpoint-socket names the agent that gives it, and it must have answered'
        : '--credentials names the directory that has it';
      return failed(id, 'content', `There is no ${id} at this waypoint: ${source}`);
    }
    return judged(id, problemOf(contentOf(plan)));
  }

  #isPermitted(kind: string, { namespace, name }: ObjectReference): boolean {
    if (namespace === undefined || namespace === this.#referrer.namespace) return true;
    this.#reads.add(`Grant ${namespace}`);
    return isGranted(this.#scope.grants, this.#referrer, { group: '', kind, namespace, name });
  }

  /** Of the issuers behind the leaf some may have expired: clients that know better ones do not mind. */
  #pairProblem({ pair }: Content): string | null {
    const [leaf] = pair.certificates;
    if (leaf === undefined) return pair.problem;
    const { now } = this.#scope.environment;
    this.#timed(leaf, now);
    const problem = outOfTime(leaf, now);
    return problem === null ? null : `has a certificate that ${problem}`;
  }

  /** One that is in time is enough: bundles carry old ones along while they are exchanged. */
  #authoritiesProblem({ authorities }: Content): string | null {
    if (authorities.problem !== null) return authorities.problem;
    const { now } = this.#scope.environment;
    for (const each of authorities.certificates) this.#timed(each, now);
    const problems = authorities.certificates.map((each) => outOfTime(each, now));
    const isUsable = problems.some((problem) => problem === null);
    return isUsable ? null : `has no CA certificate in ca.crt that is valid now: the first ${problems[0]}`;
  }

  #timed(certificate: Certificate, now: number): void {
    const { from, until } = phaseOf(certificate, now);
    this.#heldSince = Math.max(this.#heldSince, from);
    this.#changesAt = Math.min(this.#changesAt, until);
  }
}

/** Whether nothing that was read is different now. */
export function isCurrent({ reads, heldSince, changesAt }: Needs, now: number, touched: ReadonlySet<string>): boolean {
  return heldSince <= now && now < changesAt && reads.isDisjointFrom(touched);
}

/** What the id of a credential stands for; undefined: nothing any more. */
export function holderOf(id: string, resources: Resources, environment: Environment): Holder | undefined {
  const space = id.indexOf(' ');
  const kind = id.slice(0, space);
  const isResource = kind === 'Secret' || kind === 'ConfigMap';
  return isResource ? resources[kind].get(id.slice(space + 1)) : environment.credentials.get(id);
}

function judged(id: string, problem: Part['problem']): Found {
  return problem === null ? { id, problem } : failed(id, 'content', `${id} ${problem}`);
}

function failed(id: string, cause: CredentialProblem['cause'], message: string): Found {
  return { id, problem: { cause, message } };
}
