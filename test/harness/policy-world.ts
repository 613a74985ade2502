// One Service of scripted backends behind one route: what tests of service policies begin with.

import type { LogEntry } from './access-log.ts';
import { type Answered, type Call, call } from './call.ts';
import { backendRef, endpointSlice, gateway, gatewayClass, type Manifest, route, service } from './manifests.ts';
import { freePort } from './ports.ts';
import { echo, type Script, ScriptedBackend } from './scripted-backend.ts';
import { eventually } from './signal.ts';
import { type Settings, Waypoint } from './waypoint.ts';

type Spec = Readonly<Record<string, unknown>>;

export const SERVICE: Spec = { group: '', kind: 'Service', name: 'app' };
export const ROUTE: Spec = { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'all' };

export interface PolicySetup {
  /** Endpoints of the Service `app`. */
  readonly backends?: number;
  readonly script?: Script;
  /** Further fields of the only rule. */
  readonly rule?: Spec;
  /** In place of the only rule: each is a route of its own, named `all-0` and so on. */
  readonly rules?: readonly Spec[];
  /** `spec` of a TrafficPolicy on the Service, without its targetRefs. */
  readonly policy?: Spec;
  readonly objects?: readonly Manifest[];
  /** Ports of endpoints beside the backends: nobody need listen there. */
  readonly dead?: readonly number[];
  readonly settings?: Settings;
}

export function trafficPolicy(name: string, target: Spec, spec: Spec): Manifest {
  const metadata = { name, namespace: 'default' };
  return {
    apiVersion: 'waypoint.dev/v1alpha1',
    kind: 'TrafficPolicy',
    metadata,
    spec: { targetRefs: [target], ...spec },
  };
}

export class PolicyWorld {
  readonly waypoint: Waypoint;
  readonly backends: readonly ScriptedBackend[];
  readonly port: number;
  #rule: Spec;
  #calls = 0;

  private constructor(waypoint: Waypoint, backends: readonly ScriptedBackend[], port: number, rule: Spec) {
    this.waypoint = waypoint;
    this.backends = backends;
    this.port = port;
    this.#rule = rule;
  }

  static async start(setup: PolicySetup = {}): Promise<PolicyWorld> {
    const { backends: count = 1, script = echo, rule = {}, rules, policy, objects = [], dead = [], settings } = setup;
    const backends: ScriptedBackend[] = [];
    for (let i = 0; i < count; i++) backends.push(await ScriptedBackend.start(script, `backend ${i}`));
    const port = await freePort();
    const waypoint = await Waypoint.start(
      {
        'gateway.yaml': [gatewayClass(), gateway('edge', [{ port }]), ...objects],
        'route.yaml': rules?.map((each, i) => routeOf(each, `all-${i}`)) ?? [routeOf(rule)],
        'service.yaml': service({ name: 'app', endpoints: [...backends.map((one) => one.port), ...dead] }),
        ...(policy === undefined ? {} : { 'policy.yaml': [trafficPolicy('policy', SERVICE, policy)] }),
      },
      settings,
    );
    return new PolicyWorld(waypoint, backends, port, rule);
  }

  /** Puts this policy on the Service in place of the one before; null: none. */
  async policy(spec: Spec | null): Promise<void> {
    await this.waypoint.apply('policy.yaml', spec === null ? [] : [trafficPolicy('policy', SERVICE, spec)]);
  }

  /** Replaces the further fields of the rule. */
  async rule(rule: Spec): Promise<void> {
    if (JSON.stringify(rule) === JSON.stringify(this.#rule)) return;
    this.#rule = rule;
    await this.waypoint.apply('route.yaml', [routeOf(rule)]);
  }

  /** Replaces the endpoints of the Service, each with what an EndpointSlice says of it. */
  async endpoints(list: readonly (Spec & { readonly port: number })[]): Promise<void> {
    await this.waypoint.apply('service.yaml', endpointsOf(list));
  }

  /** Every backend answers like this from now on. */
  script(script: Script): void {
    for (const backend of this.backends) backend.script = script;
  }

  get backend(): ScriptedBackend {
    return this.backends[0] as ScriptedBackend;
  }

  async call(request: Call = {}): Promise<Answered> {
    return call(this.port, request);
  }

  /** One request with its entry in the access log. */
  async logged(request: Call = {}): Promise<{ readonly answer: Answered; readonly entry: LogEntry }> {
    const id = `policy-${process.pid}-${++this.#calls}`;
    const answer = await this.call({ ...request, fields: [['x-request-id', id], ...(request.fields ?? [])] });
    return { answer, entry: await this.waypoint.log.findOne((entry) => entry['id'] === id) };
  }

  /** How many requests arrived at each backend. */
  get arrived(): number[] {
    return this.backends.map((backend) => backend.requests.length);
  }

  /** Sum of a counter over its series whose labels match. */
  async metric(name: string, labels: RegExp = /(?:)/): Promise<number> {
    const { body } = await this.waypoint.admin('/metrics');
    let sum = 0;
    for (const [, found = '', value] of body.matchAll(new RegExp(`^${name}(\\{[^}]*\\})? (\\S+)$`, 'gm'))) {
      if (labels.test(found)) sum += Number(value);
    }
    return sum;
  }

  /** The endpoints page, by port of the endpoint; of several workers, one entry for each. */
  async reports(port: number): Promise<readonly Record<string, unknown>[]> {
    const { body } = await this.waypoint.admin('/endpoints');
    const found: Record<string, unknown>[] = [];
    const walk = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      if ((value as Record<string, unknown>)['port'] === port) found.push(value as Record<string, unknown>);
      for (const member of Object.values(value)) walk(member);
    };
    walk(JSON.parse(body));
    return found;
  }

  /** Waits until at least this many requests arrived at all backends together. */
  async untilArrived(count: number): Promise<void> {
    await eventually(() => this.arrived.reduce((sum, each) => sum + each, 0) >= count, `${count} requests upstream`);
  }

  async close(): Promise<void> {
    await this.waypoint.close();
    for (const backend of this.backends) await backend.close();
  }
}

function routeOf(rule: Spec, name: string = 'all'): Manifest {
  return route({ name, parents: ['edge'], rules: [{ backendRefs: [backendRef('app')], ...rule }] });
}

function endpointsOf(list: readonly (Spec & { readonly port: number })[]): Manifest[] {
  const [object] = service({ name: 'app', endpoints: [] });
  return [
    object as Manifest,
    ...list.map(({ port, ...more }, i) =>
      endpointSlice(`app-${i}`, 'app', 'default', {
        ports: [{ name: 'p0', port }],
        endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true }, ...more }],
      }),
    ),
  ];
}
