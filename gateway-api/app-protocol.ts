// What a Service port's appProtocol says about the bytes behind it, and which of that can be forwarded.

/** null: something that is not forwarded as HTTP/1.1. */
export function forwardedAs(appProtocol: string | undefined): 'http' | 'ws' | null {
  switch (appProtocol?.toLowerCase() ?? '') {
    case '':
    case 'http':
      return 'http';
    case 'kubernetes.io/ws':
      return 'ws';
    default:
      return null;
  }
}

/** The same behind a TLS handshake, which a BackendTLSPolicy has to describe. */
export function forwardedInTls(appProtocol: string | undefined): 'http' | 'ws' | null {
  switch (appProtocol?.toLowerCase()) {
    case 'https':
      return 'http';
    case 'kubernetes.io/wss':
      return 'ws';
    default:
      return forwardedAs(appProtocol);
  }
}

const GRPC: ReadonlySet<string> = new Set(['', 'http', 'http2', 'h2c', 'grpc', 'kubernetes.io/h2c']);

/** Whether a service that we call ourselves may speak gRPC there: everything but what says that it is something else. */
export function carriesGrpc(appProtocol: string | undefined): boolean {
  return GRPC.has(appProtocol?.toLowerCase() ?? '');
}
