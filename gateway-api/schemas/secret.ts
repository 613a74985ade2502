// Secret, core v1.

import { keysAreFileNames } from './config-map.ts';
import { resource } from './metadata.ts';
import * as names from './names.ts';
import { type Check, mapOf, type Schema, text, truth } from './schema.ts';

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const valuesAreBase64: Check = {
  message: 'every value must be base64 (use stringData for plain text)',
  holds: (self: Readonly<Record<string, string>>): boolean =>
    Object.values(self).every((value) => base64.test(value.replace(/[\r\n]/g, ''))),
};

interface Raw {
  readonly type: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
}

export const secret: Schema = resource(
  {
    type: { type: 'string', default: 'Opaque' },
    data: mapOf(text, { checks: [keysAreFileNames, valuesAreBase64] }),
    stringData: mapOf(text, { checks: [keysAreFileNames] }),
    immutable: truth,
  },
  {
    name: names.dnsSubdomain,
    checks: [
      {
        message: 'a Secret of type kubernetes.io/tls needs both tls.crt and tls.key',
        holds: (self: Raw): boolean =>
          self.type !== 'kubernetes.io/tls' ||
          ['tls.crt', 'tls.key'].every((key) => self.data?.[key] !== undefined || self.stringData?.[key] !== undefined),
      },
    ],
  },
);
