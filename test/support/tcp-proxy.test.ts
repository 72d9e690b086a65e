import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { until } from './redis.ts';
import { flap, MAX_HELD_BYTES, startTcpProxy } from './tcp-proxy.ts';

/** A server that sends everything back, and counts what it got. */
async function echo() {
  const got = { bytes: 0, connections: 0, ends: 0 };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    got.connections++;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => got.ends++);
    socket.on('data', (bytes: Buffer) => {
      got.bytes += bytes.length;
      socket.write(bytes);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const seen: string[] = [];
  const proxy = await startTcpProxy({
    serverPort: (server.address() as { port: number }).port,
    onBytes: (towards, bytes) => seen.push(`${towards} ${bytes.length}`),
  });
  onTestFinished(async () => {
    await proxy.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { proxy, got, seen };
}

function client(port: number) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const state = { text: '', ended: '' };
  socket.on('data', (bytes: Buffer) => {
    state.text += bytes.toString('latin1');
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    state.ended = error.code ?? 'error';
  });
  socket.once('close', () => {
    state.ended ||= 'closed';
  });
  onTestFinished(() => void socket.destroy());
  return { socket, state, says: (text: string) => until(async () => state.text === text, text) };
}

it('passes everything both ways, and the end of either stream', async () => {
  const { proxy, got, seen } = await echo();
  const { socket, says, state } = client(proxy.port);
  socket.write('hello');
  await says('hello');
  expect(seen).toEqual(['server 5', 'client 5']);
  socket.end();
  await until(async () => got.ends === 1 && state.ended === 'closed', 'both ends');
  expect(proxy.acceptedMs.length).toBe(1);
});

it('slow: each way takes as long as said, in order', async () => {
  const { proxy } = await echo();
  proxy.link('pass', 150);
  const { socket, says } = client(proxy.port);
  const beganMs = performance.now();
  for (const letter of 'abc') socket.write(letter);
  await says('abc');
  expect(performance.now() - beganMs).toBeGreaterThanOrEqual(299);
});

it.each([
  { link: 'hold', arrived: 0, back: '' },
  { link: 'hold-to-server', arrived: 0, back: '' },
  { link: 'hold-to-client', arrived: 5, back: '' },
] as const)('$link: what is held comes late, and whole', async ({ link, arrived, back }) => {
  const { proxy, got } = await echo();
  const { socket, says, state } = client(proxy.port);
  socket.write('first');
  await says('first');
  state.text = '';
  proxy.link(link);
  socket.write('later');
  await sleep(100);
  expect([got.bytes - 5, state.text]).toEqual([arrived, back]);
  proxy.link('pass');
  await says('later');
});

it('holds a bounded amount, however much is sent', async () => {
  const { proxy, got } = await echo();
  const { socket } = client(proxy.port);
  socket.write('x');
  await until(async () => got.bytes === 1);
  proxy.link('hold');
  const total = 64 * 1024 * 1024;
  socket.write(Buffer.alloc(total - 1));
  await until(async () => proxy.heldBytes() >= MAX_HELD_BYTES, 'the bound');
  await sleep(50);
  // The kernel hands over at most 64 KiB at once.
  expect(proxy.heldBytes()).toBeLessThanOrEqual(MAX_HELD_BYTES + 64 * 1024);
  proxy.link('pass');
  await until(async () => got.bytes === total, 'all of it', 20);
});

it('half-open: the server is gone and the client not told, nor are new ones answered, for good', async () => {
  const { proxy, got } = await echo();
  const before = client(proxy.port);
  before.socket.write('first');
  await before.says('first');
  proxy.link('half-open');
  await until(async () => got.ends === 1, "the server's end");
  const during = client(proxy.port);
  for (const { socket } of [before, during]) socket.write('anybody there?');
  await sleep(100);
  proxy.link('pass');
  await sleep(50);
  expect([before.state, during.state]).toEqual([
    { text: 'first', ended: '' },
    { text: '', ended: '' },
  ]);
  expect([got.bytes, got.connections]).toEqual([5, 1]);
  const after = client(proxy.port);
  after.socket.write('again');
  await after.says('again');
});

it('refuse: connections are reset, new ones too; flapping does so in turn', async () => {
  const { proxy } = await echo();
  const before = client(proxy.port);
  before.socket.write('first');
  await before.says('first');
  proxy.link('refuse');
  const during = client(proxy.port);
  await until(async () => before.state.ended !== '' && during.state.ended !== '', 'the resets');
  expect(before.state.ended).toBe('ECONNRESET');
  const stop = flap(proxy, 50);
  const accepted = async () => {
    const { socket, state } = client(proxy.port);
    socket.write('x');
    await until(async () => state.text === 'x' || state.ended !== '');
    return state.text === 'x';
  };
  const outcomes: boolean[] = [];
  await until(async () => {
    outcomes.push(await accepted());
    return outcomes.includes(true) && outcomes.lastIndexOf(false) > outcomes.indexOf(true);
  }, 'both');
  stop();
  expect(await accepted()).toBe(true);
});
