// Namespace, core v1.
import { resource } from './metadata.ts';
import * as names from './names.ts';
import { anything, list, object, type Schema, text } from './schema.ts';

export const namespace: Schema = resource(
  { spec: object({ finalizers: list(text) }), status: anything },
  { name: names.dnsLabel },
);
