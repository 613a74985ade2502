// SessionPersistence (GEP-1619), the same on a rule of a route and in an XBackendTrafficPolicy.
import * as names from './names.ts';
import { object, oneOf, type Schema } from './schema.ts';

interface SessionPersistence {
  readonly type: string;
  readonly cookieConfig?: { readonly lifetimeType: string };
  readonly absoluteTimeout?: string;
}

export const sessionPersistence: Schema = object(
  {
    sessionName: { type: 'string', maxLength: 128 },
    absoluteTimeout: names.duration,
    idleTimeout: names.duration,
    type: oneOf(['Cookie', 'Header'], { default: 'Cookie' }),
    cookieConfig: object({ lifetimeType: oneOf(['Permanent', 'Session'], { default: 'Session' }) }),
  },
  {
    sure: ({ type, cookieConfig, absoluteTimeout }: SessionPersistence) =>
      cookieConfig === undefined ||
      (type === 'Cookie' && (cookieConfig.lifetimeType === 'Session' || absoluteTimeout !== undefined)),
    rules: [
      {
        message: 'AbsoluteTimeout must be specified when cookie lifetimeType is Permanent',
        rule: "!has(self.cookieConfig) || !has(self.cookieConfig.lifetimeType) || self.cookieConfig.lifetimeType != 'Permanent' || has(self.absoluteTimeout)",
      },
      {
        message: 'cookieConfig can only be set with type Cookie',
        rule: "!has(self.cookieConfig) || self.type == 'Cookie'",
      },
    ],
  },
);
