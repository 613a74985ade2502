// Steady traffic over kept connections while something changes; every request that does not succeed is told.

import { RawClient } from './raw-client.ts';

export class Load {
  /** What went wrong: statuses and broken connections, each in words. */
  readonly failures: string[] = [];
  /** Bodies of the answers, in order of arrival. */
  readonly bodies: string[] = [];
  requests = 0;
  readonly #connect: () => Promise<RawClient>;
  #running = true;
  #lanes: Promise<void>[] = [];

  /** To a port of this host in cleartext, or as it is told. */
  constructor(target: number | (() => Promise<RawClient>)) {
    this.#connect = typeof target === 'number' ? () => RawClient.connect(target) : target;
  }

  /** `fresh` lanes open a connection for each request, `kept` ones keep theirs until they are told to close. */
  start(kept: number, fresh: number): void {
    for (let i = 0; i < kept + fresh; i++) this.#lanes.push(this.#lane(i < kept ? 'kept' : 'fresh'));
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#lanes);
  }

  async #lane(kind: 'kept' | 'fresh'): Promise<void> {
    let client: RawClient | null = null;
    while (this.#running) {
      try {
        client ??= await this.#connect();
      } catch (error) {
        if (this.#running) this.failures.push(`connect: ${(error as Error).message}`);
        return;
      }
      const close = await this.#one(client);
      if (!close && kind === 'kept') continue;
      client.destroy();
      client = null;
    }
    client?.destroy();
  }

  /** One request; whether its connection is over. */
  async #one(client: RawClient): Promise<boolean> {
    const sent = client.ended;
    await client.send('GET /load HTTP/1.1\r\nHost: test.example\r\n\r\n');
    try {
      const answer = await client.response();
      this.requests++;
      if (answer.status === 200) this.bodies.push(answer.body);
      else this.failures.push(`${answer.startLine} ${answer.body}`);
      return answer.get('connection') === 'close';
    } catch (error) {
      // A server may close an idle connection under a request (RFC 9112 section 9.6): that one alone is sent again.
      const idleClose =
        sent === null && client.receivedBytes > 0 && client.takeUnread().length === 0 && client.ended === 'end';
      if (!idleClose) this.failures.push((error as Error).message);
      return true;
    }
  }
}
