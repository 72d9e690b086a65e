/** An overload by one caller that has ten times the connections of nine others together, all from the same address. */
import { expect } from 'vitest';
import { AskingClient, post } from './asking-client.ts';
import { scrape, until } from './call.ts';
import { bearer, callersFile, oneKey, type TestCaller } from './callers.ts';
import { startGateway } from './gateway.ts';
import { credential, goodClaims } from './synthetic-issuer.ts';

const OTHERS = 9;
const HOG_CONNECTIONS = 10 * OTHERS;
/** Between an answer and the next call of one of the others (milliseconds). */
const PAUSE_MS = 50;

/** How often a caller was answered 200, and how often 503. */
export interface Fared {
  served: number;
  refused: number;
}

export interface HogStory {
  readonly hog: Fared;
  /** From their first calls on, before which nobody's share is known: those are not in it. */
  readonly others: readonly Fared[];
  /** The gateway's metrics in the end. */
  readonly samples: ReadonlyMap<string, number>;
}

/** Goes on until the others have been answered so many times, all together. */
export async function besideHog(answersToOthers: number): Promise<HogStory> {
  const callers = ['hog', ...Array.from({ length: OTHERS }, (_, i) => `other-${i}`)].map(callerOf);
  const files = callersFile(callers);
  // Slow enough for an overload by a few connections.
  const slow = { VIGIE_ENGINE: 'noble', VIGIE_QUEUE_TARGET_MS: '50' };
  const gateway = await startGateway({ env: { ...files.env, ...slow } });
  const fared = callers.map((): Fared => ({ served: 0, refused: 0 }));
  const [hog, ...others] = fared as [Fared, ...Fared[]];
  const answered = (): number => others.reduce((sum, { served, refused }) => sum + served + refused, 0);
  let isOver = false;
  const keepAsking = async (index: number): Promise<void> => {
    const client = await AskingClient.from('127.0.0.1', gateway.dataPort);
    const request = requestOf(callers[index] as TestCaller);
    const mine = fared[index] as Fared;
    if (index > 0) for (let i = 0; i < 3; i++) await client.ask(request);
    while (!isOver) {
      const { status } = await client.ask(request);
      expect([200, 503]).toContain(status);
      if (status === 200) mine.served++;
      else mine.refused++;
      if (index > 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    client.leave();
  };
  try {
    const asking = Array.from({ length: HOG_CONNECTIONS }, () => keepAsking(0));
    await until(() => hog.refused > 50);
    asking.push(...others.map((_, index) => keepAsking(1 + index)));
    const failure = Promise.all(asking).then(() => undefined);
    await Promise.race([until(() => answered() > answersToOthers), failure]);
    isOver = true;
    await failure;
    return { hog, others, samples: await scrape(gateway.metrics) };
  } finally {
    isOver = true;
    await gateway.dispose();
    files.dispose();
  }
}

function callerOf(name: string): TestCaller {
  return { name, scopes: ['verify'], keys: [oneKey()] };
}

function requestOf(who: TestCaller): string {
  const body = { credential: credential({ payload: goodClaims({}, Math.floor(Date.now() / 1000)) }) };
  return post('/v1/verify', JSON.stringify(body), `Authorization: ${bearer(who).authorization}`);
}
