/** A listener of the main thread (admin, metrics): routes on an app of its own. */
import { App, us_listen_socket_close, us_socket_local_port } from 'uWebSockets.js';
import { mountRoutes, type ServerOptions } from '../ingress/http-server.ts';
import { listenAlone } from '../ingress/listen.ts';

export interface Listener {
  /** The port it got. */
  readonly port: number;
  close(): void;
}

/** Opens the listener; `undefined` when the address cannot be had. */
export async function openListener(
  host: string,
  port: number,
  options: ServerOptions,
): Promise<Listener | undefined> {
  const app = App();
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
