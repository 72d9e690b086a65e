/**
 * Clients that change the status of synthetic cards without pause, as operators do: each logical call under one
 * Idempotency-Key, repeated at the next gateway until it is answered or given up.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Gateway } from '../support/gateway.ts';
import type { Change } from './history.ts';
import { changeCallOf } from './history-cards.ts';

type CardChange = Change['changes'][number];

/** How long a logical call is repeated before its client gives up and never learns what came of it. */
const PATIENCE_MS = 4_000;
/** Of one attempt; longer than any deadline that a gateway has for a change. */
const ATTEMPT_TIMEOUT_MS = 3_000;
const RETRY_GAP_MS = 100;

export interface StatusClientOptions {
  /** Part of card names and keys, so that each card has one client: its calls are in order. */
  readonly name: string;
  /** The gateways that may be asked now. */
  gateways(): readonly Gateway[];
  readonly gapMs: number;
  isOver(): boolean;
  onCall(change: Omit<Change, 'id' | 'type'>): void;
}

/** Runs until it is over; every call that began is told of. */
export async function runStatusClient(options: StatusClientOptions): Promise<void> {
  const { name, gateways, gapMs, isOver, onCall } = options;
  for (let round = 0; ; round++) {
    for (const [step, changes] of roundOf(name, round).entries()) {
      if (isOver()) return;
      // Each call begins at another gateway.
      const turn = round + step;
      const ask = (attempt: number) => gateways()[(turn + attempt) % gateways().length];
      onCall(await logicalCall(ask, changes, `${name}-${round}-${step}`));
      await sleep(gapMs);
    }
  }
}

/**
 * What happens to cards: revoked, alone or several at once; superseded, which spares the card that was issued then;
 * suspended, then reinstated or revoked.
 */
function roundOf(client: string, round: number): readonly CardChange[][] {
  const card = (kind: string) => `${client}-${kind}-${round}`;
  return [
    [{ card: card('revoked'), status: 'revoked' }],
    [{ card: card('suspended'), status: 'suspended' }],
    [
      { card: card('pair-a'), status: 'revoked' },
      { card: card('pair-b'), status: 'revoked' },
    ],
    [
      { card: card('superseded'), status: 'revoked' },
      { card: card('renewed'), status: 'active' },
    ],
    [{ card: card('suspended'), status: round % 2 === 0 ? 'active' : 'revoked' }],
  ];
}

/** One logical call; `whom`: the gateway to be asked in the attempt of this number, if there is one. */
export async function logicalCall(
  whom: (attempt: number) => Gateway | undefined,
  changes: readonly CardChange[],
  key: string,
): Promise<Omit<Change, 'id' | 'type'>> {
  const beganMs = performance.now();
  const done = (outcome: Change['outcome']) => ({ changes, beganMs, endedMs: performance.now(), outcome });
  for (let attempt = 0; attempt === 0 || performance.now() - beganMs < PATIENCE_MS; attempt++) {
    if (attempt > 0) await sleep(RETRY_GAP_MS);
    const gateway = whom(attempt);
    if (gateway === undefined) continue;
    const status = await ask(gateway, changes, key);
    if (status === 200) return done('ok');
    if (status === undefined || status === 503) continue;
    // Behind an attempt that may have held, even a refusal does not say that nothing was done.
    return done(attempt === 0 ? 'refused' : 'maybe');
  }
  return done('maybe');
}

/** One attempt; `undefined`: no answer. */
async function ask(
  gateway: Gateway,
  changes: readonly CardChange[],
  key: string,
): Promise<number | undefined> {
  try {
    const response = await fetch(`${gateway.admin}/admin/v1/status-changes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify({ changes: changes.map(changeCallOf) }),
      signal: AbortSignal.timeout(ATTEMPT_TIMEOUT_MS),
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return undefined;
  }
}
