// XBackendTrafficPolicy, gateway.networking.x-k8s.io/v1alpha1 (GEP-3388, GEP-1619).
import { parseDuration } from '../../policies/duration.ts';
import { resource } from './metadata.ts';
import * as names from './names.ts';
import { anything, integer, list, object, type Schema } from './schema.ts';
import { sessionPersistence } from './session-persistence.ts';

const hour = 3_600_000;

const budget = object({
  percent: integer(0, 100, { default: 20 }),
  interval: {
    ...names.duration,
    default: '10s',
    sure: (self: string) => parseDuration(self)! >= 1000 && parseDuration(self)! <= hour,
    rules: [
      {
        message: 'interval cannot be greater than one hour or less than one second',
        rule: "!(duration(self) < duration('1s') || duration(self) > duration('1h'))",
      },
    ],
  },
});

const minRetryRate = object({
  count: integer(1, 1_000_000),
  interval: {
    ...names.duration,
    sure: (self: string) => parseDuration(self)! > 0 && parseDuration(self)! <= hour,
    rules: [
      {
        message: 'interval cannot be greater than one hour',
        rule: "!(duration(self) == duration('0s') || duration(self) > duration('1h'))",
      },
    ],
  },
});

const target = object(
  { group: names.group, kind: names.kind, name: names.objectName },
  { required: ['group', 'kind', 'name'] },
);

/**
 * The published defaults of `budget` and `minRetryRate` themselves are not filled in: what a policy does not set is left
 * to the others of its target, and without any the same numbers hold.
 */
export const xBackendTrafficPolicy: Schema = resource(
  {
    spec: object(
      {
        targetRefs: list(target, { minItems: 1, maxItems: 16, listMapKeys: ['group', 'kind', 'name'] }),
        retryConstraint: object({ budget, minRetryRate }),
        sessionPersistence,
      },
      { required: ['targetRefs'] },
    ),
    status: anything,
  },
  { name: names.dnsSubdomain, required: ['spec'] },
);
