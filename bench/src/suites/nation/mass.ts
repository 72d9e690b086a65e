/** Part `mass`: a scheme revokes millions of cards at once, while the counters go on at the central rate. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sourceFile } from '../../paths.ts';
import { runChild } from '../../process/measuring-child.ts';
import { significant } from '../../statistics.ts';
import { percentile } from '../revocation/rows.ts';
import { scrape } from '../revocation/shared-gateway.ts';
import { CHANGES_A_CALL, type MassResult, type MassTask } from './mass-task.ts';
import type { Network } from './network.ts';
import { centralSingles, type FinishedLoad, portOf, underLoad, WARM_UP_SECONDS } from './network-load.ts';
import { complaintsAbout, figureRow, type PartResult, type Phase, phaseRow } from './rows.ts';
import { CENTRAL_PER_SECOND } from './workload.ts';

/** What is slower than this is of no use, and is broken off; and the time that does not depend on their number. */
const LEAST_CHANGES_A_SECOND = 3_000;
const LIMIT_BESIDES_SECONDS = 120;
/** Of the operator's process, to say what it has seen by its deadline. */
const GRACE_SECONDS = 60;
const MOST_CARDS_SHOWN = 1_000;
/** What one gateway acknowledges all enforce within: a second. */
const ENFORCED_BAR_MS = 1_000;

/** The cards to be revoked of which credentials are shown, and how many calls there are to each. */
export function cardsShown(changes: number): {
  readonly jtis: readonly string[];
  readonly callsACard: number;
} {
  const calls = Math.ceil(changes / CHANGES_A_CALL);
  const callsACard = Math.ceil(calls / MOST_CARDS_SHOWN);
  const count = Math.ceil(calls / callsACard);
  return { jtis: Array.from({ length: count }, (_, i) => `mass-shown-${i}`), callsACard };
}

export async function measureMass(network: Network, changes: number, seconds: number): Promise<PartResult> {
  const { gateways, cards } = network;
  // Before and after are there to be compared with, by the same callers at the same gateways.
  const calmSeconds = Math.max(2, seconds / 4);
  const limitSeconds = LIMIT_BESIDES_SECONDS + changes / LEAST_CHANGES_A_SECOND;
  const limits = [WARM_UP_SECONDS * 2, calmSeconds * 2, limitSeconds + 2 * GRACE_SECONDS, calmSeconds * 2];
  const task: MassTask = {
    adminPort: portOf((gateways[0] as Network['gateways'][number]).admin),
    dataPorts: gateways.map(({ data }) => portOf(data)),
    metrics: gateways.map(({ metrics }) => metrics),
    changes,
    cards,
    callsACard: cardsShown(changes).callsACard,
    limitSeconds,
  };
  const file = sourceFile('suites', 'nation', 'mass-child.ts');
  // Wherever there is room: an operator's program stands on no core of the gateways.
  const child = { file, task, core: undefined, limitSeconds: limitSeconds + GRACE_SECONDS };
  const streams = centralSingles(network, limits.length);
  const finished = await underLoad(network, limits, streams, async (during) => {
    await during(() => sleep(WARM_UP_SECONDS * 1000));
    await during(() => sleep(calmSeconds * 1000));
    const result = (await during(() => runChild(child))) as MassResult;
    network.say('nation, mass: the operator has ended');
    await during(() => sleep(calmSeconds * 1000));
    return result;
  });
  // By the gateways' own account, each of its own filter.
  const samples = await Promise.all(gateways.map(scrape));
  return resultOf(finished.value, finished, { changes, samples, redisBytes: await redisBytes(network) });
}

/** What the network looks like when all is over. */
interface Beside {
  readonly changes: number;
  readonly samples: readonly ReadonlyMap<string, number>[];
  readonly redisBytes: number;
}

function resultOf(
  result: MassResult,
  finished: FinishedLoad,
  { changes, samples, redisBytes }: Beside,
): PartResult {
  const common = { part: 'mass', basis: ['A1', 'A5', 'A6', 'A7'] as const };
  const latencies = ['before', 'during the revocation', 'after'].map((when, i) =>
    phaseRow({ ...singlesIn(finished, i + 1), ...common, what: `single calls ${when}` }),
  );
  const figures = samples.map((sample) => ({
    entries: sample.get('vigie_filter_entries') ?? 0,
    capacity: sample.get('vigie_filter_capacity_entries') ?? 0,
    fill: significant(sample.get('vigie_filter_fill_ratio') ?? 0, 3),
    mebibytes: Math.round((sample.get('vigie_filter_memory_bytes') ?? 0) / 2 ** 20),
  }));
  const p99Ms = percentile(
    result.enforcedMs.length > 0 ? result.enforcedMs : [Number.POSITIVE_INFINITY],
    0.99,
  );
  const isWhole = result.wrong.length === 0;
  const rows = [
    ...latencies,
    figureRow({
      ...common,
      what: `${changes.toLocaleString('en-US')} cards enforced on both gateways`,
      // A run in which something was wrong has seen no end of it.
      value: (isWhole ? result.allEnforcedMs : Number.POSITIVE_INFINITY) / 1000,
      unit: 's',
      more: {
        ...(isWhole && { achievedPerSecond: significant((changes / result.allEnforcedMs) * 1000) }),
        acknowledgedSeconds: significant(result.acknowledgedMs / 1000),
        callsSentAgain: result.again,
        wrong: result.wrong.length,
      },
    }),
    figureRow({
      ...common,
      what: 'acknowledged to enforced on both, p99',
      value: p99Ms,
      unit: 'ms',
      expectation: `<= ${ENFORCED_BAR_MS} ms`,
      pass: p99Ms <= ENFORCED_BAR_MS,
      more: {
        cardsShown: result.enforcedMs.length,
        p50Ms: significant(percentile(result.enforcedMs.length > 0 ? result.enforcedMs : [0], 0.5), 3),
        maxMs: significant(Math.max(0, ...result.enforcedMs), 3),
      },
    }),
    figureRow({
      ...common,
      what: 'bits set in the filter afterwards (full: half)',
      value: Math.max(...figures.map(({ fill }) => fill)),
      unit: 'share',
      more: { filters: figures, redisMebibytes: Math.round(redisBytes / 2 ** 20) },
    }),
  ];
  const { warnings, wrongs } = complaintsAbout(latencies);
  return { rows, warnings, wrongs: [...wrongs, ...result.wrong.map((text) => `mass: ${text}`)] };
}

/** Both gateways' single calls of a phase. */
export function singlesIn({ report, uses, generatorLagMs }: FinishedLoad, phase: number) {
  return {
    askedPerSecond: CENTRAL_PER_SECOND,
    seconds: report.phaseSeconds[phase] as number,
    tallies: report.streams.map(({ phases }) => phases[phase] as Phase['tallies'][number]),
    use: uses[phase] as Phase['use'],
    generatorLagMs,
    expects: 'counter' as const,
  };
}

/** What Redis itself calls its memory: the log's entries, its stream, its buffers. */
async function redisBytes(network: Network): Promise<number> {
  const info = await network.redis().ask('INFO', 'memory');
  return Number(/^used_memory:(\d+)/m.exec(info)?.[1] ?? 0);
}
