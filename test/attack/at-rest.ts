/** Memory and descriptors of the process under attack, as its metrics have them from the system. */
import { setTimeout as sleep } from 'node:timers/promises';
import { call, scrape } from '../support/call.ts';
import { PHARMACY, shownNow } from '../support/presentation.ts';
import { ISS } from '../support/synthetic-issuer.ts';
import type { AttackCase } from './attack-case.ts';
import type { AttackTarget } from './attack-target.ts';
import { type AttackRow, runAttacks } from './run-attacks.ts';

const LOOK_MS = 250;
const PATIENCE_MS = 30_000;
const CLOSED_BY_MS = 3_000;

export interface Footprint {
  readonly residentMiB: number;
  readonly descriptors: number;
}

/** Before anything is attacked, and with none of our own connections but the one that asks. */
export async function firstLook(target: AttackTarget): Promise<Footprint> {
  await warmUp(target);
  // Longer than a connection that is kept, or a file that is being read, is open when nobody uses it any more.
  const isFewer = (count: number) => (now: Footprint) => now.descriptors < count;
  for (let least = await footprint(target); ; ) {
    const now = await settled(target, isFewer(least.descriptors), CLOSED_BY_MS);
    if (now.descriptors >= least.descriptors) return least;
    least = now;
  }
}

async function footprint({ gateway }: AttackTarget): Promise<Footprint> {
  const samples = await scrape(gateway.metrics);
  return {
    residentMiB: (samples.get('vigie_process_resident_memory_bytes') ?? Number.NaN) / 1024 ** 2,
    descriptors: samples.get('vigie_process_open_fds') ?? Number.NaN,
  };
}

/** Every path once, so that what it opens for ever is open. */
async function warmUp({ gateway, good, stillHonest }: AttackTarget): Promise<void> {
  const headers = { connection: 'close' };
  const ask = async (url: string, body: unknown): Promise<void> => {
    const { status, text } = await call(url, { body, headers });
    if (status !== 200) throw new Error(`before any attack: ${status} ${text.slice(0, 200)}`);
  };
  await ask(`${gateway.data}/v1/verify`, { ...shownNow('warm-up'), audience: PHARMACY });
  const changes = [{ iss: ISS, jti: 'warm-up', status: 'suspended' }];
  await ask(`${gateway.admin}/admin/v1/status-changes`, { changes });
  await ask(`${gateway.data}/v1/verify/batch`, { credentials: Array(1_000).fill(good) });
  await stillHonest();
}

/**
 * What the process may have grown by when the largest attacks are run a second time. V8 and the allocator keep what the
 * first round needed for the next one; what a second round adds is lost. It sends 80 MiB in bodies that are kept
 * until their end, so were these not given back, as bytes or as text, it would be more.
 */
export const MOST_GROWTH_MIB = 48;

/** Attacks by bodies: those that need memory, and take no time. */
const isLarge = ({ number, beside }: AttackCase): boolean =>
  number >= 45 && number <= 61 && beside === undefined;

export interface Rest {
  readonly before: Footprint;
  /** When all attacks were over, and when the largest had been run again. */
  readonly after: Footprint;
  readonly afterAgain: Footprint;
  readonly isAtRest: boolean;
  /** Of the second round, what was not as expected. */
  readonly wrong: readonly AttackRow[];
}

/** After all attacks: runs the largest again, and looks what stays. */
export async function restAfter(
  target: AttackTarget,
  before: Footprint,
  cases: readonly AttackCase[],
): Promise<Rest> {
  const isClosed = ({ descriptors }: Footprint): boolean => descriptors <= before.descriptors;
  const after = await settled(target, isClosed);
  const again = await runAttacks(target, cases.filter(isLarge));
  const isGivenBack = ({ residentMiB }: Footprint): boolean =>
    residentMiB - after.residentMiB <= MOST_GROWTH_MIB;
  const isBack = (now: Footprint): boolean => isClosed(now) && isGivenBack(now);
  const afterAgain = await settled(target, isBack);
  await target.stillHonest();
  const wrong = again.filter(({ isRight }) => !isRight);
  return { before, after, afterAgain, isAtRest: isClosed(after) && isBack(afterAgain), wrong };
}

/** Connections that were left are closed by their idle timeout, and the collector has had its time. */
async function settled(
  target: AttackTarget,
  isRest: (now: Footprint) => boolean,
  patienceMs = PATIENCE_MS,
): Promise<Footprint> {
  const endsAtMs = performance.now() + patienceMs;
  for (;;) {
    const now = await footprint(target);
    if (isRest(now) || performance.now() > endsAtMs) return now;
    await sleep(LOOK_MS);
  }
}
