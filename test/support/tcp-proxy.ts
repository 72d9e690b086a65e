/**
 * A TCP proxy for what a network does to a connection without ending it: slow, silent, one-way, half-open, cut.
 * As on a real network, bytes on their way are late or lost with their connection, never lost on one that goes on:
 * a direction that is held delivers everything, in order, once it is let go.
 */
import { once } from 'node:events';
import { createServer, connect as dial, type Socket } from 'node:net';

/**
 * - `pass`: everything goes through, each way after `delayMs`.
 * - `hold`, `hold-to-server`, `hold-to-client`: a partition, both ways or one; connections still open.
 * - `half-open`: the server's end of each connection is gone and the client is not told; new ones are accepted and
 *   lead nowhere, for good.
 * - `refuse`: connections are reset, and new ones at once.
 */
export type Link = 'pass' | 'hold' | 'hold-to-server' | 'hold-to-client' | 'half-open' | 'refuse';

export interface TcpProxy {
  readonly port: number;
  /** When each connection was accepted, on the clock of `performance.now()`. */
  readonly acceptedMs: readonly number[];
  /** Applies to connections there are and to come. */
  link(state: Link, delayMs?: number): void;
  /** Where connections to come lead, as a name does that always leads to the primary. */
  pointTo(serverPort: number): void;
  /** Bytes read and not yet written on; bounded for each connection and direction. */
  heldBytes(): number;
  close(): Promise<void>;
}

export interface TcpProxyOptions {
  readonly serverPort: number;
  /** Told of bytes as they come in, by connection; a state of the link set here applies to them already. */
  onBytes?(towards: Towards, bytes: Buffer, connection: number): void;
}

type Towards = 'server' | 'client';

/** Beyond this a direction is not read from, so that its sender feels it. */
export const MAX_HELD_BYTES = 256 * 1024;

interface Gate {
  isHeld: boolean;
  delayMs: number;
}

interface Direction {
  pump(): void;
  heldBytes(): number;
  /** Nothing is delivered any more. */
  abandon(): void;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket | undefined;
  readonly directions: readonly Direction[];
}

export async function startTcpProxy({ onBytes, ...options }: TcpProxyOptions): Promise<TcpProxy> {
  let { serverPort } = options;
  const gates: Record<Towards, Gate> = {
    server: { isHeld: false, delayMs: 0 },
    client: { isHeld: false, delayMs: 0 },
  };
  const pairs = new Set<Pair>();
  const acceptedMs: number[] = [];
  let state: Link = 'pass';

  const accept = (client: Socket): void => {
    acceptedMs.push(performance.now());
    // Resets are this proxy's daily bread; `close` follows each.
    client.on('error', () => {});
    client.setNoDelay(true);
    if (state === 'refuse') return void client.resetAndDestroy();
    const connection = acceptedMs.length;
    const pair = openPair({
      client,
      serverPort: state === 'half-open' ? undefined : serverPort,
      gates,
      tell: (towards, bytes) => onBytes?.(towards, bytes, connection),
    });
    const { server } = pair;
    pairs.add(pair);
    const forget = () => {
      // While one end is there, what is held has to reach it first.
      if (client.destroyed && server?.destroyed !== false) pairs.delete(pair);
    };
    client.once('close', forget);
    server?.once('close', forget);
  };
  const listener = createServer({ allowHalfOpen: true }, accept).listen(0, '127.0.0.1');
  await once(listener, 'listening');

  const cutAll = (): void => {
    for (const { client, server } of pairs) {
      client.resetAndDestroy();
      server?.resetAndDestroy();
    }
    pairs.clear();
  };
  return {
    port: (listener.address() as { port: number }).port,
    acceptedMs,
    link: (next, delayMs = 0) => {
      state = next;
      gates.server.isHeld = next === 'hold' || next === 'hold-to-server';
      gates.client.isHeld = next === 'hold' || next === 'hold-to-client';
      for (const gate of Object.values(gates)) gate.delayMs = delayMs;
      if (next === 'refuse') cutAll();
      if (next === 'half-open') abandonServers(pairs);
      for (const { directions } of pairs) for (const direction of directions) direction.pump();
    },
    pointTo: (port) => {
      serverPort = port;
    },
    heldBytes: () =>
      [...pairs]
        .flatMap(({ directions }) => directions.map((direction) => direction.heldBytes()))
        .reduce((sum, bytes) => sum + bytes, 0),
    close: async () => {
      cutAll();
      listener.close();
      await once(listener, 'close');
    },
  };
}

