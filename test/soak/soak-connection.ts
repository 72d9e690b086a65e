/** A connection of a soak: written to in whole batches of requests, its answers judged as they come. */
import { connect, type Socket } from 'node:net';
import type { Ask } from './requests.ts';

/** What came of the requests, by the time that all have ended. */
export interface Tally {
  /** Begun: at least a part of each was sent. */
  sent: number;
  right: number;
  /** Refused for want of capacity, as they may be. */
  refused: number;
  /** Left by their client before their end. */
  aborted: number;
  /**
   * The server closed the connection on pipelined requests, as it does behind one that has to wait, or on what came in pieces
   * behind a refusal.
   */
  closed: number;
  readonly wrong: string[];
}

/** A fault found is enough; a thousand of them tell no more. */
const MOST_WRONG = 20;

interface Awaited {
  readonly asks: readonly Ask[];
  next: number;
  /** Called once: all answered, or the connection is closed. */
  done(): void;
}

export class Connection {
  private text = '';
  private awaited: Awaited | undefined;
  private isClosed = false;
  /** Of what is asked now something was refused. */
  private isRefused = false;
  /** And of what was asked before, perhaps before its body had been sent: what comes then is in pieces that nobody chose. */
  private isBehindRefusal = false;
  /** The parser's 505 to a first line in two pieces came, behind a refusal, and the connection will be closed. */
  private isCutOff = false;
  private readonly socket: Socket;
  private readonly tally: Tally;

  private constructor(socket: Socket, tally: Tally) {
    this.socket = socket;
    this.tally = tally;
    socket.on('data', (chunk: Buffer) => this.take(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
      this.awaited?.done();
    });
  }

  static async from(localAddress: string, port: number, tally: Tally): Promise<Connection> {
    const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new Connection(socket, tally);
  }

  get closed(): boolean {
    return this.isClosed;
  }

  /** Sends the pieces one by one, and resolves when every one of the asks in them is answered. */
  async ask(asks: readonly Ask[], pieces: readonly Buffer[]): Promise<void> {
    this.tally.sent += asks.length;
    this.isBehindRefusal = this.isRefused;
    this.isRefused = false;
    const answered = this.answersTo(asks);
    for (const [i, piece] of pieces.entries()) {
      this.socket.write(piece);
      if (i + 1 < pieces.length) await new Promise(setImmediate);
    }
    await answered;
    const { next } = this.awaited as Awaited;
    this.awaited = undefined;
    if (next === asks.length) return;
    if (asks.length === 1 && !this.isCutOff) this.fault('closed without an answer', asks[0] as Ask);
    else this.tally.closed += asks.length - next;
  }

  /**
   * Sends what there is of the requests and leaves: at once, when it is with the kernel, after a moment, or when the first
   * bytes of an answer come. `reset`: with a reset in place of an orderly end.
   */
  async abort(
    asks: readonly Ask[],
    bytes: Buffer,
    when: 'now' | 'written' | 'later' | 'answering',
    reset: boolean,
  ) {
    this.tally.sent += asks.length;
    this.tally.aborted += asks.length;
    this.socket.removeAllListeners('data');
    const closed = new Promise((resolve) => this.socket.once('close', resolve));
    const leave = (): void => void (reset ? this.socket.resetAndDestroy() : this.socket.destroy());
    if (when === 'answering') this.socket.once('data', leave);
    this.socket.write(bytes, () => {
      if (when === 'written') leave();
      if (when === 'later') setTimeout(leave, 2);
    });
    if (when === 'now') leave();
    await closed;
  }

  leave(): void {
    this.socket.destroy();
  }

  private answersTo(asks: readonly Ask[]): Promise<void> {
    return new Promise((done) => {
      this.awaited = { asks, next: 0, done };
      if (this.isClosed) done();
    });
  }

  private take(chunk: Buffer): void {
    this.text += chunk.toString('latin1');
    let at = 0;
    for (;;) {
      const headEnd = this.text.indexOf('\r\n\r\n', at);
      if (headEnd < 0) break;
      const length = Number(/content-length: (\d+)/i.exec(this.text.slice(at, headEnd))?.[1] ?? Number.NaN);
      const end = headEnd + 4 + length;
      // Without a length nobody knows where it ends: none of ours is.
      if (Number.isNaN(end)) {
        this.isCutOff = this.isBehindRefusal && this.text.startsWith('HTTP/1.1 505 ', at);
        if (!this.isCutOff) this.fault(this.text.slice(at, headEnd));
        break;
      }
      if (end > this.text.length) break;
      this.judge(Number(this.text.slice(at + 9, at + 12)), this.text.slice(headEnd + 4, end));
      at = end;
    }
    if (at > 0) this.text = this.text.slice(at);
  }

  private judge(status: number, body: string): void {
    const { awaited, tally } = this;
    const ask = awaited?.asks[awaited.next];
    if (awaited === undefined || ask === undefined) {
      this.fault(`an answer to nothing: ${status}`);
      return;
    }
    if (ask.isRight(status, body)) tally.right++;
    else if (status === 503 && body.includes('"type":"overloaded"')) {
      tally.refused++;
      this.isRefused = true;
    } else this.fault(`${status} ${body.slice(0, 300)}`, ask);
    awaited.next++;
    if (awaited.next === awaited.asks.length) awaited.done();
  }

  private fault(what: string, ask?: Ask): void {
    if (this.tally.wrong.length < MOST_WRONG) this.tally.wrong.push(`${ask?.name ?? ''}: ${what}`);
  }
}
