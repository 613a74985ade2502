// The life of a request on one screen: find its route, choose its backend, then guard (who may) → admission (how much) →
// filtering (what is changed) → tries and relay. Each calls the next; one that has to wait goes on by itself.

import { FAILURES, snake } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { identify, looped } from './forwarding.ts';
import { Frontend, misdirected, resolveFrontend } from './frontend.ts';
import { guard } from './guard/guard.ts';
import type { LiveShare } from './live-plan.ts';
import { replyFailure } from './local-reply.ts';
import { screenUpgrade } from './tunnel.ts';

/** Filled in anew by every request, synchronously: nothing is allocated to find out who was addressed. */
const frontend: Frontend = new Frontend();

export function serve(x: Exchange): void {
  if (x.done) return;
  identify(x);
  screenUpgrade(x);
  if (!entered(x) || !findPlan(x) || !usable(x)) return;
  chooseShare(x);
  guard(x);
}

/** false: the request has been here before, and was answered. */
function entered(x: Exchange): boolean {
  if (!looped(x)) return true;
  replyFailure(x, FAILURES.loop, 'Via names this waypoint: a backend leads back to it');
  return false;
}

/** Which table decides, and which of its candidates takes the request; an equal one was decided before. false: answered. */
function findPlan(x: Exchange): boolean {
  const { last, parser } = x.downstream;
  if (parser.repeats && last.version === x.snapshot.version) {
    x.service = last.service;
    x.listener = last.listener;
    x.plan = last.plan;
    x.matchedPrefix = last.matchedPrefix;
    return true;
  }
  last.version = -1;
  if (!lookUp(x)) return false;
  last.version = x.snapshot.version;
  last.service = x.service;
  last.listener = x.listener;
  last.plan = x.plan;
  last.matchedPrefix = x.matchedPrefix;
  last.guard = null;
  return true;
}

function lookUp(x: Exchange): boolean {
  if (!resolveFrontend(x, x.snapshot, frontend)) {
    replyFailure(
      x,
      FAILURES.noFrontend,
      `${x.bind.id}: ${x.head.authority} is no Service enrolled here and no listener's hostname`,
    );
    return false;
  }
  if (outdated(x)) {
    x.downstream.closeAfter();
    replyFailure(x, FAILURES.misdirected, `${x.bind.id} asks more of a connection than when this one was made`);
    return false;
  }
  if (misdirected(x, frontend)) {
    replyFailure(
      x,
      FAILURES.misdirected,
      `the connection was made for ${x.peer.serverName ?? 'no name'} (SNI), another listener serves ${x.head.host}`,
    );
    return false;
  }
  const { service, listener, table } = frontend;
  x.service = service === null ? null : service.plan;
  x.listener = listener;
  if (table === null) {
    x.plan = service === null ? null : service.fallback;
  } else {
    const candidate = table.find(x.head);
    if (candidate !== null) {
      x.plan = candidate.value;
      x.matchedPrefix = candidate.prefix;
    }
  }
  if (x.plan !== null) return true;
  replyFailure(
    x,
    FAILURES.noRoute,
    'no match of an attached route takes this request (waypoint explain lists them with their reasons)',
  );
  return false;
}

/** Whether the listener would no longer accept a connection like this: one that was made before is no way around that. */
function outdated({ bind, downstream }: Exchange): boolean {
  if (bind.protocol !== downstream.bind.protocol) return true;
  return bind.clientValidation?.mode === 'AllowValidOnly' && downstream.forwardedClientCert === '';
}

/** Starts the rule's clock. false: the rule can not be served as it was written, and was answered so. */
function usable(x: Exchange): boolean {
  const { failure, timeouts } = (x.plan as NonNullable<Exchange['plan']>).plan;
  if (timeouts !== null && timeouts.requestMs > 0) x.downstream.endRequestAt(x.startedAt + timeouts.requestMs);
  if (failure === null) return true;
  replyFailure(x, { ...FAILURES.noBackend, reason: snake(failure.reason) }, failure.message);
  return false;
}

/** The choice of backend, made once, by session or by weight: another try stays with it. */
function chooseShare(x: Exchange): void {
  const plan = x.plan as NonNullable<Exchange['plan']>;
  let chosen: LiveShare | null = null;
  if (plan.sessions !== null) {
    const session = plan.sessions.find(x.head.fields, Date.now());
    // It holds though the weight of its share has become 0.
    chosen = plan.shares.find((one) => one.backend !== null && one.backend.id === session?.backend) ?? null;
    if (chosen !== null) x.session = session;
  }
  chosen ??= plan.split.pick(x.worker.random());
  if (chosen === null) {
    x.policies = plan.policies;
    return;
  }
  x.policies = chosen.policies;
  x.share = chosen.share;
  x.backend = chosen.backend;
}
