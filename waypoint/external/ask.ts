// Asking an external authorizer about an exchange: with as much of the body as it is to be told, and what of its answer counts.

import type { ExternalAuthPlan } from '../../policies/external-auth.ts';
import { applyHeaderEdits } from '../../policies/header-edits.ts';
import type { LocalReply } from '../../policies/policy.ts';
import type { Exchange } from '../exchange.ts';
import { type AuthVerdict, askExternalAuth } from './external-auth.ts';

type Done = (x: Exchange, verdict: AuthVerdict) => void;

const TOO_LARGE: LocalReply = {
  status: 413,
  reason: 'external_auth_body_too_large',
  headers: [],
  body: 'request body too large\n',
};

const REFUSED: AuthVerdict = {
  allowed: false,
  reply: TOO_LARGE,
  edits: null,
  responseHeaders: [],
  reason: TOO_LARGE.reason,
};

/** `done` is called once, unless the exchange ends before; what consent changes in the head was changed by then. */
export function askExternally(x: Exchange, plan: ExternalAuthPlan, done: Done): void {
  const { forwardBody } = plan;
  if (forwardBody === null || x.body === null) {
    ask(x, plan, done);
    return;
  }
  const { maxBytes, allowPartial } = forwardBody;
  // Told beforehand, it need not come first.
  if (x.head.contentLength > maxBytes && !allowPartial) {
    done(x, REFUSED);
    return;
  }
  x.whenBodyHolds(maxBytes, () => {
    const { body } = x;
    const isWhole = body === null || (body.complete && body.held <= maxBytes);
    if (isWhole || allowPartial) ask(x, plan, done);
    else done(x, REFUSED);
  });
}

function ask(x: Exchange, plan: ExternalAuthPlan, done: Done): void {
  x.waiting = askExternalAuth(x, plan, (_, verdict) => {
    x.waiting = null;
    if (x.done) return;
    x.worker.metrics.count('external_authorization', `${plan.provider}\n${verdict.reason}`);
    if (verdict.allowed) {
      if (verdict.edits !== null) applyHeaderEdits(verdict.edits, x.head.fields);
      for (const header of verdict.responseHeaders) x.addResponseHeader(header);
    } else {
      x.flag = 'UAEX';
    }
    done(x, verdict);
  });
}
