/** Memory and descriptors of the process under attack, as its metrics have them from the system. */
import { setTimeout as sleep } from 'node:timers/promises';
import { call, scrape } from '../support/call.ts';
import { PHARMACY, shownNow } from '../support/presentation.ts';
import { ISS } from '../support/synthetic-issuer.ts';
import type { AttackTarget } from './attack-target.ts';

const LOOK_MS = 250;

export interface Footprint {
  readonly residentMiB: number;
  readonly descriptors: number;
}

/** Before anything is attacked, and with none of our own connections but the one that asks. */
export async function firstLook(target: AttackTarget): Promise<Footprint> {
  await warmUp(target);
  for (let last = await footprint(target); ; ) {
    await sleep(LOOK_MS);
    const now = await footprint(target);
    if (now.descriptors >= last.descriptors) return now;
    last = now;
  }
}

export async function footprint({ gateway }: AttackTarget): Promise<Footprint> {
  const samples = await scrape(gateway.metrics);
  return {
    residentMiB: (samples.get('vigie_process_resident_memory_bytes') ?? Number.NaN) / 1024 ** 2,
    descriptors: samples.get('vigie_process_open_fds') ?? Number.NaN,
  };
}

/** Every path once, with the largest body that an honest caller may send: what they need for ever is there afterwards. */
async function warmUp({ gateway, good, stillHonest }: AttackTarget): Promise<void> {
  const headers = { connection: 'close' };
  await call(`${gateway.data}/v1/verify`, {
    body: { ...shownNow('warm-up'), audience: PHARMACY },
    headers,
  });
  const changes = [{ iss: ISS, jti: 'warm-up', status: 'suspended' }];
  await call(`${gateway.admin}/admin/v1/status-changes`, { body: { changes }, headers });
  const batch = JSON.stringify({ credentials: Array(10_000).fill(good) }).padEnd(LARGEST_BYTES);
  await call(`${gateway.data}/v1/verify/batch`, { body: batch, headers });
  await stillHonest();
}

const LARGEST_BYTES = 16 * 1024 * 1024;

/**
 * What the process may have grown by, at rest. V8 and the allocator keep some of what they had for the next time, which
 * varies by as much from one round of all attacks to the next and does not add up. Attacks send 80 MiB in bodies that are
 * kept until their end: were these not given back, as bytes and as text, it would be more.
 */
export const MOST_GROWTH_MIB = 128;

export const isAtRest = (before: Footprint, now: Footprint): boolean =>
  now.descriptors === before.descriptors && now.residentMiB - before.residentMiB <= MOST_GROWTH_MIB;

/** At rest: connections that were left are closed by their idle timeout, and the collector has had its time. */
export async function atRest(
  target: AttackTarget,
  before: Footprint,
  patienceMs = 30_000,
): Promise<Footprint> {
  const endsAtMs = performance.now() + patienceMs;
  for (;;) {
    const now = await footprint(target);
    if (isAtRest(before, now) || performance.now() > endsAtMs) return now;
    await sleep(LOOK_MS);
  }
}
