// One line per finished exchange, gathered in the worker and handed over in batches; the writing is the main thread's.

import type { AccessLogFormat } from '../config.ts';
import type { Exchange } from '../exchange.ts';
import { jsonString, plainText, plainWord } from './escape.ts';

/** Characters after which a batch leaves at once, and how long a smaller one waits. */
const BATCH = 65_536;
const DELAY_MS = 100;
/** Characters that may be on their way to a main thread that is busy; lines beyond them are dropped and counted. */
const UNCONFIRMED = 4_194_304;

export class AccessLog {
  readonly #write: (text: string, dropped: number) => void;
  readonly #line: ((x: Exchange) => string) | null;
  readonly #flush = (): void => this.flush();
  #text = '';
  #timer: NodeJS.Timeout | null = null;
  #unconfirmed = 0;
  #dropped = 0;

  /** `write` is given whole lines, and how many were dropped before them; `confirm` says that it is done with them. */
  constructor(format: AccessLogFormat, write: (text: string, dropped: number) => void) {
    this.#write = write;
    this.#line = format === 'off' ? null : format === 'json' ? jsonLine : textLine;
  }

  /** Takes down a finished exchange; nothing of it is kept but text. */
  record(x: Exchange): void {
    if (this.#line === null) return;
    this.#text += this.#line(x);
    if (this.#text.length >= BATCH) this.flush();
    else this.#timer ??= setTimeout(this.#flush, DELAY_MS).unref();
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#text === '') return;
    const text = this.#text;
    this.#text = '';
    if (this.#unconfirmed + text.length > UNCONFIRMED) {
      for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#dropped++;
      return;
    }
    this.#unconfirmed += text.length;
    this.#write(text, this.#dropped);
    this.#dropped = 0;
  }

  /** That many characters have been taken over. */
  confirm(characters: number): void {
    this.#unconfirmed -= characters;
  }
}

/** Fields that have nothing to say are left out, but for those that every line has. Durations in ms. */
function jsonLine(x: Exchange): string {
  const { head, plan, service, listener, backend, endpoint, peer } = x;
  let line = `{"time":"${timestamp(x.startedAt)}","id":${jsonString(x.id)},"method":${jsonString(head.method)},"authority":${jsonString(head.authority)},"path":${jsonString(head.path)},"status":${x.status}`;
  if (x.flag !== '') line += `,"flag":"${x.flag}"`;
  if (x.reason !== '') line += `,"reason":${jsonString(x.reason)}`;
  if (x.detail !== '') line += `,"detail":${jsonString(x.detail)}`;
  line += `,"gateway":"${x.bind.gateway}"`;
  if (service !== null) line += `,"service":"${service.id}"`;
  if (listener !== null) line += `,"listener":"${listener.id}"`;
  if (plan !== null)
    line += `,"kind":"${plan.plan.kind}","route":"${plan.plan.route}","rule":${jsonString(plan.plan.rule)}`;
  if (backend !== null) line += `,"backend":"${backend.id}"`;
  if (endpoint !== null) line += `,"endpoint":"${endpoint.id}"`;
  if (x.tries > 0) line += `,"tries":${x.tries},"upstream_ms":${upstreamMs(x)}`;
  if (x.retryReason !== '') line += `,"retry":"${x.retryReason}"`;
  if (x.deniedBy !== '') line += `,"denied_by":${jsonString(x.deniedBy)},"denied_rule":${jsonString(x.deniedRule)}`;
  if (x.audited !== '') line += `,"audited":${jsonString(x.audited)}`;
  if (peer.identity !== null) line += `,"principal":${jsonString(peer.identity.uri)}`;
  if (x.token !== null) line += `,"request_principal":${jsonString(x.token.principal)}`;
  if (x.shadow !== '') line += `,"shadow":${jsonString(x.shadow)}`;
  line += `,"duration_ms":${ms(x.endedAt - x.startedAt)},"request_bytes":${x.requestBytes},"response_bytes":${x.responseBytes},"peer":"${peer.address}","peer_port":${peer.port}`;
  const agent = head.fields.get('user-agent');
  if (agent !== undefined) line += `,"user_agent":${jsonString(agent)}`;
  return `${line}}\n`;
}

/** For a reader at a terminal: what came, what it was answered, how long it took, and who decided that. */
function textLine(x: Exchange): string {
  const { head, plan, backend, endpoint } = x;
  const status = `${x.status === 0 ? '---' : x.status} ${x.flag.padEnd(3)}`;
  const took = `${ms(x.endedAt - x.startedAt)}ms`.padStart(10);
  const asked = `${plainWord(head.method).padEnd(6)} ${plainWord(head.authority)} ${plainWord(head.path)}`;
  let line = `${timestamp(x.startedAt)} ${status} ${took} ${asked}`;
  if (plan !== null) line += ` ${plan.plan.route}#${plainWord(plan.plan.rule)}`;
  if (backend !== null) line += ` -> ${backend.id}`;
  if (endpoint !== null) line += ` (${endpoint.id}${x.tries > 1 ? `, ${x.tries} tries` : ''})`;
  if (x.reason !== '') line += ` ${plainWord(x.reason)}`;
  if (x.retryReason !== '') line += ` (retry: ${x.retryReason})`;
  if (x.deniedBy !== '') line += ` (denied by ${plainText(deniedWords(x))})`;
  if (x.audited !== '') line += ` [audit ${plainText(x.audited)}]`;
  if (x.shadow !== '') line += ` [shadow ${plainText(x.shadow)}]`;
  if (x.detail !== '') line += `: ${plainText(x.detail)}`;
  return `${line}\n`;
}

/** As `explain` says it; nothing of a rule where none decided: tokens, CUSTOM, an ALLOW that does not match. */
function deniedWords({ deniedBy, deniedRule }: Exchange): string {
  if (deniedRule === 'failure') return `${deniedBy}, which could not be loaded`;
  return deniedRule === '' ? deniedBy : `${deniedBy}, rule ${deniedRule}`;
}

/** From the last try to the head of its response, or to the end where none came. */
function upstreamMs(x: Exchange): number {
  return ms((x.responseAt > x.upstreamAt ? x.responseAt : x.endedAt) - x.upstreamAt);
}

/** To the microsecond. */
function ms(duration: number): number {
  return Math.round(duration * 1000) / 1000;
}

let second = -1;
let prefix = '';

/** RFC 3339 in UTC; everything down to the second is made once a second. */
function timestamp(monotonicMs: number): string {
  const wallMs = Math.round(performance.timeOrigin + monotonicMs);
  const wholeSecond = Math.floor(wallMs / 1000);
  if (wholeSecond !== second) {
    second = wholeSecond;
    prefix = new Date(wholeSecond * 1000).toISOString().slice(0, 20);
  }
  const millis = wallMs - wholeSecond * 1000;
  return `${prefix}${millis < 10 ? '00' : millis < 100 ? '0' : ''}${millis}Z`;
}