interface PairOptions {
  readonly client: Socket;
  /** `undefined`: it leads nowhere. */
  readonly serverPort: number | undefined;
  readonly gates: Readonly<Record<Towards, Gate>>;
  tell(towards: Towards, bytes: Buffer): void;
}

function openPair({ client, serverPort, gates, tell }: PairOptions): Pair {
  if (serverPort === undefined) {
    // What is sent into nowhere is read all the same: its sender's end is noticed only so.
    client.resume().once('end', () => client.destroy());
    return { client, server: undefined, directions: [] };
  }
  const server = dial({ port: serverPort, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  server.on('error', () => {});
  const directions = [
    forward(client, server, gates.server, (bytes) => tell('server', bytes)),
    forward(server, client, gates.client, (bytes) => tell('client', bytes)),
  ];
  return { client, server, directions };
}

/** Ends the servers' ends by a reset; the clients' stay open, silent for ever. */
function abandonServers(pairs: Set<Pair>): void {
  for (const pair of [...pairs]) {
    const { client, server, directions } = pair;
    for (const direction of directions) direction.abandon();
    server?.resetAndDestroy();
    pairs.delete(pair);
    const silent: Pair = { client, server: undefined, directions: [] };
    pairs.add(silent);
    client.once('end', () => client.destroy());
    client.once('close', () => pairs.delete(silent));
  }
}

/** One direction of one connection: in order, late by the gate's delay, not while it is held. */
function forward(from: Socket, to: Socket, gate: Gate, tell: (bytes: Buffer) => void): Direction {
  /** `undefined` stands for the end of the stream. */
  const queue: { readonly bytes: Buffer | undefined; readonly dueMs: number }[] = [];
  let heldBytes = 0;
  let isAbandoned = false;
  let timer: NodeJS.Timeout | undefined;
  const pump = (): void => {
    clearTimeout(timer);
    while (!gate.isHeld && !to.writableNeedDrain) {
      const [next] = queue;
      if (next === undefined) break;
      const waitMs = next.dueMs - performance.now();
      if (waitMs > 0) {
        timer = setTimeout(pump, waitMs);
        break;
      }
      queue.shift();
      heldBytes -= next.bytes?.length ?? 0;
      if (next.bytes === undefined) to.end();
      else to.write(next.bytes);
    }
    if (heldBytes < MAX_HELD_BYTES) from.resume();
    else from.pause();
  };
  const enqueue = (bytes: Buffer | undefined): void => {
    if (isAbandoned) return;
    queue.push({ bytes, dueMs: performance.now() + gate.delayMs });
    heldBytes += bytes?.length ?? 0;
    pump();
  };
  from.on('data', (bytes: Buffer) => {
    tell(bytes);
    enqueue(bytes);
  });
  from.once('end', () => enqueue(undefined));
  // A reset ends the other side's stream too, as late as everything before it.
  from.once('close', (hadError) => {
    if (hadError) enqueue(undefined);
  });
  to.on('drain', pump);
  return {
    pump,
    heldBytes: () => heldBytes,
    abandon: () => {
      isAbandoned = true;
      queue.length = 0;
      heldBytes = 0;
      from.resume();
    },
  };
}

/** Up for `periodMs`, refused for as long, and so on, until the returned function is called: then up. */
export function flap(proxy: TcpProxy, periodMs: number): () => void {
  let isUp = true;
  const timer = setInterval(() => {
    isUp = !isUp;
    proxy.link(isUp ? 'pass' : 'refuse');
  }, periodMs);
  return () => {
    clearInterval(timer);
    proxy.link('pass');
  };
}
