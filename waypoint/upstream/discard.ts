// Takes what is left of a response that nobody wants, so that its connection may serve again; not much of it.

import type { UpstreamConnection, UpstreamOwner } from './connection.ts';

/** More than this is cheaper to cut off. */
const DISCARD_BYTES = 65_536;

export class Discard implements UpstreamOwner {
  readonly client: null = null;
  #bytes = 0;

  onUpstreamReady(): void {}

  onShadow(): void {}

  onInterim(): void {}

  onResponseHead(): void {}

  onResponseData(connection: UpstreamConnection, data: Buffer): void {
    this.#bytes += data.length;
    if (this.#bytes > DISCARD_BYTES) connection.abandon();
  }

  onUpstreamEnd(): void {}

  onUpgraded(connection: UpstreamConnection): void {
    connection.abandon();
  }

  onTunnelData(): void {}

  onTunnelEnd(): void {}

  onTunnelClosed(): void {}

  onUpstreamDrain(): void {}

  onUpstreamFailure(): void {}
}
