/**
 * The mixed soak: honest clients, whose every answer is judged and whose revocations make a history, beside hostile ones,
 * on two gateways that share a Redis and ask for keys. Nothing may be answered wrongly, and nothing may be left behind.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Judged, judged } from '../../history/judged.ts';
import { record } from '../../history/recorder.ts';
import type { Gateway } from '../../support/gateway.ts';
import { REST_PATIENCE_MS, residentBytes } from '../at-rest.ts';
import { askWholly, emptyTally, type Play, play } from '../play.ts';
import { beyondQuota, makeAsks, withLines, withoutKey } from '../requests.ts';
import type { Tally } from '../soak-connection.ts';
import { within } from '../within.ts';
import { type AttackTally, attack, CASE_DEADLINE_MS, emptyAttackTally, shuffled } from './attackers.ts';
import { type CallerName, type Fleet, openFleet } from './fleet.ts';
import {
  descriptorsAtRest,
  endOf,
  faultsAtRest,
  faultsInLog,
  type GatewayAtRest,
} from './gateway-at-rest.ts';

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
/** For whatever is under way when the soak is over: longer than any timeout of a gateway, and than any attack has. */
const END_PATIENCE_MS = CASE_DEADLINE_MS + 30_000;
/** The gateways agree, are asked for every card, and end: as long as all its own deadlines together. */
const JUDGE_PATIENCE_MS = 600_000;

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

/** Everybody at once, until `isOver`: what each of them is about. */
function everybody(fleet: Fleet, came: Came, isOver: () => boolean): Promise<void>[] {
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
  return clients;
}

/** `onSample` is told of each look at memory, for whoever watches. */
export async function mixedSoak(
  seconds: number,
  onSample: (atSeconds: number, mib: readonly number[]) => void = () => {},
): Promise<MixedSoak> {
  const fleet = await openFleet();
  try {
    const gateways = [...fleet.gateways];
    const before = await Promise.all(gateways.map(([, gateway]) => descriptorsAtRest(gateway)));
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
    const { faults, endsIn } = noteFaults();
    const memory = sampleMemory(gateways, since, isOver, onSample);
    // One that waits for an answer that never comes, or whose gateway is gone, is a fault; all others go on.
    const patienceMs = 1_000 * seconds + END_PATIENCE_MS;
    const clients = everybody(fleet, came, isOver);
    await Promise.all(clients.map((one, i) => endsIn(`client ${i} of ${clients.length}`, one, patienceMs)));
    await endsIn('the look at memory', memory.ended, END_PATIENCE_MS);
    faults.push(...faultsOf(came));
    // Only at rest, with nobody asking any more, is it seen what is left.
    const isRecorded = await endsIn('the recording', recording.stop(), END_PATIENCE_MS);
    const ends: GatewayAtRest[] = [];
    for (const [i, [name, gateway]] of gateways.entries()) {
      const samples = memory.samples.map(({ bytes, ...at }) => ({ ...at, bytes: bytes[i] as number }));
      const soaked = { name, gateway, samples, seconds, descriptorsBefore: before[i] as number };
      const end = endOf(soaked).then((one) => void ends.push(one));
      await endsIn(name, end, 2 * REST_PATIENCE_MS + END_PATIENCE_MS);
      faults.push(...faultsInLog(name, gateway));
    }
    faults.push(...ends.flatMap((end) => [...faultsAtRest(end)]));
    let history: Judged | undefined;
    const judge = async (): Promise<void> => {
      history = await judged('soak', recording, fleet.gateways, fleet.redis);
    };
    if (isRecorded) await endsIn('the judgement of the history', judge(), JUDGE_PATIENCE_MS);
    return { ...came, history, historyShed: recording.shed(), gateways: ends, faults };
  } finally {
    await fleet.dispose();
  }
}

/** What goes wrong, in words: what does not end, or fails, is told of and keeps nobody from going on. */
function noteFaults() {
  const faults: string[] = [];
  const endsIn = (what: string, promise: Promise<unknown>, deadlineMs: number): Promise<boolean> =>
    within(promise, deadlineMs, 'it').then(
      () => true,
      (error: Error) => {
        faults.push(`${what}: ${error.message}`);
        return false;
      },
    );
  return { faults, endsIn };
}

interface MemorySamples {
  readonly samples: { readonly seconds: number; readonly bytes: readonly number[] }[];
  /** Rejected when a process could not be looked at any more. */
  readonly ended: Promise<void>;
}

function sampleMemory(
  gateways: readonly (readonly [string, Gateway])[],
  since: () => number,
  isOver: () => boolean,
  onSample: (atSeconds: number, mib: readonly number[]) => void,
): MemorySamples {
  const samples: MemorySamples['samples'] = [];
  const look = async (): Promise<void> => {
    for (; !isOver(); await sleep(SAMPLE_GAP_MS)) {
      const bytes = gateways.map(([, { pid }]) => residentBytes(pid));
      samples.push({ seconds: since(), bytes });
      onSample(
        since(),
        bytes.map((count) => count / 1024 ** 2),
      );
    }
  };
  const ended = look();
  // Whoever waits for it does so at the end: until then it is nobody's unhandled rejection.
  ended.catch(() => {});
  return { samples, ended };
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
