/** Honest callers beside a fault, each answer counted: single calls at whatever gateways there are. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Gateway } from './gateway.ts';
import { credential, goodClaims } from './synthetic-issuer.ts';

/** The table of faults: of the others' calls so many are answered rightly. */
export const LEAST_SHARE = 0.999;
/** Generous: what takes so long on a busy machine hangs. */
const CALL_TIMEOUT_MS = 10_000;
const CALLERS = 4;
const PAUSE_MS = 10;
/** A fault found is enough; a thousand of them tell no more. */
const MOST_WRONG = 20;

export interface HonestCount {
  readonly sent: number;
  readonly right: number;
  /** What came in the place of a right answer. */
  readonly wrong: readonly string[];
}

export interface HonestCalls {
  /** Right answers so far. */
  right(): number;
  stop(): Promise<HonestCount>;
}

/**
 * `gateways`: those that may be asked now, as a load balancer would have them; a call to one that went away before it answered
 * is repeated once at another, as such a one does with a call that changes nothing.
 */
export function startHonestCalls(gateways: () => readonly Gateway[]): HonestCalls {
  const claims = goodClaims({ jti: 'honest', exp: Math.floor(Date.now() / 1000) + 86_400 });
  const body = JSON.stringify({ credential: credential({ payload: claims }) });
  const wrong: string[] = [];
  let sent = 0;
  let right = 0;
  let isOver = false;

  const ask = async (turn: number): Promise<string> => {
    const all = gateways();
    const gateway = all[turn % all.length];
    if (gateway === undefined) return 'no gateway';
    try {
      const response = await fetch(`${gateway.data}/v1/verify`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
      });
      const text = await response.text();
      const reason = /"reason":"(\w+)"/.exec(text)?.[1];
      return response.status === 200 && reason !== undefined
        ? reason
        : `${response.status} ${text.slice(0, 200)}`;
    } catch (error) {
      return `unanswered: ${String((error as Error).cause ?? error)}`;
    }
  };
  const caller = async (first: number): Promise<void> => {
    for (let turn = first; !isOver; turn += CALLERS, await sleep(PAUSE_MS)) {
      sent++;
      let came = await ask(turn);
      if (came.startsWith('unanswered') && gateways().length > 1) came = await ask(turn + 1);
      if (came === 'ok') right++;
      else if (wrong.length < MOST_WRONG) wrong.push(came);
    }
  };
  const callers = Array.from({ length: CALLERS }, (_, first) => caller(first));
  return {
    right: () => right,
    stop: async () => {
      isOver = true;
      await Promise.all(callers);
      return { sent, right, wrong };
    },
  };
}

/** @throws unless there were enough calls to tell, and enough of them were answered rightly. */
export function mustBeServed({ sent, right, wrong }: HonestCount, leastCalls = 100): void {
  if (sent >= leastCalls && right >= LEAST_SHARE * sent) return;
  throw new Error(`${right} of ${sent} honest calls were answered rightly:\n${wrong.join('\n')}`);
}
