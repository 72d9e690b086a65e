/** What is left in a gateway once a soak is over and nobody asks it any more, and what of it is a fault. */
import { setTimeout as sleep } from 'node:timers/promises';
import { PAYLOAD_MARK } from '../../attack/attack-target.ts';
import { scrape } from '../../support/call.ts';
import type { Gateway } from '../../support/gateway.ts';
import { openDescriptors, REST_PATIENCE_MS, rest } from '../at-rest.ts';
import { LEAST_WINDOWS, type MemoryLine, type MemorySample, memoryLine } from './memory-line.ts';

/** How every credential begins: `{"alg":"` in base64url. */
const CREDENTIAL_MARK = 'eyJhbGciOi';

export interface GatewayAtRest {
  readonly name: string;
  readonly memory: MemoryLine;
  readonly firstMib: number;
  readonly lastMib: number;
  readonly descriptorsBefore: number;
  readonly descriptorsAfter: number;
  readonly unexpectedErrors: number;
  readonly workerRestarts: number;
}

export async function descriptorsAtRest(gateway: Gateway): Promise<number> {
  await rest(gateway);
  return openDescriptors(gateway);
}

/** @throws when it does not come to rest. */
export async function endOf(soaked: {
  readonly name: string;
  readonly gateway: Gateway;
  readonly samples: readonly MemorySample[];
  readonly seconds: number;
  readonly descriptorsBefore: number;
}): Promise<GatewayAtRest> {
  const { name, gateway, samples, seconds, descriptorsBefore } = soaked;
  await rest(gateway);
  const endsAtMs = performance.now() + REST_PATIENCE_MS;
  while ((await openDescriptors(gateway)) > descriptorsBefore && performance.now() < endsAtMs)
    await sleep(200);
  // Looked at before the scrape, which has a connection of its own.
  const descriptorsAfter = await openDescriptors(gateway);
  const metrics = await scrape(gateway.metrics);
  const mibOf = (sample: MemorySample | undefined): number => (sample?.bytes ?? Number.NaN) / 1024 ** 2;
  return {
    name,
    memory: memoryLine(samples, seconds),
    firstMib: mibOf(samples[0]),
    lastMib: mibOf(samples.at(-1)),
    descriptorsBefore,
    descriptorsAfter,
    unexpectedErrors: metrics.get('vigie_unexpected_errors_total') ?? Number.NaN,
    workerRestarts: [...metrics].reduce(
      (sum, [series, count]) => (series.startsWith('vigie_worker_restarts_total') ? sum + count : sum),
      0,
    ),
  };
}

export function* faultsAtRest(end: GatewayAtRest): Generator<string> {
  const { name, memory, descriptorsBefore, descriptorsAfter, unexpectedErrors, workerRestarts } = end;
  if (memory.isFlat === false && memory.windows < LEAST_WINDOWS) {
    yield `${name}: memory was looked at too seldom to be judged`;
  } else if (memory.isFlat === false) {
    const late = `${memory.lateMibPerMinute.toFixed(2)} ± ${memory.lateDoubt.toFixed(2)} MiB a minute in the last half`;
    yield `${name}: memory rises by ${memory.riseMib.toFixed(1)} MiB behind its warm-up, ${late}`;
  }
  if (descriptorsAfter > descriptorsBefore)
    yield `${name}: ${descriptorsAfter} descriptors at rest, ${descriptorsBefore} before`;
  if (workerRestarts !== 0) yield `${name}: ${workerRestarts} workers had to be replaced`;
  if (unexpectedErrors !== 0) yield `${name}: ${unexpectedErrors} unexpected errors`;
}

/** All that it printed, from its start on. */
export function* faultsInLog(name: string, { stderr, stdout }: Gateway): Generator<string> {
  const printed = stderr() + stdout();
  if (printed.includes(PAYLOAD_MARK)) yield `an attack's text stands in the log of ${name}`;
  if (printed.includes(CREDENTIAL_MARK)) yield `a credential stands in the log of ${name}`;
}
