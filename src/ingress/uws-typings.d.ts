/** What the binary has and its typings omit: one app accepting for others, and ports taken for oneself. */
import 'uWebSockets.js';

declare module 'uWebSockets.js' {
  interface TemplatedApp {
    getDescriptor(): unknown;
    addChildAppDescriptor(descriptor: unknown): TemplatedApp;
    removeChildAppDescriptor(descriptor: unknown): TemplatedApp;
    listen(
      host: RecognizedString,
      port: number,
      options: ListenOptions,
      done: (listenSocket: us_listen_socket | false) => void,
    ): TemplatedApp;
  }

  interface HttpResponse {
    /** The certificate that the peer has shown and the parser has checked (PEM); empty without one, or without TLS. */
    getX509Certificate(): string;
  }

  /** The typings put it into an enum that the module does not export. */
  export const LIBUS_LISTEN_EXCLUSIVE_PORT: ListenOptions;
}
