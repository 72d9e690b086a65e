/**
 * Takes connections and hands each to the next thread in turn. A thread must be out of turn before it is gone: what is
 * handed to it afterwards would be written into memory that is no longer its own.
 */
import { type us_listen_socket, us_listen_socket_close, us_socket_local_port } from 'uWebSockets.js';
import { listenAlone } from '../ingress/listen.ts';
import { openApp, type TlsFiles } from '../ingress/open-app.ts';

export interface Acceptor {
  /** The thread with this app gets connections from now on. Without any thread, connections are closed at their first request. */
  add(descriptor: unknown): void;
  remove(descriptor: unknown): void;
  has(descriptor: unknown): boolean;
  /** Threads in turn. */
  size(): number;
  /** The port it got, or `undefined` when it is taken. */
  listen(host: string, port: number): Promise<number | undefined>;
  /** As long as it is known, and also when no more connections are taken. */
  port(): number | undefined;
  stopListening(): void;
  close(): void;
}

/** `files`: those of the threads, so that its app is of the kind of theirs. */
export function createAcceptor(files: TlsFiles, onChange: (size: number) => void): Acceptor {
  const app = openApp(files);
  // What was accepted while no thread was in turn stays with this app; by default it would answer 404, and keep the connection.
  app.any('/*', (response) => {
    response.close();
  });
  const inTurn = new Set<unknown>();
  let listenSocket: us_listen_socket | undefined;
  let port: number | undefined;
  const stopListening = (): void => {
    if (listenSocket !== undefined) us_listen_socket_close(listenSocket);
    listenSocket = undefined;
  };
  return {
    add: (descriptor) => {
      if (inTurn.has(descriptor)) return;
      inTurn.add(descriptor);
      app.addChildAppDescriptor(descriptor);
      onChange(inTurn.size);
    },
    remove: (descriptor) => {
      if (!inTurn.delete(descriptor)) return;
      app.removeChildAppDescriptor(descriptor);
      onChange(inTurn.size);
    },
    has: (descriptor) => inTurn.has(descriptor),
    size: () => inTurn.size,
    listen: async (host, wanted) => {
      listenSocket = await listenAlone(app, host, wanted);
      port = listenSocket && us_socket_local_port(listenSocket);
      return port;
    },
    port: () => port,
    stopListening,
    close: () => {
      stopListening();
      app.close();
    },
  };
}
