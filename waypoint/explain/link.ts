// A snapshot as a worker would link it, for whoever asks about it on the main thread.

import { BucketStore } from '../../policies/bucket-store.ts';
import { EMPTY_SNAPSHOT, type Snapshot } from '../../policies/plan.ts';
import { Registry } from '../../routing/registry.ts';
import { PolicyLinker } from '../live-policy.ts';
import { LiveSnapshot } from '../live-snapshot.ts';
import { difference } from '../publisher.ts';
import { sessionSigner } from '../session-signer.ts';

export interface Link {
  readonly live: LiveSnapshot;
  readonly registry: Registry;
}

/** Linked once for each snapshot that is asked about, and let go with it. The key of a process stays the same. */
const links: WeakMap<Snapshot, Link> = new WeakMap();

export function link(snapshot: Snapshot, sessionKey: string | null): Link {
  let known = links.get(snapshot);
  if (known === undefined) {
    const registry = new Registry();
    for (const plan of snapshot.backends.values()) registry.update(plan.id, plan.endpoints, 0);
    const linker = { registry, policies: new PolicyLinker(sessionSigner(sessionKey ?? ''), new BucketStore()) };
    known = { live: LiveSnapshot.empty.with(difference(EMPTY_SNAPSHOT, snapshot, 1), linker), registry };
    links.set(snapshot, known);
  }
  return known;
}
