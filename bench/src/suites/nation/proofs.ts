/**
 * Part `proofs`: the audit with two signatures, the issuer's and the holder's, at a gateway of its own: a proof is taken
 * once only, so a run is as long as what can be signed for it, and several of them are added up.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { prepareCorpus } from '../../corpus/credentials.ts';
import { type PresentationRequests, signRequests } from '../../corpus/presentation-requests.ts';
import type { LoadReport } from '../../load/load-report.ts';
import { requireGenerator } from '../../load/run-load.ts';
import { type Options, UsageError } from '../../options.ts';
import { CACHE_DIR } from '../../paths.ts';
import { clockTicksPerSecond } from '../../process/cpu-time.ts';
import { type Gateway, startGateway } from '../../process/targets.ts';
import { type PresenceCell, presenceCells, requestsOf } from '../presence-cells.ts';
import { probePresentations } from '../presence-probes.ts';
import { measureRounds } from '../rounds.ts';
import { otherVerdicts, reasonsOf } from '../verdict-counts.ts';
import { auditRow, complaintsAboutAudit } from './audit.ts';
import type { PartResult } from './rows.ts';

/** The widest there is: signing for a round takes a while, and proofs must still hold at its end. */
const WINDOW_SECONDS = 600;
/** The warm-up and the check round use up proofs as well, and so do the questions before. */
const ROUNDS_BESIDES = 2;
const PROBED = 100;
/** What VIGIE_REPLAY_ENTRIES takes. */
const MOST_REMEMBERED = 12_000_000;

export async function measureProofs(
  options: Options,
  dir: string,
  seconds: number,
  say: (text: string) => void,
): Promise<PartResult> {
  // None is to be forgotten within the run; a larger table than that would only be slower.
  const remembered = (options.rounds + ROUNDS_BESIDES) * options.credentials + PROBED;
  if (remembered > MOST_REMEMBERED) {
    throw new UsageError(`proofs: so many rounds are more than ${MOST_REMEMBERED} proofs`);
  }
  // The only one that ends when it has sent all.
  requireGenerator('wrk');
  const corpus = prepareCorpus(CACHE_DIR, options.credentials, say, 'held-credentials');
  const dataDir = join(dir, 'data');
  mkdirSync(dataDir, { mode: 0o700, recursive: true });
  const settings = {
    VIGIE_PROOF_WINDOW: String(WINDOW_SECONDS),
    VIGIE_REPLAY_ENTRIES: String(remembered),
  };
  const { engine, serverCore, generatorCore } = options;
  const gateway = await startGateway({ engine, workers: 1, cores: [serverCore], dataDir, settings }, corpus);
  try {
    await probePresentations(gateway, corpus, WINDOW_SECONDS);
    const before = await reasonsOf(gateway);
    const cell = batchesWithProofs();
    let requests: PresentationRequests | undefined;
    await measureRounds<PresenceCell>({
      suite: 'nation, proofs',
      cells: [cell],
      targetOf: () => gateway,
      seconds,
      options: { ...options, generator: 'wrk' },
      corpus,
      beforeRound: async () => {
        requests = await signRequests(corpus, dir, [serverCore, generatorCore]);
      },
      besides: () => ({ requests: requests && requestsOf(cell, requests) }),
    });
    return await resultOf(cell, gateway, before);
  } finally {
    await gateway.server.stop();
  }
}

function batchesWithProofs(): PresenceCell {
  return presenceCells().find(
    ({ kind, server, hasProof }) => kind.request === 'batch' && server === 'local' && hasProof,
  ) as PresenceCell;
}

async function resultOf(
  { kind, rounds, checkRound }: PresenceCell,
  gateway: Gateway,
  before: Awaited<ReturnType<typeof reasonsOf>>,
): Promise<PartResult> {
  const sum = (reports: readonly LoadReport[], figure: (report: LoadReport) => number): number =>
    reports.reduce((total, report) => total + figure(report), 0);
  const all = [...rounds, ...(checkRound ? [checkRound] : [])];
  const seconds = sum(rounds, (r) => r.seconds);
  const ticks = clockTicksPerSecond() * seconds;
  const row = auditRow({
    part: 'proofs',
    what: 'a year of care sheets, issuer and holder signatures',
    basis: ['S3', 'A8', 'A9', 'A10'],
    credentials: sum(rounds, (r) => r.requests - r.non2xx) * kind.batch,
    batches: sum(all, (r) => r.requests + r.socketErrors),
    unserved: sum(all, (r) => r.non2xx + r.socketErrors),
    wrong: sum(all, (r) => r.notValid),
    seconds,
    use: {
      gatewayCores: [sum(rounds, (r) => r.serverTicks) / ticks],
      redisCores: 0,
      generatorCores: sum(rounds, (r) => r.generatorTicks) / ticks,
    },
  });
  const { warnings, wrongs } = complaintsAboutAudit(row);
  const others = otherVerdicts(before, await reasonsOf(gateway)).map((text) => `proofs: ${text}`);
  return { rows: [row], warnings, wrongs: [...wrongs, ...others] };
}
