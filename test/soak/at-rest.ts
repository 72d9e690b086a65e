/** What a gateway holds, by the system's own account, and when nothing is under way in it any more. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { scrape, until } from '../support/call.ts';
import type { Gateway } from '../support/gateway.ts';
import { within } from './within.ts';

/** Settings of a gateway whose descriptors are to be counted: it does so itself, when it is asked. */
export const COUNTS_DESCRIPTORS: Readonly<Record<string, string>> = {
  NODE_OPTIONS: `--import=${new URL('../support/count-descriptors.mjs', import.meta.url).href}`,
};

/** The one by which they are counted among them. */
export async function openDescriptors({ pid, signal }: Pick<Gateway, 'pid' | 'signal'>): Promise<number> {
  const file = join(tmpdir(), `vigie-descriptors-${pid}`);
  rmSync(file, { force: true });
  signal('SIGUSR2');
  await until(() => existsSync(file));
  return Number(readFileSync(file, 'utf8'));
}

export function residentBytes(pid: number): number {
  const [, kilobytes = ''] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

/** Above every timeout of a gateway by which it closes what was left. */
export const REST_PATIENCE_MS = 90_000;
const SCRAPE_TIMEOUT_MS = 10_000;

/**
 * Nothing is under way any more: the scrape is the only request.
 *
 * @throws with what is left, when that is not so in time: a request that is never answered must end the test that finds it.
 */
export async function rest(gateway: Gateway, patienceMs = REST_PATIENCE_MS): Promise<void> {
  const idle = {
    vigie_requests_in_flight: 1,
    vigie_connections: 0,
    vigie_batch_queue_items: 0,
    vigie_refusals_waiting: 0,
    // An overload is felt for a moment longer than it lasts, and would shed what is asked next.
    'vigie_overloaded_workers{what="single"}': 0,
    'vigie_overloaded_workers{what="batch"}': 0,
  };
  const endsAtMs = performance.now() + patienceMs;
  for (;;) {
    const samples = await within(scrape(gateway.metrics), SCRAPE_TIMEOUT_MS, 'a scrape');
    const left = Object.entries(idle).filter(([name, value]) => samples.get(name) !== value);
    if (left.length === 0) return;
    if (performance.now() >= endsAtMs) {
      const told = left.map(([name, value]) => `${name} is ${samples.get(name)} in the place of ${value}`);
      throw new Error(`not at rest after ${patienceMs} ms: ${told.join(', ')}`);
    }
    await sleep(20);
  }
}
