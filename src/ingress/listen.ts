/**
 * Takes a port for this process alone. The parser shares ports by default (SO_REUSEPORT): a second gateway would
 * start without a word and get half of the connections, its own list of revocations behind them.
 */
import { LIBUS_LISTEN_EXCLUSIVE_PORT, type TemplatedApp, type us_listen_socket } from 'uWebSockets.js';

/** `undefined` when the address cannot be had. */
export function listenAlone(
  app: TemplatedApp,
  host: string,
  port: number,
): Promise<us_listen_socket | undefined> {
  return new Promise((resolve) => {
    app.listen(host, port, LIBUS_LISTEN_EXCLUSIVE_PORT, (socket) => resolve(socket || undefined));
  });
}
