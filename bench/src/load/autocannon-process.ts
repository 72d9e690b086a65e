/**
 * autocannon as a process of its own: takes its task from the same environment as the script of wrk and ends
 * with the same report. Every connection has its own share of the corpus, so none repeats another's requests.
 */
import { readFileSync } from 'node:fs';
import autocannon from 'autocannon';
import { ANSWER_TIMEOUT_SECONDS } from './load-spec.ts';

const setting = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
};

const batch = Number(setting('LOAD_BATCH'));
const connections = Number(setting('LOAD_CONNECTIONS'));
const form = setting('LOAD_FORM');
const checkOneIn = Number(setting('LOAD_CHECK_ONE_IN'));
const bodies = makeBodies();
const headers = { 'content-type': setting('LOAD_CONTENT_TYPE'), accept: setting('LOAD_ACCEPT') };
const isByteAnswer = headers.accept === 'application/octet-stream';

let connected = 0;
let answers = 0;
let checked = 0;
let notValid = 0;

reportCpu('before');
const result = await autocannon({
  url: `http://${setting('LOAD_HOST')}${setting('LOAD_PATH')}`,
  method: 'POST',
  headers,
  connections,
  duration: Number(setting('LOAD_SECONDS')),
  timeout: ANSWER_TIMEOUT_SECONDS,
  setupClient: (client) => {
    const share = connected++;
    client.setRequests(bodies.filter((_, index) => index % connections === share).map((body) => ({ body })));
  },
  ...(checkOneIn > 0 ? { verifyBody: checkAnswer } : {}),
});
reportCpu('after');
report('requests', result.requests.total);
report('duration-us', Math.round(result.duration * 1e6));
report('p50-us', result.latency.p50 * 1000);
report('p99-us', result.latency.p99 * 1000);
report('status-errors', result.non2xx);
// autocannon counts time-outs among its errors.
report('socket-errors', result.errors);
report('checked', checked);
report('not-valid', notValid);

function makeBodies(): string[] {
  const credentials = readFileSync(setting('LOAD_CREDENTIALS_FILE'), 'utf8').trimEnd().split('\n');
  const made: string[] = [];
  for (let start = 0; start + batch <= credentials.length; start += batch) {
    const items = credentials.slice(start, start + batch);
    if (form === 'batch-lines') made.push(`${items.join('\n')}\n`);
    else made.push(JSON.stringify(form === 'batch-json' ? { credentials: items } : { credential: items[0] }));
  }
  return made;
}

/** The same as the script of wrk: each answer must be whole, one in so many has its verdicts counted. */
function checkAnswer(answer: unknown): boolean {
  const body = String(answer);
  const isWhole =
    isByteAnswer || batch === 1 ? body.length > 0 : /"summary":\{"valid":\d+\}/.test(body.slice(-400));
  if (isWhole && ++answers % checkOneIn !== 0) return true;
  const valid = isWhole ? validIn(body) : 0;
  checked += batch;
  notValid += Math.abs(batch - valid);
  return valid === batch;
}

/** How many credentials an answer calls valid. */
function validIn(body: string): number {
  if (isByteAnswer) return body.length === batch ? body.split('\0').length - 1 : 0;
  return body.split('"verdict":"valid"').length - 1;
}

function reportCpu(moment: 'before' | 'after'): void {
  for (const [who, pid] of [
    ['generator', 'self'],
    ['server', setting('LOAD_SERVER_PID')],
  ]) {
    report(`${who}-stat-${moment}`, readFileSync(`/proc/${pid}/stat`, 'utf8').trim());
  }
}

function report(name: string, value: number | string): void {
  console.log(`load ${name} ${value}`);
}
