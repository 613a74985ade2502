// Requests at a fixed schedule, whatever the answers do: node open-loop.ts PORT RATE SECONDS prints latencies as JSON.
// Time counts from when a request was due, not from when it could be sent, so that a stall is seen by all it delayed.

import { SMALL } from './backend.ts';
import { HttpClient, requestText } from './http-client.ts';
import { quantile } from './stats.ts';

const CONNECTIONS = 64;
/** The first second finds caches cold and is not counted. */
const UNCOUNTED_MS = 1000;

export interface OpenLoopResult {
  readonly sent: number;
  readonly errors: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

class OpenLoop {
  readonly #text = requestText(SMALL);
  readonly #idle: HttpClient[] = [];
  readonly #due: number[] = [];
  readonly #latencies: number[] = [];
  readonly #countedFrom: number;
  #outstanding = 0;
  #sent = 0;
  #errors = 0;

  constructor(clients: readonly HttpClient[], countedFrom: number) {
    this.#idle.push(...clients);
    this.#countedFrom = countedFrom;
  }

  get finished(): boolean {
    return this.#outstanding === 0 && this.#due.length === 0;
  }

  schedule(dueAt: number): void {
    this.#due.push(dueAt);
    this.#pump();
  }

  result(): OpenLoopResult {
    const { p50, p99 } = { p50: quantile(this.#latencies, 0.5), p99: quantile(this.#latencies, 0.99) };
    return { sent: this.#sent, errors: this.#errors, p50Ms: p50, p99Ms: p99, maxMs: quantile(this.#latencies, 1) };
  }

  #pump(): void {
    while (this.#due.length > 0 && this.#idle.length > 0) {
      const client = this.#idle.shift() as HttpClient;
      const dueAt = this.#due.shift() as number;
      this.#outstanding++;
      this.#sent++;
      client.send(this.#text, (answer) => {
        this.#outstanding--;
        if (answer?.status !== 200) this.#errors++;
        else if (dueAt >= this.#countedFrom) this.#latencies.push(performance.now() - dueAt);
        if (!client.closed) this.#idle.push(client);
        this.#pump();
      });
    }
  }
}

async function run(port: number, rate: number, seconds: number): Promise<OpenLoopResult> {
  const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => HttpClient.open(port)));
  const startedAt = performance.now();
  const loop = new OpenLoop(clients, startedAt + UNCOUNTED_MS);
  const total = Math.round(rate * (seconds + UNCOUNTED_MS / 1000));
  const giveUpAt = startedAt + seconds * 1000 + UNCOUNTED_MS + 10_000;
  let next = 0;
  await new Promise<void>((resolve) => {
    // Timers are good to a millisecond only; this turns all the time instead, which is why it has a process of its own.
    const turn = (): void => {
      const now = performance.now();
      while (next < total && startedAt + (next * 1000) / rate <= now) loop.schedule(startedAt + (next++ * 1000) / rate);
      if ((next === total && loop.finished) || now > giveUpAt) resolve();
      else setImmediate(turn);
    };
    turn();
  });
  for (const client of clients) client.close();
  return loop.result();
}

if (import.meta.main) {
  const [port, rate, seconds] = process.argv.slice(2).map(Number) as [number, number, number];
  process.stdout.write(`${JSON.stringify(await run(port, rate, seconds))}\n`);
}
