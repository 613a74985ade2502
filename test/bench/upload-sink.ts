// A server that reads each request's body to the end and answers `ok`: node upload-sink.ts PORT.

import { createServer } from 'node:http';

const server = createServer((request, response) => {
  request.on('end', () => response.end('ok'));
  request.resume();
});
server.keepAliveTimeout = 0;
server.listen(Number(process.argv[2]), '127.0.0.1');
