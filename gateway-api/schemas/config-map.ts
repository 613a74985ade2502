// ConfigMap, core v1.
import { resource } from './metadata.ts';
import * as names from './names.ts';
import { type Check, mapOf, type Schema, text, truth } from './schema.ts';

const fileName = /^[-._a-zA-Z0-9]{1,253}$/;

export const keysAreFileNames: Check = {
  message: "every key must consist of letters, digits, '-', '_' and '.'",
  holds: (self: Readonly<Record<string, string>>): boolean => Object.keys(self).every((key) => fileName.test(key)),
};

export const configMap: Schema = resource(
  {
    data: mapOf(text, { checks: [keysAreFileNames] }),
    binaryData: mapOf(text, { checks: [keysAreFileNames] }),
    immutable: truth,
  },
  { name: names.dnsSubdomain },
);
