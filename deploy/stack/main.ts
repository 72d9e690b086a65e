/**
 * `npm run stack`: the whole deployment from programs of this machine, a minute of load with two faults in it, and
 * what the clients and the alerts saw. Exit codes: 0 verdicts all along and no wrong one, 1 otherwise, 2 called wrongly,
 * 3 not possible here, or interrupted.
 */
import { parseArgs } from 'node:util';
import { makeCards } from './cards.ts';
import { LOAD, play } from './play.ts';
import { requirePrograms } from './programs.mjs';
import { isGood, linesOf, reportOf } from './report.ts';
import { type Stack, startStack } from './stack.ts';

const USAGE = `npm run stack -- [--seconds N] [--json] [--keep]

  --seconds N  how long the load lasts: 30 to 600 (default 60)
  --json       print exactly one JSON document on standard output
  --keep       leave all of it up afterwards, and say where to look, until Ctrl-C
`;

const PROGRAMS = [
  { name: 'haproxy', debianPackage: 'haproxy' },
  { name: 'redis-server', debianPackage: 'redis-server' },
  { name: 'prometheus', debianPackage: 'prometheus' },
];

/** A minute for which an alert waits is a second here: what fires after five minutes fires after five seconds. */
const HURRY = 60;
const CARDS = 2_000;

interface Options {
  readonly seconds: number;
  readonly json: boolean;
  readonly keep: boolean;
}

function readOptions(): Options | undefined {
  try {
    const { values } = parseArgs({
      options: {
        seconds: { type: 'string', default: '60' },
        json: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
      },
    });
    const seconds = /^\d{2,3}$/.test(values.seconds) ? Number(values.seconds) : Number.NaN;
    return seconds >= 30 && seconds <= 600 ? { ...values, seconds } : undefined;
  } catch {
    return undefined;
  }
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) {
    process.stderr.write(USAGE);
    return 2;
  }
  const say = (line: string): void => {
    if (!options.json) process.stdout.write(`${line}\n`);
  };
  // Ctrl-C ends all of it in order, whether or not it is up by then.
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort());
  const { signal } = interruption;
  let stack: Stack;
  const cards = makeCards(CARDS);
  try {
    await requirePrograms(PROGRAMS, 'The stack');
    say(
      'Two gateways, HAProxy, Redis (primary, replica, three sentinels), Prometheus: starting on free ports',
    );
    stack = await startStack({ trustList: cards.trustList, hurry: HURRY, signal });
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return 3;
  }
  const interrupted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
  });
  try {
    say(
      `${LOAD.singlesPerSecond} single calls and ${LOAD.batchesPerSecond} batches of ${LOAD.batchItems} a second for ${options.seconds} s, one revocation each ${LOAD.revocationGapMs} ms.`,
    );
    say(
      `Prometheus asks each second, and alerts wait for 1/${HURRY} of their time, so that a minute shows them.`,
    );
    const playing = play(stack, cards, options.seconds, (atMs, what) =>
      say(`${(atMs / 1_000).toFixed(1).padStart(6)} s  ${what}`),
    );
    // Interrupted, it fails once the stack is gone: that is no failure of its own.
    playing.catch(() => {});
    const played = await Promise.race([playing, interrupted.then(() => undefined)]);
    if (played === undefined) return 3;
    const report = reportOf(played);
    if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
    else for (const line of linesOf(report)) say(line);
    if (options.keep) await keep(stack, interrupted);
    return isGood(report) ? 0 : 1;
  } finally {
    await stack.stop();
  }
}

async function keep({ ports, directory }: Stack, interrupted: Promise<unknown>): Promise<void> {
  const [a, b] = ports.admin;
  process.stderr.write(`
still up, until Ctrl-C:
  verify      http://127.0.0.1:${ports.verify}/v1/verify
  admin       http://127.0.0.1:${a} and http://127.0.0.1:${b}, token in ${directory}/secrets/admin_token
  Prometheus  http://127.0.0.1:${ports.prometheus}/alerts
  HAProxy     http://127.0.0.1:${ports.loadBalancerMetrics}/metrics
  files       ${directory}
`);
  await interrupted;
}

// What may still be under way after Ctrl-C does not keep the process, and children do not outlive it.
process.exit(await main());
