/**
 * The revocation side of one gateway of several: its store is a copy of a shared log, kept one with it by the
 * replicator. It serves by that copy, whether the log can be reached or not, and says how old the copy is.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '../config.ts';
import { describeError } from '../log.ts';
import { createDelays } from '../metrics/delays.ts';
import { reconnectionMsOf } from '../redis/connection-options.ts';
import { cardHash, holderHash, issuerKeyHash } from '../revocation/card-hash.ts';
import { mayBeLeftOutBefore } from '../revocation/filter-horizon.ts';
import type { FreshnessWriter } from '../revocation/freshness.ts';
import { restoreChangeWindow } from '../revocation/mass-change-limit.ts';
import { countApplied, createAdmission } from '../revocation/shared/admission.ts';
import { createLastConfirmed } from '../revocation/shared/last-confirmed.ts';
import { createLmdbCopy } from '../revocation/shared/lmdb-copy.ts';
import { openRedisLog } from '../revocation/shared/redis/redis-log.ts';
import { createReplicator } from '../revocation/shared/replicator.ts';
import { runReplicator } from '../revocation/shared/replicator-runner.ts';
import { settleMsFor } from '../revocation/shared/settling.ts';
import type { LogRecord } from '../revocation/shared/shared-log.ts';
import { isBrandNew } from '../revocation/shared/snapshot-start.ts';
import { authenticFields, decodeEntry, SUPERSEDED } from '../revocation/status-entry.ts';
import type { StatusAnswer } from '../revocation/status-reader.ts';
import { summaryOf } from '../revocation/status-summary.ts';
import type { SupersedeAnswer } from '../revocation/superseded.ts';
import { canaryCardHash } from './canary-revocation.ts';
import { type FirstStart, runFirstStart } from './first-start.ts';
import { observeLog } from './observed-log.ts';
import type { RedisSettings } from './redis-settings.ts';
import { logReplicatorEvent } from './replicator-events.ts';
import { startLogCare } from './shared-log-care.ts';
import { auditUntilKnown, condemn } from './start-audit.ts';
import {
  closingTimeMs,
  graceMsOf,
  mayBeHeldBy,
  type StatusParts,
  type StatusSide,
  sharedRevocation,
} from './status-side.ts';
import { startStoreCare } from './store-care.ts';

/** How long the step under way may take to end once its connections are closed; less where the drain took it all. */
const STOP_DEADLINE_MS = 2_000;
const SHORTEST_STOP_MS = 100;

