/**
 * What stands behind a gateway that proxies: answers every GET at once, so that the gateway's own work is what is
 * measured. Whoever sees this answer was let through. Runs as a process of its own: `backend-uws.ts PORT`.
 */
import { App } from 'uWebSockets.js';

const port = Number(process.argv[2]);
const app = App();

app.get('/*', (res) => {
  res.writeHeader('content-type', 'application/json').end('{"verdict":"valid"}');
});

app.listen('127.0.0.1', port, (socket) => {
  if (!socket) {
    console.error(`backend-uws: port ${port} is taken`);
    process.exitCode = 1;
    return;
  }
  console.log(`backend-uws is ready: http://127.0.0.1:${port}`);
  process.on('SIGTERM', () => app.close());
});
