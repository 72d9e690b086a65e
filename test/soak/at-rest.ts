/** What a gateway holds, by the system's own account, and when nothing is under way in it any more. */
import { readdirSync, readFileSync } from 'node:fs';
import { scrape, until } from '../support/call.ts';
import type { Gateway } from '../support/gateway.ts';

export function openDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

export function residentBytes(pid: number): number {
  const [, kilobytes = ''] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

/** Nothing is under way any more: the scrape is the only request. */
export async function rest(gateway: Gateway): Promise<void> {
  const idle = {
    vigie_requests_in_flight: 1,
    vigie_connections: 0,
    vigie_batch_queue_items: 0,
    vigie_refusals_waiting: 0,
    // An overload is felt for a moment longer than it lasts, and would shed what is asked next.
    'vigie_overloaded_workers{what="single"}': 0,
    'vigie_overloaded_workers{what="batch"}': 0,
  };
  await until(async () => {
    const samples = await scrape(gateway.metrics);
    return Object.entries(idle).every(([name, value]) => samples.get(name) === value);
  });
}
