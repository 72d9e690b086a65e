/** A listener of the main thread (admin, metrics): routes on an app of its own. */
import { App, us_listen_socket_close, us_socket_local_port } from 'uWebSockets.js';
import { LIMITS } from '../config.ts';
import { capConnections } from '../ingress/connection-cap.ts';
import { mountRoutes, type ServerOptions } from '../ingress/http-server.ts';
import { listenAlone } from '../ingress/listen.ts';

export interface Listener {
  /** The port it got. */
  readonly port: number;
  close(): void;
}

/** Opens the listener; `undefined` when the address cannot be had. `onFull`: whenever it is, after it had room again. */
export async function openListener(
  host: string,
  port: number,
  options: ServerOptions,
  onFull: () => void,
): Promise<Listener | undefined> {
  const app = App();
  let isFull = false;
  capConnections(app, {
    most: LIMITS.mainListenerConnections,
    onChange: (open, isRefused) => {
      if (isRefused && !isFull) onFull();
      // Half of them gone: told of anew then, and not with every connection that ends and comes again.
      isFull = isRefused || (isFull && open > LIMITS.mainListenerConnections / 2);
    },
  });
  const server = mountRoutes(app, options);
  const socket = await listenAlone(app, host, port);
  const close = (): void => {
    if (socket !== undefined) us_listen_socket_close(socket);
    server.stop();
    app.close();
  };
  if (socket === undefined) {
    close();
    return undefined;
  }
  return { port: us_socket_local_port(socket), close };
}
