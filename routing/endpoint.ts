// One address that serves a backend, with the live state that outlives every configuration that names it.

/** What discovery says of an endpoint; plain data. */
export interface EndpointData {
  readonly address: string;
  readonly port: number;
  readonly name: string | null;
  readonly zone: string | null;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
}

export class Endpoint implements EndpointData {
  /** `address:port`, IPv6 in brackets: what makes it the same endpoint. */
  readonly id: string;
  readonly address: string;
  readonly port: number;
  name: string | null;
  zone: string | null;
  ready: boolean;
  serving: boolean;
  terminating: boolean;
  /** Tries under way now. */
  inFlight = 0;
  /** Tries begun, and those that failed, since it appeared. */
  requests = 0;
  failures = 0;
  /** No longer in its backend: what is under way finishes, its connections are not kept. */
  removed = false;
  /** Belongs to whoever connects to it: its idle connections. */
  slot: unknown = null;

  constructor(data: EndpointData) {
    this.id = endpointId(data);
    this.address = data.address;
    this.port = data.port;
    this.name = data.name;
    this.zone = data.zone;
    this.ready = data.ready;
    this.serving = data.serving;
    this.terminating = data.terminating;
  }

  /** Takes over what discovery says now; the live state stays. */
  describe(data: EndpointData): void {
    this.name = data.name;
    this.zone = data.zone;
    this.ready = data.ready;
    this.serving = data.serving;
    this.terminating = data.terminating;
  }
}

export function endpointId(data: EndpointData): string {
  return data.address.includes(':') ? `[${data.address}]:${data.port}` : `${data.address}:${data.port}`;
}