export function createSharedStatus(parts: StatusParts, redis: RedisSettings): StatusSide {
  const { config, clock, log, store } = parts;
  const { secret } = store;
  const freshness = rememberingFreshness(parts);
  const listeners: (() => Promise<unknown>)[] = [];
  const enforceRetirements = async () => Promise.all(listeners.map((listener) => listener()));
  /** In the background, where nobody else would hear of a failure. */
  const failed = (what: string) => (error: unknown) => log('error', what, describeError(error));
  let firstStart: FirstStart | undefined;
  const copy = createLmdbCopy({
    store,
    onRetiredKeys: () => void enforceRetirements().catch(failed('retired keys were not enforced')),
    mayClear: () => firstStart?.isOver() !== false,
  });
  const redisLog = openRedisLog({ ...redis, fingerprint: secret.fingerprint });
  const { log: sharedLog, figures } = observeLog(redisLog, clock);
  const window = restoreChangeWindow({
    store,
    clock,
    massChangeLimit: config.massChangeLimit,
    massChangeWindowMs: LIMITS.massChangeWindowMs,
    uncounted: canaryCardHash(secret),
  });
  const enforcement = createDelays();
  const startedAtMs = clock.wallMs();
  const settleMs = settleMsFor(redis.timeoutMs, reconnectionMsOf(redis));
  const replicator = createReplicator({
    log: sharedLog,
    copy,
    freshness,
    macKey: secret.entryMacKey,
    clock,
    random: Math.random,
    randomBytes,
    onEvent: (event) => logReplicatorEvent(log, event),
    onApplied: (records) => {
      countApplied(window, records);
      const delays = delaysOf(records, { sinceMs: startedAtMs, nowMs: clock.wallMs() });
      for (const delayMs of delays) enforcement.observe(delayMs / 1000);
    },
    settings: { settleMs },
  });
  const admission = createAdmission({
    log: sharedLog,
    copy,
    replicator,
    secret,
    window,
    clock,
    random: Math.random,
    sleep,
    massChangeLimit: config.massChangeLimit,
  });
  /** A copy that is too old, or that never was whole, does not know of what it lacks. */
  const asFarAsKnown = <T extends { readonly status: string }>(hash: Buffer, known: T) => {
    if (store.filter.mightContain(hash) || known.status !== 'active') return known;
    return freshness.read().state === 'expired' ? ({ status: 'unreadable' } as const) : known;
  };
  const stopping = new AbortController();
  const care = startStoreCare(store, log);
  if (isBrandNew(store)) {
    firstStart = runFirstStart({
      log: sharedLog,
      store,
      copy,
      freshness: parts.freshness,
      clock,
      wanted: {
        capacity: config.filterCapacity,
        falsePositiveRate: config.filterFalsePositiveRate,
        // The publisher's last change bounded its clock; this gateway has none to bound its own by.
        leftOutBefore: mayBeLeftOutBefore(graceMsOf(config), clock.wallMs()),
      },
      settleMs,
      signal: stopping.signal,
      onUnusable: (reason) => {
        log('warn', 'the published snapshot of the filter is of no use here', { because: reason });
        // Of other settings is no fault; anything else is not what this release's gateways made.
        if (reason !== 'wrong-parameters' && reason !== 'lacks-expired') replicator.refused('filter');
      },
      enforceFilter: care.replaceFilter,
      enforceRetirements,
      isFollowing: () => replicator.status().state === 'following',
      report: log,
    });
  }
  const running = runReplicator(replicator, stopping.signal, failed('a step of the replication failed'));
  const { monotonicMs } = clock;
  const logCare = startLogCare({ sharedLog, store, replicator, monotonicMs, log });
  // What a start by the filter's file did not look at; what it finds, the replicator mends.
  if (store.start.by === 'file') {
    const audited = auditUntilKnown({
      audit: copy.audit,
      log,
      sleep: (ms) => sleep(ms, undefined, { ref: false }),
    }).then((result) => {
      if (result === 'unreadable') condemn(store, log);
      if (typeof result === 'string') return;
      log(result.found.sound ? 'info' : 'error', 'status store audited', result.found);
    });
    audited.catch(failed('the status store could not be audited'));
  }
  return {
    store,
    changes: admission,
    summary: () => summaryOf(store),
    isRetired: (iss, kid) => {
      const hash = issuerKeyHash(secret.cardHashKey, iss, kid);
      const known = store.retirementOf(hash);
      // The snapshot of a filter is all that a first start knows of retired keys.
      const mayBeMissing = !store.completeness.isComplete() && store.filter.mightContain(hash);
      return known === 'not-retired' && mayBeMissing ? 'unreadable' : known;
    },
    proveRevoked: async (hashes) => {
      const asked = hashes.map((hash) => Buffer.from(hash));
      const found = await sharedLog.entriesOf(asked);
      if (!found.ok) return [];
      // A revocation is final, and so is a supersede, so its entry proves it whoever brought it. Nothing else there
      // proves anything: an entry that is missing, or an older one, may be an intruder's work.
      return asked.map((hash, i) => {
        const bytes = found.value[i];
        const entry = bytes && decodeEntry(secret.entryMacKey, hash, bytes);
        if (entry?.status === SUPERSEDED) return entry.issuedBefore;
        return entry?.status === 'revoked' ? Infinity : -Infinity;
      });
    },
    get shared() {
      return sharedRevocation(store, freshness);
    },
    view: freshness.read,
    statusOf: (iss, jti) => {
      const hash = cardHash(secret.cardHashKey, iss, jti);
      const known: StatusAnswer = mayBeHeldBy(store, hash) ? store.statusOf(hash) : { status: 'active' };
      return asFarAsKnown(hash, known);
    },
    supersedeOf: (iss, sub) => {
      const hash = holderHash(secret.cardHashKey, iss, sub);
      const isAsked = mayBeHeldBy(store, hash);
      const known: SupersedeAnswer = isAsked ? store.supersedeOf(hash) : { status: 'active' };
      return asFarAsKnown(hash, known);
    },
    onKeyRetirements: (listener) => void listeners.push(listener),
    handFilterBy: care.handFilterBy,
    enforcement,
    rebuildFilter: care.rebuildFilter,
    replication: { status: replicator.status, calls: figures, snapshotAgeMs: logCare.snapshotAgeMs },
    close: async (endsAtMs) => {
      stopping.abort();
      // Ends the calls under way; what they were to find out, the next start finds out.
      redisLog.close();
      const ended = Promise.all([running, logCare.stop()]);
      const stepMs = Math.min(STOP_DEADLINE_MS, Math.max(SHORTEST_STOP_MS, closingTimeMs(clock, endsAtMs)));
      await Promise.race([ended, sleep(stepMs, undefined, { ref: false })]);
      freshness.flush();
      await care.stop(closingTimeMs(clock, endsAtMs));
      await store.close();
    },
  };
}

/** Beats as told, and has the store remember when; begins with the age that the store remembers. */
function rememberingFreshness({
  clock,
  log,
  store,
  freshness,
}: StatusParts): FreshnessWriter & { flush(): void } {
  const confirmed = createLastConfirmed(store);
  const ageMs = confirmed.recallAgeMs(clock.wallMs());
  if (ageMs !== undefined) freshness.beat(clock.monotonicMs() - ageMs);
  const head = store.check();
  if (head.ok) freshness.publishSeq(head.value.seq);
  log('info', 'copy of the shared log open', { ageMs: ageMs ?? null, seq: head.ok ? head.value.seq : null });
  return {
    ...freshness,
    beat: (beganMs) => {
      freshness.beat(beganMs);
      confirmed.note(clock.wallMs() - (clock.monotonicMs() - beganMs));
    },
    flush: confirmed.flush,
  };
}

/**
 * By the admitting gateway's clock, so as exact as the clocks agree; an extension keeps an older instant. What was
 * changed before this gateway was there could not be enforced by it, and would make each start look like a failure.
 */
function delaysOf(records: readonly LogRecord[], from: { sinceMs: number; nowMs: number }): number[] {
  return records
    .map(({ entry }) => authenticFields(entry))
    .filter(({ extendsOnly, sinceMs }) => !extendsOnly && sinceMs >= from.sinceMs)
    .map(({ sinceMs }) => Math.max(0, from.nowMs - sinceMs));
}
