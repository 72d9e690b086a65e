/** Part `audit`: a year of care sheets judged again, by a sustained run that is extrapolated. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { PhaseTally } from '../../load/open-loop.ts';
import { significant } from '../../statistics.ts';
import type { Row } from '../../suite.ts';
import { bottleneckOf } from '../http-cells.ts';
import type { Network } from './network.ts';
import { underLoad, WARM_UP_SECONDS } from './network-load.ts';
import { type CpuUse, complaintsAbout, figureRow, type PartResult } from './rows.ts';
import { type BasisName, CARE_SHEETS_A_YEAR } from './workload.ts';

const BATCH_ITEMS = 1_000;
/** Always another batch to verify, and never so many that one of them is refused. */
const CONNECTIONS = 8;
const LEAST_SECONDS = 10;
const SECONDS_AN_HOUR = 3_600;

/** A closed loop that has been held for some time. */
export interface Sustained {
  readonly part: 'audit' | 'proofs';
  readonly what: string;
  readonly basis: readonly BasisName[];
  readonly credentials: number;
  /** Batches that were sent; those that were refused or came to nothing; and answers that were wrong. */
  readonly batches: number;
  readonly unserved: number;
  readonly wrong: number;
  readonly seconds: number;
  readonly use: CpuUse;
}

/** Batches in text lines, answered with a byte for each: the leanest form there is, and so what an audit would take. */
export async function measureAudit(network: Network, seconds: number): Promise<PartResult> {
  const stream = { name: 'audit', items: BATCH_ITEMS, connections: CONNECTIONS, source: '127.0.0.1' };
  const limits = [WARM_UP_SECONDS * 2, seconds * 2];
  const streams = [{ ...stream, rates: [-CONNECTIONS, -CONNECTIONS] }];
  const { report, uses } = await underLoad(network, limits, streams, async (during) => {
    await during(() => sleep(WARM_UP_SECONDS * 1000));
    await during(() => sleep(seconds * 1000));
  });
  for (const { server } of network.gateways) await server.untilIdle();
  const tally = report.streams[0]?.phases[1] as PhaseTally;
  const row = auditRow({
    part: 'audit',
    what: 'a year of care sheets, issuer signatures',
    basis: ['S3', 'A5', 'A8', 'A9'],
    credentials: tally.ok * BATCH_ITEMS,
    batches: tally.due,
    unserved: tally.due - tally.ok - tally.wrong,
    wrong: tally.wrong,
    seconds: report.phaseSeconds[1] as number,
    use: uses[1] as CpuUse,
  });
  return { rows: [row], ...complaintsAboutAudit(row) };
}

/** A run of which little is known is no ground to extrapolate on, nor is one that left out what it could not take. */
export function complaintsAboutAudit(row: Row): Pick<PartResult, 'warnings' | 'wrongs'> {
  const { part, bottleneck } = row;
  const { warnings, wrongs } = complaintsAbout([row]);
  const { seconds } = row.extrapolatedFrom as { readonly seconds: number };
  const unserved = Number(row.unserved);
  return {
    warnings: [
      ...warnings,
      ...(seconds >= LEAST_SECONDS ? [] : [`${part}: extrapolated from ${seconds} s alone`]),
      ...(bottleneck === 'neither'
        ? [`${part}: neither the gateway nor the generator was busy all the time: a core may take more`]
        : []),
    ],
    wrongs: [...wrongs, ...(unserved > 0 ? [`${part}: ${unserved} batches were not served`] : [])],
  };
}

/** Hours on this machine: one core verifies, the other one sends. More cores are not extrapolated to. */
export function auditRow(run: Sustained): Row {
  const { part, what, basis, credentials, batches, unserved, wrong, seconds, use } = run;
  const perSecond = credentials / seconds;
  const [gatewayCores = 0] = use.gatewayCores;
  const bottleneck = bottleneckOf(gatewayCores, use.generatorCores + use.redisCores);
  const generatorWasBottleneck = bottleneck === 'generator';
  const row = figureRow({
    part,
    what,
    basis,
    value: CARE_SHEETS_A_YEAR / perSecond / SECONDS_AN_HOUR,
    unit: 'h, extrapolated',
    more: {
      achievedPerSecond: significant(perSecond),
      perCorePerSecond: significant(perSecond / Math.max(0.01, gatewayCores)),
      servedPercent: significant(100 * (1 - unserved / Math.max(1, batches)), 5),
      wrong,
      unserved,
      gatewayCores: use.gatewayCores.map((cores) => significant(cores, 3)),
      redisCores: significant(use.redisCores, 3),
      generatorCores: significant(use.generatorCores, 3),
      bottleneck,
      generatorWasBottleneck,
      extrapolatedFrom: { credentials, seconds: significant(seconds) },
    },
  });
  if (!generatorWasBottleneck) return row;
  // Rates that are the generator's say nothing of the gateway.
  const { value: _, achievedPerSecond: __, perCorePerSecond: ___, ...withheld } = row;
  return withheld as Row;
}
