/** An app of the parser on a free port of this machine. */
import { type TemplatedApp, us_listen_socket_close, us_socket_local_port } from 'uWebSockets.js';
import { listenAlone } from '../../src/ingress/listen.ts';

export interface Listening {
  readonly port: number;
  /** Takes no more connections, and closes those there are. */
  stop(): void;
}

export async function listening(app: TemplatedApp): Promise<Listening> {
  const socket = await listenAlone(app, '127.0.0.1', 0);
  if (socket === undefined) throw new Error('no port');
  const stop = (): void => {
    us_listen_socket_close(socket);
    app.close();
  };
  return { port: us_socket_local_port(socket), stop };
}
