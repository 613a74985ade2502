// RequestAuthentication: security.istio.io as Istio publishes it, and waypoint.dev/v1alpha1, which is the same.
import { attachment } from './access-policy.ts';
import { resource } from './metadata.ts';
import * as names from './names.ts';
import { policyStatus } from './policy.ts';
import { anything, list, object, type Schema, text, truth } from './schema.ts';

const most = 64;
const value: Schema = { ...text, minLength: 1, maxLength: 4096 };

function texts(doc: string): Schema {
  return list(value, { maxItems: most, doc });
}

const jwtRule = object(
  {
    issuer: { ...text, maxLength: 4096, doc: 'Exactly the iss claim of the tokens.' },
    audiences: texts('One of these must be in the aud claim; absent: any will do.'),
    jwksUri: { ...text, maxLength: 2048, doc: 'Where the keys are fetched from.' },
    jwks_uri: { ...text, maxLength: 2048, doc: 'The same, as some manifests write it.' },
    jwks: { ...text, maxLength: 1_048_576, doc: 'The keys themselves, a JSON Web Key Set.' },
    fromHeaders: list(
      object(
        {
          name: { ...names.headerName, doc: 'Name of the header.' },
          prefix: { ...text, maxLength: 256, doc: 'What stands before the token, such as "Bearer ".' },
        },
        { required: ['name'] },
      ),
      { maxItems: most, doc: 'Headers that carry tokens.' },
    ),
    fromParams: texts('Query parameters that carry tokens.'),
    fromCookies: texts('Cookies that carry tokens.'),
    outputPayloadToHeader: { ...text, maxLength: 256, doc: 'Header that carries the verified payload on, base64url.' },
    forwardOriginalToken: { ...truth, doc: 'The token stays in the request.' },
    outputClaimToHeaders: list(
      object(
        {
          header: { ...names.headerName, doc: 'Name of the header.' },
          claim: { ...value, doc: 'Name of the claim; those inside of others follow a dot.' },
        },
        { required: ['header', 'claim'] },
      ),
      { maxItems: most, doc: 'Claims that are copied to headers.' },
    ),
    timeout: { ...text, maxLength: 32, doc: 'How long the keys are waited for, 5s where absent.' },
    spaceDelimitedClaims: texts('Claims that are lists of words in one text, beside scope and permission.'),
  },
  { required: ['issuer'] },
);

const fields: Readonly<Record<string, Schema>> = {
  ...attachment,
  jwtRules: list(jwtRule, {
    maxItems: most,
    doc: 'Which tokens are believed. A request without any passes unauthenticated.',
  }),
};

const frame = { name: names.dnsSubdomain };

export const istioRequestAuthentication: Schema = resource({ spec: object(fields), status: anything }, frame);

export const requestAuthentication: Schema = resource(
  { spec: object(fields), status: policyStatus },
  { ...frame, required: ['spec'] },
);
