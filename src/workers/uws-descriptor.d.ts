/** Members that the binary has and its typings omit: one app accepting connections for others. */
import 'uWebSockets.js';

declare module 'uWebSockets.js' {
  interface TemplatedApp {
    getDescriptor(): unknown;
    addChildAppDescriptor(descriptor: unknown): TemplatedApp;
  }
}
