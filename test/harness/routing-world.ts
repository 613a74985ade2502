// One Gateway port, three Services v1, v2, v3 and the routes of a table: who answers a request?

import assert from 'node:assert/strict';
import { type Answered, call } from './call.ts';
import { echoed } from './echoed.ts';
import {
  gateway,
  gatewayClass,
  type ListenerSetup,
  type Manifest,
  type RouteSetup,
  route,
  service,
} from './manifests.ts';
import { freePort } from './ports.ts';
import { ScriptedBackend } from './scripted-backend.ts';
import { type Settings, Waypoint } from './waypoint.ts';

/** The Service that answers, or the status when none does. */
export type Expectation = 'v1' | 'v2' | 'v3' | number;

export interface RoutingSetup {
  readonly listeners?: readonly Omit<ListenerSetup, 'port'>[];
  readonly objects?: readonly Manifest[];
  readonly settings?: Settings;
}

const SERVICES = ['v1', 'v2', 'v3'] as const;

export class RoutingWorld {
  readonly waypoint: Waypoint;
  readonly port: number;
  readonly backends: ReadonlyMap<string, ScriptedBackend>;

  private constructor(waypoint: Waypoint, port: number, backends: ReadonlyMap<string, ScriptedBackend>) {
    this.waypoint = waypoint;
    this.port = port;
    this.backends = backends;
  }

  /** Routes without parents attach to the Gateway `edge`. */
  static async start(
    routes: readonly (Omit<RouteSetup, 'parents'> & Partial<Pick<RouteSetup, 'parents'>>)[],
    setup: RoutingSetup = {},
  ): Promise<RoutingWorld> {
    const backends = new Map<string, ScriptedBackend>();
    for (const name of SERVICES) backends.set(name, await ScriptedBackend.start(undefined, name));
    const port = await freePort();
    const listeners = (setup.listeners ?? [{}]).map((listener) => ({ ...listener, port }));
    const objects = [
      gatewayClass(),
      gateway('edge', listeners),
      ...routes.map((one) => route({ parents: ['edge'], ...one })),
      ...[...backends].flatMap(([name, backend]) => service({ name, endpoints: [backend.port] })),
      ...(setup.objects ?? []),
    ];
    const waypoint = await Waypoint.start({ 'routing.yaml': objects }, setup.settings);
    return new RoutingWorld(waypoint, port, backends);
  }

  backend(name: string): ScriptedBackend {
    return this.backends.get(name) as ScriptedBackend;
  }

  /** Sends `METHOD [host]/path[?query][ name: value[;name: value]]`. */
  async send(request: string): Promise<Answered> {
    const match = /^(\S+) ([^/\s]*)(\/\S*)(?: (.*))?$/.exec(request);
    assert.ok(match !== null, `a test request: ${request}`);
    const [, method, host, path, fields] = match as unknown as [string, string, string, string, string | undefined];
    return call(this.port, {
      method,
      path,
      host: host === '' ? 'test.example' : host,
      fields: fields === undefined ? [] : fields.split(';').map((line) => line.split(': ') as [string, string]),
    });
  }

  async expect(request: string, expected: Expectation): Promise<Answered> {
    const answer = await this.send(request);
    assert.equal(this.#who(answer), expected, `${answer.message.startLine} ${answer.body}`);
    return answer;
  }

  async close(): Promise<void> {
    await this.waypoint.close();
    for (const backend of this.backends.values()) await backend.close();
  }

  #who(answer: Answered): Expectation | string {
    if (answer.status !== 200) return answer.status;
    const port = echoed(answer).backend;
    for (const [name, backend] of this.backends) if (backend.port === port) return name;
    return `a stranger at ${port}`;
  }
}
