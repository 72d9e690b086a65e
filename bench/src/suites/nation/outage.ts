/**
 * Part `outage`: Redis stands still (SIGSTOP) and later dies (SIGKILL) and comes back, while the counters go on at the
 * central rate: nobody at a counter is to notice, and every answer is to say how old what it rests on is.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ISSUER } from '../../corpus/credentials.ts';
import type { Row } from '../../suite.ts';
import { singlesIn } from './mass.ts';
import type { Network } from './network.ts';
import { centralSingles, type FinishedLoad, underLoad, WARM_UP_SECONDS } from './network-load.ts';
import {
  judgeOutage,
  type Outage,
  type OutageFigures,
  type OutageWatch,
  POLL_MS,
  type Sight,
  watchOutage,
  wrongSights,
} from './outage-watch.ts';
import { complaintsAbout, figureRow, type PartResult, phaseRow } from './rows.ts';

/** Long enough to become stale, and to be it for a while. */
const LEAST_OUTAGE_SECONDS = 8;
const RETURN_LIMIT_MS = 60_000;
const STALE_BAR_MS = 5_000;
const FRESH_BAR_MS = 10_000;
/** A claim may be older by a round of confirmations that were under way, and never younger than it is. */
const OVERSTATED_BAR_MS = 2_000;
/** Clocks of two processes, and the way of an answer. */
const UNDERSTATED_BAR_MS = 10;
const CHANGE_TIMEOUT_MS = 5_000;

type Kind = 'stopped' | 'killed';

export async function measureOutage(network: Network, seconds: number): Promise<PartResult> {
  const watch = watchOutage(network);
  const wrongs: string[] = [];
  const outages: TimedOutage[] = [];
  try {
    const finished = await breakRedis(network, { seconds, watch, wrongs, outages });
    return resultOf(finished, { sights: watch.sights(), wrongs, outages });
  } finally {
    await watch.stop();
  }
}

interface TimedOutage {
  readonly kind: Kind;
  readonly outage: Outage;
}

/** What is noted while it lasts. */
interface OutageRun {
  readonly seconds: number;
  readonly watch: OutageWatch;
  readonly wrongs: string[];
  readonly outages: TimedOutage[];
}

async function breakRedis(network: Network, run: OutageRun): Promise<FinishedLoad> {
  const { seconds, watch, wrongs, outages } = run;
  const calmSeconds = Math.max(3, seconds / 4);
  const outageSeconds = Math.max(LEAST_OUTAGE_SECONDS, seconds / 4);
  const afterLimit = calmSeconds + RETURN_LIMIT_MS / 1000;
  // In each outage a change is tried and Redis starts again, which takes its time.
  const outageLimit = 2 * outageSeconds + RETURN_LIMIT_MS / 1000;
  const limits = [2 * WARM_UP_SECONDS, 2 * calmSeconds, outageLimit, afterLimit, outageLimit, afterLimit];
  return underLoad(network, limits, centralSingles(network, limits.length), async (during) => {
    await during(() => sleep(WARM_UP_SECONDS * 1000));
    await during(() => sleep(calmSeconds * 1000));
    // One that stands still keeps its connections and answers nothing; one that is killed refuses them.
    for (const kind of ['stopped', 'killed'] as const) {
      network.say(`nation, outage: Redis is ${kind}`);
      outages.push({ kind, outage: await during(() => takeAway(network, kind, outageSeconds, wrongs)) });
      network.say('nation, outage: Redis is back');
      await during(() => recover(watch, calmSeconds, wrongs));
    }
  });
}

function resultOf(
  finished: FinishedLoad,
  { sights, wrongs, outages }: Pick<OutageRun, 'wrongs' | 'outages'> & { readonly sights: readonly Sight[] },
): PartResult {
  const common = { part: 'outage', basis: ['A1', 'A5', 'A7'] as const };
  const phases = ['before', 'Redis stopped', 'after it goes on', 'Redis killed', 'after its restart'];
  const latencies = phases.map((when, i) =>
    phaseRow({ ...singlesIn(finished, i + 1), ...common, what: `single calls, ${when}` }),
  );
  const rows = [
    ...latencies,
    ...outages.flatMap(({ kind, outage }, i) => {
      const end = outages[i + 1]?.outage.goneMs ?? Number.POSITIVE_INFINITY;
      const own = sights.filter(({ answeredMs }) => answeredMs < end);
      return rowsOf(kind, judgeOutage(own, outage));
    }),
    verdictsRow(sights),
  ];
  const complaints = complaintsAbout(latencies);
  const wrong = [...wrongs, ...wrongSights(sights)].map((text) => `outage: ${text}`);
  return { rows, warnings: complaints.warnings, wrongs: [...complaints.wrongs, ...wrong] };
}

