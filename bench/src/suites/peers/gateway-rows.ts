/** A row of the peers suite made of the rounds of a peer and a kind of request. */
import type { LoadReport } from '../../load/load-report.ts';
import { median, significant } from '../../statistics.ts';
import type { Row } from '../../suite.ts';
import { bottleneckOf, figuresOf, utilisationOf, withoutRates } from '../http-cells.ts';
import type { PeerKind, PeerSpec, RunningPeer } from './peer-context.ts';

export interface PeerCell {
  readonly spec: PeerSpec;
  readonly running: RunningPeer;
  readonly kind: PeerKind;
  readonly cannot: readonly string[];
  checkRound?: LoadReport;
  readonly rounds: LoadReport[];
}

const KIND_NAMES = { single: 'single', batch: 'batches of 1,000' } as const;

const nameOf = (spec: PeerSpec, { request }: PeerKind): string =>
  spec.kinds.length === 1 ? spec.peer : `${spec.peer}, ${KIND_NAMES[request]}`;

/** Of all its kinds of request, or of the one that is named. */
export function notRunRow(spec: PeerSpec, why: string, kind?: PeerKind): Row {
  const peer = kind === undefined ? spec.peer : nameOf(spec, kind);
  return { suite: 'peers', kind: 'gateway', peer, isCached: spec.isCached ?? false, cannot: [], notRun: why };
}

export function peerRow(cell: PeerCell, rssMiB: number, ticksPerSecond: number): Row {
  const { spec, running, kind } = cell;
  const figures = figuresOf(cell, 'wrk', ticksPerSecond);
  // What stands behind a proxy has the generator's core, and is no more the peer's fault than the generator.
  const generatorUtilisation = median(
    cell.rounds.map((round) =>
      utilisationOf(round, round.generatorTicks + (round.besideTicks ?? 0), ticksPerSecond),
    ),
  );
  const bottleneck = bottleneckOf(figures.serverUtilisation, generatorUtilisation);
  const measured = bottleneck === 'generator' ? withoutRates(figures) : figures;
  const { serverCpuUsPerRequest, ...others } = measured;
  return {
    suite: 'peers',
    kind: 'gateway',
    peer: nameOf(spec, kind),
    version: running.version,
    isCached: spec.isCached ?? false,
    ...(serverCpuUsPerRequest !== undefined && {
      cpuUsPerVerification: significant(serverCpuUsPerRequest / kind.batch),
    }),
    rssMiB: significant(rssMiB),
    cannot: cell.cannot,
    ...others,
    generatorUtilisation: significant(generatorUtilisation, 3),
    bottleneck,
    generatorWasBottleneck: bottleneck === 'generator',
  };
}

export function warningsOf(row: Row): string[] {
  const { peer, notRun, bottleneck, non2xx = 0, socketErrors = 0, notValid = 0, checked, wrong } = row;
  const warnings: string[] = [];
  if (notRun !== undefined) warnings.push(`${peer}: not run (${notRun})`);
  if (bottleneck === 'generator')
    warnings.push(`${peer}: the generator was the bottleneck, so it has no rates`);
  if (bottleneck === 'neither')
    warnings.push(`${peer}: neither the server nor the generator was saturated (other work on the machine?)`);
  if (Number(non2xx) + Number(socketErrors) > 0)
    warnings.push(`${peer}: ${non2xx} answers were no 2xx, ${socketErrors} socket errors`);
  if (Number(notValid) > 0) warnings.push(`${peer}: ${notValid} of ${checked} answers were not valid`);
  if (wrong === true) warnings.push(`${peer}: refused an honest signature, or accepted an altered one`);
  return warnings;
}

/** A peer that could not be had, or that its generator held down, is no failure; the gateway itself is one. */
export function isUnmeasured({ peer, notRun, generatorWasBottleneck }: Row): boolean {
  return String(peer).startsWith('vigie') && (notRun !== undefined || generatorWasBottleneck === true);
}

/** Answers that should not have been given: the row's figures count for nothing. */
export function isWrong({ non2xx = 0, socketErrors = 0, notValid = 0, wrong }: Row): boolean {
  return Number(non2xx) + Number(socketErrors) + Number(notValid) > 0 || wrong === true;
}
