/**
 * The pharmacies: single calls and batches, sent when they are due whether or not earlier ones were answered (an open
 * loop), through the load balancer. Every answer is judged. A call that fails is repeated once, as a counter does.
 */
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Card } from './cards.ts';
import { judge, type Seen } from './judge.ts';
import { type PhaseTally, STALE_SPAN_MS, type Tally, WRONG_KEPT } from './tally.ts';

export interface LoadOptions {
  /** Of the load balancer, or of a gateway. */
  readonly port: number;
  readonly cards: readonly Card[];
  readonly tally: Tally;
  readonly singlesPerSecond: number;
  readonly batchesPerSecond: number;
  readonly batchItems: number;
}

export interface Load {
  /** Calls sent and not yet answered. */
  underWay(): number;
  /** No further calls; resolves when those under way have ended. */
  stop(): Promise<void>;
}

const CALL_TIMEOUT_MS = 5_000;
const TICK_MS = 1;
const REPEAT_AFTER_MS = 200;
/** Calls under way at once; beyond, what is due counts as failed, so that nothing grows without bound. */
const MAX_UNDER_WAY = 500;

interface Kind {
  readonly path: string;
  readonly items: number;
  readonly perSecond: number;
  /** Of what the phase keeps. */
  latencies(phase: PhaseTally): number[];
}

export function startLoad(options: LoadOptions): Load {
  const { singlesPerSecond, batchesPerSecond, batchItems } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_UNDER_WAY });
  const kinds: readonly Kind[] = [
    { path: '/v1/verify', items: 1, perSecond: singlesPerSecond, latencies: ({ singleMs }) => singleMs },
    {
      path: '/v1/verify/batch',
      items: batchItems,
      perSecond: batchesPerSecond,
      latencies: ({ batchMs }) => batchMs,
    },
  ];
  const underWay = new Set<Promise<void>>();
  const beganMs = performance.now();
  const sent = kinds.map(() => 0);
  let next = 0;

  const timer = setInterval(() => {
    for (const [i, kind] of kinds.entries()) {
      const due = Math.floor(((performance.now() - beganMs) / 1000) * kind.perSecond);
      for (; (sent[i] as number) < due; (sent[i] as number)++) {
        const dueMs = beganMs + (((sent[i] as number) + 1) / kind.perSecond) * 1000;
        const cards = Array.from({ length: kind.items }, () => take());
        send(kind, cards, dueMs);
      }
    }
  }, TICK_MS);
  const take = (): Card => options.cards[next++ % options.cards.length] as Card;
  const send = (kind: Kind, cards: readonly Card[], dueMs: number): void => {
    if (underWay.size >= MAX_UNDER_WAY) {
      const phase = options.tally.now;
      phase.calls++;
      fail(phase, 'too many under way');
      phase.failedTwice++;
      return;
    }
    const call = callOnceOrTwice(agent, options, kind, cards, dueMs);
    underWay.add(call);
    void call.finally(() => underWay.delete(call));
  };

  return {
    underWay: () => underWay.size,
    stop: async () => {
      clearInterval(timer);
      await Promise.all(underWay);
      agent.destroy();
    },
  };
}

async function callOnceOrTwice(
  agent: Agent,
  { port, tally }: LoadOptions,
  kind: Kind,
  cards: readonly Card[],
  dueMs: number,
): Promise<void> {
  // The phase in which it was sent, whatever happens until it is answered.
  const phase = tally.now;
  phase.calls++;
  for (const attempt of [1, 2]) {
    const sentMs = performance.now();
    const answer = await post(agent, port, kind.path, bodyOf(cards));
    const answeredMs = performance.now();
    if (answer.status === 200 && take(answer.body, cards, { sentMs, answeredMs }, tally, phase)) {
      if (attempt === 1) kind.latencies(phase).push(answeredMs - dueMs);
      return;
    }
    if (attempt === 2) phase.failedTwice++;
    else fail(phase, answer.failure ?? `HTTP ${answer.status}`);
    if (attempt === 1) await sleep(REPEAT_AFTER_MS);
  }
}

function fail(phase: PhaseTally, how: string): void {
  phase.failed++;
  phase.failures[how] = (phase.failures[how] ?? 0) + 1;
}

function bodyOf(cards: readonly Card[]): string {
  return cards.length === 1
    ? JSON.stringify({ credential: cards[0]?.text })
    : JSON.stringify({ credentials: cards.map(({ text }) => text) });
}

type Answered = Pick<Seen, 'reason' | 'revocation'>;

/** Judges each verdict; false: not an answer of the form that there has to be. */
function take(
  body: string,
  cards: readonly Card[],
  times: Pick<Seen, 'sentMs' | 'answeredMs'>,
  tally: Tally,
  phase: PhaseTally,
): boolean {
  const results = resultsOf(body, cards.length);
  if (results === undefined) return false;
  for (const [i, { reason, revocation }] of results.entries()) {
    const card = cards[i] as Card;
    const judgement = judge(card, { reason, revocation, ...times });
    phase.judgements[judgement]++;
    if (judgement === 'wrong' && tally.wrong.length < WRONG_KEPT) {
      const asked = Math.round(times.sentMs - card.acknowledgedMs);
      const known = Number.isFinite(asked) ? `, revoked ${asked} ms before` : '';
      tally.wrong.push(
        `${card.jti} is ${card.reason}${known}, answered ${String(reason)} (${JSON.stringify(revocation)})`,
      );
    }
    if (revocation.state !== 'fresh') noteStale(tally, phase, revocation, times.answeredMs);
  }
  return true;
}

function noteStale(
  { staleness }: Tally,
  phase: PhaseTally,
  { ageMs }: Seen['revocation'],
  answeredMs: number,
): void {
  phase.stale++;
  staleness.spans.add(Math.floor(answeredMs / STALE_SPAN_MS));
  staleness.greatestAgeMs = Math.max(staleness.greatestAgeMs, ageMs ?? 0);
}

function resultsOf(body: string, count: number): readonly Answered[] | undefined {
  try {
    const document = JSON.parse(body);
    // A batch states once how fresh all of it is.
    const results: Answered[] = count === 1 ? [document] : document.results;
    if (results.length !== count) return undefined;
    return results.map(({ reason, revocation = document.revocation }) => ({ reason, revocation }));
  } catch {
    return undefined;
  }
}

interface Posted {
  readonly status: number;
  readonly body: string;
  /** Why there was no answer. */
  readonly failure?: string;
}

function post(agent: Agent, port: number, path: string, body: string): Promise<Posted> {
  return new Promise((resolve) => {
    const none = (failure: string) => resolve({ status: 0, body: '', failure });
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const outgoing = request({ agent, host: '127.0.0.1', port, path, method: 'POST', headers });
    const deadline = setTimeout(() => outgoing.destroy(new Error('no answer in time')), CALL_TIMEOUT_MS);
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () =>
        resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
      );
      incoming.on('error', () => none('connection lost'));
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => none(error.code ?? error.message));
    outgoing.on('close', () => clearTimeout(deadline));
    outgoing.end(body);
  });
}
