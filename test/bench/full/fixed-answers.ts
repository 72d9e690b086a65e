/** A server with one answer for everybody, after so long: what the open-loop generator is tried on. Closed when the test ends. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** Its port. */
export async function startFixedAnswers(status: number, body: string, afterMs = 0): Promise<number> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      // The generator reads the one spelling that the gateway writes.
      setTimeout(
        () => response.writeHead(status, ['Content-Length', String(body.length)]).end(body),
        afterMs,
      );
    });
  }).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
