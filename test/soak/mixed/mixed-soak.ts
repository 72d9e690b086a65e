/**
 * The mixed soak: honest clients, whose every answer is judged and whose revocations make a history, beside hostile ones,
 * on two gateways that share a Redis and ask for keys. Nothing may be answered wrongly, and nothing may be left behind.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { PAYLOAD_MARK } from '../../attack/attack-target.ts';
import { type Judged, judged } from '../../history/judged.ts';
import { record } from '../../history/recorder.ts';
import { scrape } from '../../support/call.ts';
import type { Gateway } from '../../support/gateway.ts';
import { openDescriptors, residentBytes, rest } from '../at-rest.ts';
import { askWholly, emptyTally, type Play, play } from '../play.ts';
import { beyondQuota, makeAsks, withLines, withoutKey } from '../requests.ts';
import type { Tally } from '../soak-connection.ts';
import { type AttackTally, attack, emptyAttackTally, shuffled } from './attackers.ts';
import { type CallerName, type Fleet, openFleet } from './fleet.ts';
import { type MemoryLine, type MemorySample, memoryLine } from './memory-line.ts';

/** Of each kind at each gateway. */
const HONEST_CLIENTS = 4;
const LEAVING_CLIENTS = 4;
const ATTACKERS = 4;
/** Pauses keep the whole below what two busy cores can do: a soak is long, not hard. */
const HONEST_PAUSE_MS = 20;
const HOSTILE_PAUSE_MS = 40;
const ATTACK_PAUSE_MS = 100;
/** Some seven changes a second, all together: within what may be changed in ten minutes without a word. */
const CHANGE_GAP_MS = 300;
const VERIFY_GAP_MS = 150;
const SAMPLE_GAP_MS = 2_000;
/** Of the honest clients' calls, one in a thousand may be shed. */
export const LEAST_AVAILABILITY = 0.999;
/** Connections that were left are closed by their idle timeout. */
const REST_PATIENCE_MS = 60_000;

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

export interface MixedSoak {
  readonly seconds: number;
  readonly honest: Tally;
  readonly leaving: Tally;
  readonly strangers: Tally;
  readonly greedy: Tally & { overQuota: number };
  readonly attacks: AttackTally;
  readonly history: Judged | undefined;
  /** Batches of the history's clients that were shed. */
  readonly historyShed: number;
  readonly gateways: readonly GatewayAtRest[];
  /** Everything that is not as it has to be; empty where all is well. */
  readonly faults: readonly string[];
}

type Came = Pick<MixedSoak, 'honest' | 'leaving' | 'strangers' | 'greedy' | 'attacks'>;

/** Everybody at once, until `isOver`. */
async function everybody(fleet: Fleet, came: Came, isOver: () => boolean) {
  const asks = makeAsks();
  const of = (caller: CallerName) => withLines(asks, `authorization: ${fleet.key(caller).authorization}`);
  const honest = of('honest');
  const leaving = of('hostile');
  const greedy = beyondQuota(of('greedy'), () => void came.greedy.overQuota++);
  const clients = [...fleet.gateways.values()].flatMap((gateway, which) => {
    const at = (place: number, more: Pick<Play, 'asks' | 'tally' | 'pauseMs'>): Play => ({
      place: 16 * which + place,
      port: gateway.dataPort,
      isOver,
      ...more,
    });
    const some = (count: number, one: (place: number) => Promise<void>) =>
      Array.from({ length: count }, (_, place) => one(place));
    const attacking = { gateway, key: fleet.key('hostile'), tally: came.attacks, isOver };
    const deck = shuffled(which + 1);
    return [
      ...some(HONEST_CLIENTS, (place) =>
        askWholly(at(place, { asks: honest, tally: came.honest, pauseMs: HONEST_PAUSE_MS })),
      ),
      ...some(LEAVING_CLIENTS, (place) =>
        play(at(4 + place, { asks: leaving, tally: came.leaving, pauseMs: HOSTILE_PAUSE_MS })),
      ),
      askWholly(at(8, { asks: withoutKey(asks), tally: came.strangers, pauseMs: HOSTILE_PAUSE_MS }), true),
      askWholly(at(9, { asks: greedy, tally: came.greedy, pauseMs: HOSTILE_PAUSE_MS }), true),
      ...some(ATTACKERS, () => attack({ ...attacking, deck, pauseMs: ATTACK_PAUSE_MS })),
    ];
  });
  await Promise.all(clients);
}

