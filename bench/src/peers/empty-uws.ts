/**
 * The peer that does nothing: a uWebSockets.js server that reads each body and sends a small fixed reply. Its
 * rate is the ceiling for any gateway on this transport, so single calls are given as a share of it. Runs as
 * a process of its own: `empty-uws.ts PORT`; SIGTERM ends it.
 */
import { App } from 'uWebSockets.js';

const REPLY = '{"verdict":"none","reason":"empty handler"}';

const port = Number(process.argv[2]);
const app = App();

app.post('/*', (res) => {
  let bytes = 0;
  let aborted = false;
  res.onAborted(() => {
    aborted = true;
  });
  res.onData((chunk, isLast) => {
    bytes += chunk.byteLength;
    if (!isLast || aborted) return;
    res.cork(() => res.writeHeader('content-type', 'application/json').end(bytes > 0 ? REPLY : ''));
  });
});

app.listen('127.0.0.1', port, (socket) => {
  if (!socket) {
    console.error(`empty-uws: port ${port} is taken`);
    process.exitCode = 1;
    return;
  }
  console.log(`empty-uws is ready: http://127.0.0.1:${port}`);
  process.on('SIGTERM', () => app.close());
});
