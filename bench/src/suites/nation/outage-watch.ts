/**
 * What gateways say of two cards while Redis comes and goes: one that stays good and one revoked long ago. Judged are
 * the verdicts, and whether the knowledge is called as old as it is.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type SharedGateway, verdictOf } from '../revocation/shared-gateway.ts';
import type { Network } from './network.ts';

export interface Sight {
  readonly gateway: number;
  /** When the call was sent and when its answer was there (`performance.now()`). */
  readonly askedMs: number;
  readonly answeredMs: number;
  readonly expected: 'ok' | 'revoked';
  readonly reason: string;
  readonly state: string;
  readonly ageMs: number;
}

export interface OutageWatch {
  sights(): readonly Sight[];
  /** Returns when each gateway has said so of a call that was sent from now on; `false`: not in time. */
  untilAll(state: string, limitMs: number): Promise<boolean>;
  stop(): Promise<void>;
}

/** How finely times are told. */
export const POLL_MS = 50;

export function watchOutage({ gateways, good, revoked }: Network): OutageWatch {
  const sights: Sight[] = [];
  let goesOn = true;
  const look = async (gateway: SharedGateway, index: number) => {
    for (let turn = 0; goesOn; turn++) {
      const expected = turn % 2 === 0 ? 'ok' : 'revoked';
      const askedMs = performance.now();
      const sight = { gateway: index, askedMs, expected } as const;
      try {
        const { reason, revocation } = await verdictOf(gateway, expected === 'ok' ? good : revoked);
        const ageMs = revocation.ageMs ?? Number.POSITIVE_INFINITY;
        sights.push({ ...sight, answeredMs: performance.now(), reason, state: revocation.state, ageMs });
      } catch (error) {
        // An answer that does not come, or is none, is not what a counter expects: it counts as a wrong one.
        const reason = error instanceof Error ? error.message : String(error);
        sights.push({ ...sight, answeredMs: performance.now(), reason, state: 'none', ageMs: Number.NaN });
      }
      await sleep(POLL_MS);
    }
  };
  const looking = Promise.all(gateways.map(look));
  return {
    sights: () => sights,
    untilAll: async (state, limitMs) => {
      const beganMs = performance.now();
      const isSaid = (_: unknown, index: number) =>
        sights.findLast(({ gateway, askedMs }) => gateway === index && askedMs >= beganMs)?.state === state;
      while (!gateways.every(isSaid)) {
        if (performance.now() - beganMs > limitMs) return false;
        await sleep(POLL_MS);
      }
      return true;
    },
    stop: async () => {
      goesOn = false;
      await looking;
    },
  };
}

/** From `goneMs` on Redis answers nobody, from `backMs` on everybody again. */
export interface Outage {
  readonly goneMs: number;
  readonly backMs: number;
}

export interface OutageFigures {
  /** Until the slowest gateway calls itself stale; infinite when one never does. */
  readonly staleAfterMs: number;
  /** How much younger than the outage, and how much older than it, the knowledge was said to be at most. */
  readonly understatedMs: number;
  readonly overstatedMs: number;
  /** From Redis's return until the slowest gateway is fresh and stays so. */
  readonly freshAfterMs: number;
}

export function judgeOutage(sights: readonly Sight[], { goneMs, backMs }: Outage): OutageFigures {
  const during = sights.filter(({ askedMs, answeredMs }) => askedMs >= goneMs && answeredMs <= backMs);
  const after = sights.filter(({ askedMs }) => askedMs >= backMs);
  const gateways = [...new Set(sights.map(({ gateway }) => gateway))];
  const slowest = (timeOf: (gateway: number) => number): number => Math.max(...gateways.map(timeOf));
  // What was confirmed just before the outage may be said until the answer was made, so an answer's bounds are these.
  const understated = during.map(({ askedMs, ageMs }) => askedMs - goneMs - ageMs);
  const overstated = during.map(({ answeredMs, ageMs }) => ageMs - (answeredMs - goneMs));
  return {
    staleAfterMs: slowest((gateway) => {
      const own = during.filter((sight) => sight.gateway === gateway);
      return (own.find(({ state }) => state === 'stale')?.answeredMs ?? Number.POSITIVE_INFINITY) - goneMs;
    }),
    understatedMs: Math.max(0, ...understated),
    overstatedMs: Math.max(0, ...overstated),
    freshAfterMs: slowest((gateway) => {
      const own = after.filter((sight) => sight.gateway === gateway);
      const lastOther = own.findLastIndex(({ state }) => state !== 'fresh');
      return (own[lastOther + 1]?.answeredMs ?? Number.POSITIVE_INFINITY) - backMs;
    }),
  };
}

/** Verdicts that were not those of the two cards, in words; each kind once, with its count. */
export function wrongSights(sights: readonly Sight[]): string[] {
  const counts = new Map<string, number>();
  for (const { gateway, expected, reason } of sights) {
    if (reason === expected) continue;
    const text = `gateway ${gateway + 1} answered ${reason} instead of ${expected}`;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].map(([text, count]) => `${text}, ${count} times`);
}
