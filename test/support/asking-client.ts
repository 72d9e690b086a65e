/** A connection that is asked one request after the other, from an address of this machine's own network. */
import { connect, type Socket } from 'node:net';
import { until } from './call.ts';
import { head, parseAnswers, type RawAnswer } from './raw-http.ts';

/** A whole request as it goes over the wire. */
export function post(path: string, body: string, ...more: string[]): string {
  return (
    head(
      `POST ${path} HTTP/1.1`,
      'Host: test',
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...more,
    ) + body
  );
}

export class AskingClient {
  private text = '';
  private readonly socket: Socket;
  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1');
    });
    socket.on('error', () => {});
  }

  static async from(localAddress: string, port: number): Promise<AskingClient> {
    const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new AskingClient(socket);
  }

  async ask(request: string): Promise<RawAnswer> {
    this.text = '';
    this.socket.write(request);
    await until(() => parseAnswers(this.text).length > 0 || this.socket.destroyed);
    const [answer] = parseAnswers(this.text);
    if (answer === undefined) throw new Error('the connection was closed');
    return answer;
  }

  isClosed(): boolean {
    return this.socket.destroyed;
  }

  leave(): void {
    this.socket.destroy();
  }
}
