/** Wiring of who may call: the files of callers of both listeners, the callers' places, and their buckets. */

import { createBucketSides } from '../callers/bucket-sides.ts';
import { allocateBuckets } from '../callers/buckets.ts';
import { buildCallerIndex, type CallerIndex, type PlacedCaller } from '../callers/caller-index.ts';
import { ADMIN_SCOPES, type Caller, DATA_SCOPES, type Scope } from '../callers/caller-list.ts';
import { createCallerPlaces } from '../callers/caller-places.ts';
import { type CallersKeeper, createCallersKeeper } from '../callers/callers-keeper.ts';
import { systemClock } from '../clock.ts';
import { type Config, LIMITS } from '../config.ts';
import type { Log } from '../log.ts';
import type { CallerFacts } from '../metrics/caller-metrics.ts';
import type { SharedCallers } from '../workers/protocol.ts';

export interface CallersSide {
  /** What the data plane is born with; `undefined` where anybody may call. */
  readonly shared: SharedCallers | undefined;
  readonly facts: CallerFacts;
  /** Users of the admin listener as of now; `undefined` where no file names any. */
  adminUsers(): CallerIndex | undefined;
  /** From now on lists that are new are handed over by this; it resolves to whether they are in force everywhere. */
  handOverBy(give: (list: readonly PlacedCaller[]) => Promise<boolean>): Promise<boolean>;
  stop(): void;
}

export interface CallersWiring {
  readonly config: Config;
  readonly log: Log;
  /** Under which keys are hashed. */
  readonly hashKey: Uint8Array;
}

/** Reads both files, if the settings name any; a file that cannot be taken now stops the start. */
export async function openCallers(
  wiring: CallersWiring,
): Promise<{ ok: true; callers: CallersSide } | { ok: false; error: string }> {
  const { config, hashKey } = wiring;
  const places = createCallerPlaces(LIMITS.callerPlaces);
  const buckets = allocateBuckets(LIMITS.callerPlaces);
  const sides = createBucketSides(buckets, LIMITS.callerPlaces - 1, systemClock.monotonicMs);
  let list: readonly PlacedCaller[] = [];
  let give = async (_: readonly PlacedCaller[]): Promise<boolean> => true;
  let adminUsers: CallerIndex | undefined;
  const watched: Watched[] = [];

  const data = await watch(wiring, 'data', config.callersFile, DATA_SCOPES, async (callers) => {
    list = callers.map((caller) => {
      const place = places.placeOf(caller.name);
      return { ...caller, place, side: sides.sideOf(place, caller.quota) };
    });
    return (await give(list)) ? undefined : 'a worker does not take the list of callers';
  });
  if (data?.ok === false) return data;
  const admin = await watch(wiring, 'admin', config.adminCallersFile, ADMIN_SCOPES, async (users) => {
    adminUsers = buildCallerIndex(
      users.map((user) => ({ ...user, place: 0, side: 0 })),
      hashKey,
    );
    return undefined;
  });
  if (admin?.ok === false) {
    data?.watched.keeper.stop();
    return admin;
  }
  for (const one of [data, admin]) if (one !== undefined) watched.push(one.watched);
  const callers: CallersSide = {
    shared: config.callersFile === undefined ? undefined : { list, hashKey, buckets },
    facts: {
      names: places.names,
      files: () => watched.map(({ listener, isFaulty }) => ({ listener, isFaulty: isFaulty() })),
    },
    adminUsers: () => adminUsers,
    handOverBy: (how) => {
      give = how;
      // What came while the workers started reached none of them.
      return config.callersFile === undefined ? Promise.resolve(true) : how(list);
    },
    stop: () => {
      for (const { keeper } of watched) keeper.stop();
    },
  };
  return { ok: true, callers };
}

interface Watched {
  readonly listener: 'data' | 'admin';
  readonly keeper: CallersKeeper;
  isFaulty(): boolean;
}

async function watch(
  { config, log }: CallersWiring,
  listener: Watched['listener'],
  file: string | undefined,
  scopes: readonly Scope[],
  onList: (callers: readonly Caller[]) => Promise<string | undefined>,
): Promise<{ ok: true; watched: Watched } | { ok: false; error: string } | undefined> {
  if (file === undefined) return undefined;
  let fault: string | undefined;
  const keeper = createCallersKeeper({
    file,
    scopes,
    maxBytes: LIMITS.callersFileBytes,
    bounds: { callers: LIMITS.callers, batchItems: LIMITS.batchItems },
    refreshMs: config.callersRefreshSeconds * 1000,
    onList: async (callers) => {
      const untaken = await onList(callers);
      if (untaken === undefined) log('info', 'callers taken', { listener, callers: callers.length });
      return untaken;
    },
    onFault: (now) => {
      fault = now;
      if (now === undefined) log('info', 'the file of callers is good again', { listener });
      else log('error', 'the file of callers is refused, the last good one stays', { listener, fault: now });
    },
  });
  const first = await keeper.look();
  if (first === undefined)
    return { ok: true, watched: { listener, keeper, isFaulty: () => fault !== undefined } };
  keeper.stop();
  const setting = listener === 'data' ? 'VIGIE_CALLERS_FILE' : 'VIGIE_ADMIN_CALLERS_FILE';
  return { ok: false, error: `${setting}: ${file}: ${first}` };
}
