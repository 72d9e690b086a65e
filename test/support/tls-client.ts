/** Connections to a listener that speaks TLS: those that do it well, and those that do not. */
import { once } from 'node:events';
import { type AddressInfo, connect as connectPlain, createServer } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { Gateway } from './gateway.ts';

/** Whatever it sends, without TLS; resolves when the gateway has closed, or when we have. */
export function hurl(
  gateway: Pick<Gateway, 'dataPort'>,
  bytes: string | Uint8Array,
  leaveAfterMs?: number,
): Promise<void> {
  return new Promise((resolve) => {
    const socket = connectPlain(gateway.dataPort, '127.0.0.1', () => socket.write(bytes));
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    socket.resume();
    if (leaveAfterMs !== undefined) setTimeout(() => socket.resetAndDestroy(), leaveAfterMs);
  });
}

/** A connection that stays, and what TLS itself said. */
export async function stay(
  gateway: Pick<Gateway, 'dataPort'>,
  options: ConnectionOptions,
): Promise<TLSSocket> {
  const socket = connect({ port: gateway.dataPort, host: '127.0.0.1', ...options });
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
}

/** What a real client begins with. */
export async function clientHello(): Promise<Buffer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = connect({ port, host: '127.0.0.1' });
  client.on('error', () => {});
  const [socket] = await once(server, 'connection');
  const [hello] = await once(socket, 'data');
  socket.destroy();
  server.close();
  return hello;
}
