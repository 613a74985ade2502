// Flags that commands share: where the resources are, and for which waypoint they are read.

import type { PathLevel } from '../routing/path.ts';
import { choice, ipAddress } from './flag-values.ts';
import type { Flag } from './flags.ts';

export type SourceFlags = {
  readonly config: Flag<readonly string[]>;
  readonly bind: Flag<string>;
  readonly gateway: Flag<string | null>;
  readonly clusterDomain: Flag<string>;
  readonly pathNormalization: Flag<PathLevel>;
};

export const SOURCE_FLAGS: SourceFlags = {
  config: {
    arg: 'file|dir',
    help: 'resources, YAML or JSON; repeatable',
    expects: 'a file or a directory',
    initial: [],
    shown: '',
    parse: (text) => (text === '' ? undefined : [text]),
    join: (first, next) => [...first, ...next],
  },
  bind: ipAddress({ help: 'address for listeners of a Gateway that names none', initial: '127.0.0.1' }),
  gateway: {
    arg: 'namespace/name',
    help: 'serve this Gateway only',
    expects: 'namespace/name',
    initial: null,
    shown: '',
    parse: (text) => (/^[a-z0-9][-a-z0-9]*\/[a-z0-9][-.a-z0-9]*$/.test(text) ? text : undefined),
  },
  clusterDomain: {
    arg: 'domain',
    help: 'suffix of the names of Services',
    expects: 'a lower-case DNS name',
    initial: 'cluster.local',
    shown: 'cluster.local',
    parse: (text) => (/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/.test(text) ? text : undefined),
  },
  pathNormalization: choice<PathLevel>(['none', 'base', 'merge-slashes', 'decode-and-merge'], {
    help: 'done once, before matching and forwarding',
    initial: 'merge-slashes',
  }),
};

export type PlaceFlags = { readonly zone: Flag<string | null>; readonly sessionKey: Flag<string | null> };

/** What decides about endpoints beside the resources. */
export const PLACE_FLAGS: PlaceFlags = {
  zone: {
    arg: 'name',
    help: 'zone of this waypoint, for locality',
    expects: 'the name of a zone',
    initial: null,
    shown: 'unknown',
    parse: (text) => (/^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/.test(text) ? text : undefined),
  },
  sessionKey: {
    arg: 'secret',
    help: 'signs session tokens; the same for all replicas',
    expects: 'at least 16 characters',
    initial: null,
    shown: 'made at start',
    parse: (text) => (text.length < 16 ? undefined : text),
  },
};
