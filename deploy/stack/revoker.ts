/** The issuer's clerk: revokes one card after another, each until it is acknowledged, at whichever gateway answers. */
import { setTimeout as sleep } from 'node:timers/promises';
import { adminClient } from '../../src/client/admin-client.ts';
import type { Card } from './cards.ts';
import { ISS } from './cards.ts';

export interface RevokerOptions {
  readonly adminPorts: readonly number[];
  readonly bearerToken: string;
  readonly doomed: readonly Card[];
  readonly gapMs: number;
}

export interface Revoker {
  /** Monotonic times of the acknowledgements so far. */
  readonly acknowledgedMs: readonly number[];
  /** Attempts that were not acknowledged: each was repeated under the same Idempotency-Key. */
  unacknowledged(): number;
  /** First acknowledgement after this instant. */
  firstAfter(ms: number): number | undefined;
  stop(): Promise<void>;
}

const ATTEMPT_TIMEOUT_MS = 3_000;
const RETRY_GAP_MS = 100;

export function startRevoker({ adminPorts, bearerToken, doomed, gapMs }: RevokerOptions): Revoker {
  const clients = adminPorts.map((port) =>
    adminClient({
      baseUrl: `http://127.0.0.1:${port}`,
      bearerToken,
      timeoutMs: ATTEMPT_TIMEOUT_MS,
      // Repeated here, at the other gateway.
      retry: { attempts: 1, baseDelayMs: 1, maxDelayMs: 1 },
    }),
  );
  const acknowledgedMs: number[] = [];
  let unacknowledged = 0;
  let isOver = false;

  const revoke = async (card: Card, turn: number): Promise<void> => {
    card.askedMs = performance.now();
    for (let attempt = 0; !isOver; attempt++) {
      const client = clients[(turn + attempt) % clients.length];
      const changes = [{ iss: ISS, jti: card.jti, status: 'revoked' as const, why: 'lost' as const }];
      const outcome = await client?.statusChanges({ changes, idempotencyKey: `stack-${card.jti}` });
      if (outcome?.kind === 'answer') {
        card.acknowledgedMs = performance.now();
        acknowledgedMs.push(card.acknowledgedMs);
        return;
      }
      if (outcome?.kind === 'refused') throw new Error(`a revocation was refused: ${outcome.problem.detail}`);
      unacknowledged++;
      await sleep(RETRY_GAP_MS);
    }
  };
  const running = (async () => {
    for (const [turn, card] of doomed.entries()) {
      if (isOver) return;
      await revoke(card, turn);
      await sleep(gapMs);
    }
  })();
  // Told to whoever stops it.
  running.catch(() => {});

  return {
    acknowledgedMs,
    unacknowledged: () => unacknowledged,
    firstAfter: (ms) => acknowledgedMs.find((at) => at > ms),
    stop: async () => {
      isOver = true;
      await running;
    },
  };
}
