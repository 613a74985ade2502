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
