/** Parts `central`, `high` and `herd`: steady open-loop rates at one gateway on its core. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { OpenLoopReport, StreamSpec } from '../../load/open-loop.ts';
import type { Row } from '../../suite.ts';
import type { Network } from './network.ts';
import {
  type FinishedLoad,
  SINGLE_CONNECTIONS,
  underLoad,
  WARM_UP_PER_SECOND,
  WARM_UP_SECONDS,
} from './network-load.ts';
import { complaintsAbout, type PartResult, type Phase, phaseRow } from './rows.ts';
import { CENTRAL_PER_SECOND, HERD_CREDENTIALS_PER_SECOND, HIGH_PER_SECOND, LOT_SIZES } from './workload.ts';

/** Systems that send lots hold few connections each; a nation of them many. */
const LOT_CONNECTIONS = 200;

/** The worst second of a nation, held for as long as the part lasts: at one gateway, as if it had no others. */
export async function measureSingles(network: Network, part: 'central' | 'high', seconds: number) {
  const perSecond = part === 'central' ? CENTRAL_PER_SECOND : HIGH_PER_SECOND;
  const rates = [WARM_UP_PER_SECOND, perSecond];
  const finished = await steadyLoad(network, seconds, [singles(rates)]);
  const row = phaseRow({
    ...phaseOf(finished, 'singles'),
    part,
    what:
      part === 'central' ? 'single calls, worst second held' : 'single calls, the high rate, central state',
    basis: part === 'central' ? ['S1', 'S2', 'A1', 'A5', 'A7', 'A8'] : ['A2', 'A5', 'A7', 'A8'],
    askedPerSecond: perSecond,
    expects: 'counter',
  });
  return resultOf([row]);
}

/** Lots of both sizes, one after the other, each with single calls beside them. */
export async function measureHerd(network: Network, seconds: number): Promise<PartResult> {
  const rows: Row[] = [];
  for (const items of LOT_SIZES) {
    network.say(`nation, herd: lots of ${items}`);
    const perSecond = HERD_CREDENTIALS_PER_SECOND / items;
    const lots: StreamSpec = {
      name: 'lots',
      items,
      connections: LOT_CONNECTIONS,
      source: '127.0.0.1',
      // The warm-up is part of the rate, so that the herd begins at a gateway that has seen lots, and not too many.
      rates: [perSecond / 4, perSecond],
    };
    const calls = singles([WARM_UP_PER_SECOND, CENTRAL_PER_SECOND]);
    const finished = await steadyLoad(network, seconds, [lots, calls]);
    rows.push(
      phaseRow({
        ...phaseOf(finished, 'lots'),
        part: 'herd',
        what: `lots of ${items.toLocaleString('en-US')}`,
        basis: ['S3', 'A3', 'A4'],
        askedPerSecond: Math.round(perSecond),
        items,
        expects: 'served',
      }),
      phaseRow({
        ...phaseOf(finished, 'singles'),
        part: 'herd',
        what: `single calls beside lots of ${items.toLocaleString('en-US')}`,
        basis: ['A1', 'A3', 'A7'],
        askedPerSecond: CENTRAL_PER_SECOND,
        expects: 'counter',
      }),
    );
  }
  return resultOf(rows);
}

function singles(rates: readonly number[]): StreamSpec {
  return { name: 'singles', items: 0, connections: SINGLE_CONNECTIONS, source: '127.0.0.1', rates };
}

/** The warm-up and what is measured, in one run of the generator, so that connections are not opened anew. */
async function steadyLoad(network: Network, seconds: number, streams: readonly StreamSpec[]) {
  const limits = [WARM_UP_SECONDS * 2, seconds * 2];
  const finished = await underLoad(network, limits, streams, async (during) => {
    await during(() => sleep(WARM_UP_SECONDS * 1000));
    await during(() => sleep(seconds * 1000));
  });
  for (const { server } of network.gateways) await server.untilIdle();
  return finished;
}

/** The measured phase: what is not the warm-up. */
function phaseOf({ report, uses, generatorLagMs }: FinishedLoad, stream: string) {
  const tallies = report.streams
    .filter(({ name }) => name === stream)
    .map(({ phases }) => phases[1] as OpenLoopReport['streams'][number]['phases'][number]);
  const use = uses[1] as Phase['use'];
  return { tallies, seconds: report.phaseSeconds[1] as number, use, generatorLagMs };
}

function resultOf(rows: readonly Row[]): PartResult {
  return { rows, ...complaintsAbout(rows) };
}