/** `onSample` is told of each look at memory, for whoever watches. */
export async function mixedSoak(
  seconds: number,
  onSample: (atSeconds: number, mib: readonly number[]) => void = () => {},
): Promise<MixedSoak> {
  const fleet = await openFleet();
  try {
    const gateways = [...fleet.gateways];
    const before = await Promise.all(gateways.map(async ([, gateway]) => descriptorsAtRest(gateway)));
    const recording = record({
      fleet: fleet.gateways,
      changeGapMs: CHANGE_GAP_MS,
      verifyGapMs: VERIFY_GAP_MS,
      headers: fleet.key('recorder'),
      mayShed: true,
    });
    const came = {
      seconds,
      honest: emptyTally(),
      leaving: emptyTally(),
      strangers: emptyTally(),
      greedy: { ...emptyTally(), overQuota: 0 },
      attacks: emptyAttackTally(),
    };
    const beganMs = performance.now();
    const since = (): number => (performance.now() - beganMs) / 1_000;
    const isOver = (): boolean => since() >= seconds;
    const memory = sampleMemory(
      gateways.map(([, gateway]) => gateway),
      since,
      isOver,
      onSample,
    );
    await everybody(fleet, came, isOver);
    const samples = await memory;
    const faults = [...faultsOf(came)];
    const ends: GatewayAtRest[] = [];
    // Only at rest, with nobody asking any more, is it seen what is left.
    await recording.stop();
    for (const [i, [name, gateway]] of gateways.entries()) {
      const all = samples.map(({ seconds: at, bytes }) => ({ seconds: at, bytes: bytes[i] as number }));
      ends.push(await endOf(name, gateway, all, seconds, before[i] as number));
    }
    faults.push(...ends.flatMap((end) => [...faultsAtRest(end)]));
    const told = gateways.filter(([, { stderr }]) => stderr().includes(PAYLOAD_MARK));
    faults.push(...told.map(([name]) => `an attack's text stands in the log of ${name}`));
    const history = await judged('soak', recording, fleet.gateways, fleet.redis).catch((error: Error) => {
      faults.push(error.message);
      return undefined;
    });
    return { ...came, history, historyShed: recording.shed(), gateways: ends, faults };
  } finally {
    await fleet.dispose();
  }
}

async function sampleMemory(
  gateways: readonly Gateway[],
  since: () => number,
  isOver: () => boolean,
  onSample: (atSeconds: number, mib: readonly number[]) => void,
) {
  const samples: { seconds: number; bytes: readonly number[] }[] = [];
  for (; !isOver(); await sleep(SAMPLE_GAP_MS)) {
    const bytes = gateways.map(({ pid }) => residentBytes(pid));
    samples.push({ seconds: since(), bytes });
    onSample(
      since(),
      bytes.map((count) => count / 1024 ** 2),
    );
  }
  return samples;
}

async function descriptorsAtRest(gateway: Gateway): Promise<number> {
  await rest(gateway);
  return openDescriptors(gateway.pid);
}

async function endOf(
  name: string,
  gateway: Gateway,
  samples: readonly MemorySample[],
  seconds: number,
  descriptorsBefore: number,
): Promise<GatewayAtRest> {
  const endsAtMs = performance.now() + REST_PATIENCE_MS;
  await rest(gateway);
  while (openDescriptors(gateway.pid) > descriptorsBefore && performance.now() < endsAtMs) await sleep(200);
  // Looked at before the scrape, which has a connection of its own.
  const descriptorsAfter = openDescriptors(gateway.pid);
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

function* faultsAtRest(end: GatewayAtRest): Generator<string> {
  const { name, memory, descriptorsBefore, descriptorsAfter, unexpectedErrors, workerRestarts } = end;
  if (!memory.isFlat) yield `${name}: memory rises by ${memory.riseMib.toFixed(1)} MiB behind its warm-up`;
  if (descriptorsAfter > descriptorsBefore)
    yield `${name}: ${descriptorsAfter} descriptors at rest, ${descriptorsBefore} before`;
  if (workerRestarts !== 0) yield `${name}: ${workerRestarts} workers had to be replaced`;
  if (unexpectedErrors !== 0) yield `${name}: ${unexpectedErrors} unexpected errors`;
}

function* faultsOf({ honest, leaving, strangers, greedy, attacks }: Came): Generator<string> {
  for (const [who, { wrong }] of Object.entries({ honest, leaving, strangers, greedy, attacks }))
    for (const what of wrong) yield `${who}: ${what}`;
  if (honest.right < LEAST_AVAILABILITY * honest.sent)
    yield `honest: ${honest.right} of ${honest.sent} answered, fewer than ${LEAST_AVAILABILITY}`;
  // A soak in which nothing happened would be well too.
  for (const [who, count] of Object.entries({
    'honest answers': honest.right,
    'requests left in the middle': leaving.aborted,
    'refusals of strangers': strangers.right,
    'refusals beyond a quota': greedy.overQuota,
    'attacks as expected': attacks.asExpected,
  }))
    if (count < 10) yield `${who}: ${count}, so that nothing was shown`;
}
