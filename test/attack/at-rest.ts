/** Memory and descriptors of the process under attack, as its metrics have them from the system. */
import { setTimeout as sleep } from 'node:timers/promises';
import { scrape } from '../support/call.ts';
import type { AttackTarget } from './attack-target.ts';

export interface Footprint {
  readonly residentMiB: number;
  readonly descriptors: number;
}

export async function footprint({ gateway }: AttackTarget): Promise<Footprint> {
  const samples = await scrape(gateway.metrics);
  return {
    residentMiB: (samples.get('vigie_process_resident_memory_bytes') ?? Number.NaN) / 1024 ** 2,
    descriptors: samples.get('vigie_process_open_fds') ?? Number.NaN,
  };
}

/**
 * What the process may have grown by, at rest. Attacks hold up to 16 MiB of body, as bytes, as text and as values at
 * once, in the worker and (status changes) in the main thread; V8 and the allocator keep some of what they once had for
 * the next time. One body that was never given back for each of the big cases would be more than this.
 */
export const MOST_GROWTH_MIB = 96;

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
    await sleep(200);
  }
}