/** Returns when Redis is back; of what was tried meanwhile, nothing may have been acknowledged. */
async function takeAway(network: Network, kind: Kind, seconds: number, wrongs: string[]): Promise<Outage> {
  const redis = network.redis();
  const goneMs = performance.now();
  process.kill(redis.pid, kind === 'stopped' ? 'SIGSTOP' : 'SIGKILL');
  const status = await tryToRevoke(network, `outage-${kind}`);
  if (status === 200) wrongs.push('a revocation was acknowledged that no log could have taken');
  await sleep(Math.max(0, goneMs + seconds * 1000 - performance.now()));
  if (kind === 'stopped') process.kill(redis.pid, 'SIGCONT');
  else await network.restartRedis();
  return { goneMs, backMs: performance.now() };
}

/** The status it was answered with; 0 for none, which acknowledges nothing either. */
async function tryToRevoke({ gateways }: Network, jti: string): Promise<number> {
  const [first] = gateways as [Network['gateways'][number]];
  try {
    const response = await fetch(`${first.admin}/admin/v1/status-changes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ changes: [{ iss: ISSUER, jti, status: 'revoked' }] }),
      signal: AbortSignal.timeout(CHANGE_TIMEOUT_MS),
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0;
  }
}

/** The phase after an outage: until all is well, and as long as a calm one. */
async function recover(watch: OutageWatch, calmSeconds: number, wrongs: string[]): Promise<void> {
  const isFresh = await watch.untilAll('fresh', RETURN_LIMIT_MS);
  if (!isFresh) wrongs.push(`a gateway was not fresh ${RETURN_LIMIT_MS} ms after Redis was back`);
  await sleep(calmSeconds * 1000);
}

function rowsOf(kind: Kind, figures: OutageFigures): Row[] {
  const { staleAfterMs, understatedMs, overstatedMs, freshAfterMs } = figures;
  const common = { part: 'outage', basis: ['A7'] as const };
  const isRightAge = understatedMs <= UNDERSTATED_BAR_MS && overstatedMs <= OVERSTATED_BAR_MS;
  return [
    figureRow({
      ...common,
      what: `Redis ${kind}: until both gateways say stale`,
      value: staleAfterMs / 1000,
      unit: 's',
      expectation: `<= ${STALE_BAR_MS / 1000} s, seen each ${POLL_MS} ms`,
      pass: staleAfterMs <= STALE_BAR_MS + 2 * POLL_MS,
    }),
    figureRow({
      ...common,
      what: `Redis ${kind}: age said, beyond the outage's own`,
      value: overstatedMs,
      unit: 'ms',
      expectation: `<= ${OVERSTATED_BAR_MS} ms, never less`,
      pass: isRightAge,
      more: { understatedMs: Math.round(understatedMs) },
    }),
    figureRow({
      ...common,
      what: `Redis ${kind}: from its return to fresh on both`,
      value: freshAfterMs / 1000,
      unit: 's',
      expectation: `<= ${FRESH_BAR_MS / 1000} s`,
      pass: freshAfterMs <= FRESH_BAR_MS,
    }),
  ];
}

/** How often the two cards were asked for: what none wrong is none of. */
function verdictsRow(sights: readonly Sight[]): Row {
  const wrong = sights.filter(({ reason, expected }) => reason !== expected).length;
  return figureRow({
    part: 'outage',
    what: 'a good and a revoked card, asked of both all along',
    basis: ['A5'],
    value: sights.length,
    unit: 'verdicts',
    expectation: 'none wrong',
    pass: wrong === 0,
    more: { wrong },
  });
}
