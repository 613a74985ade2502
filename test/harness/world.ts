// The smallest world that serves: one Gateway port, one route for everything, one Service, one scripted backend.

import { backendRef, gateway, gatewayClass, type Manifest, route, service } from './manifests.ts';
import { freePort } from './ports.ts';
import { echo, type Script, ScriptedBackend } from './scripted-backend.ts';
import { type Settings, Waypoint } from './waypoint.ts';

export class World {
  readonly waypoint: Waypoint;
  readonly backend: ScriptedBackend;
  readonly port: number;

  private constructor(waypoint: Waypoint, backend: ScriptedBackend, port: number) {
    this.waypoint = waypoint;
    this.backend = backend;
    this.port = port;
  }

  static async start(script: Script = echo, settings: Settings = {}, extra: readonly Manifest[] = []): Promise<World> {
    const backend = await ScriptedBackend.start(script);
    const port = await freePort();
    const objects = [
      gatewayClass(),
      gateway('edge', [{ port }]),
      route({ name: 'all', parents: ['edge'], rules: [{ backendRefs: [backendRef('app')] }] }),
      ...service({ name: 'app', endpoints: [backend.port] }),
      ...extra,
    ];
    const waypoint = await Waypoint.start({ 'world.yaml': objects }, settings);
    return new World(waypoint, backend, port);
  }

  async close(): Promise<void> {
    await this.waypoint.close();
    await this.backend.close();
  }
}
