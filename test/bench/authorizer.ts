// An external authorizer that consents to everything, over gRPC: node authorizer.ts PORT.

import { createServer, type ServerHttp2Stream } from 'node:http2';

/** A CheckResponse without a field says OK; five bytes of gRPC framing stand before its none. */
const CONSENT = Buffer.alloc(5);

const server = createServer();
server.on('stream', (stream: ServerHttp2Stream) => {
  stream.on('error', () => {});
  stream.on('data', () => {});
  stream.on('end', () => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(CONSENT);
  });
});
server.listen(Number(process.argv[2]), '127.0.0.1');
