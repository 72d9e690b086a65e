/**
 * Keeps the trust list in effect: loads it, refreshes it, falls back on the last known good one, and lets no
 * bad list replace a good one. Control plane: it lives in the main thread; workers get the plain list.
 */
import { createKeyAdmission } from './key-admission.ts';
import { type LastKnownGood, loadLastKnownGood, storeLastKnownGood } from './last-known-good.ts';
import { createSingleFlight } from './single-flight.ts';
import { parseCandidate } from './trust-candidate.ts';
import { compareWithPrevious } from './trust-guard.ts';
import { buildTrustIndex } from './trust-index.ts';
import type {
  RefreshResult,
  ReloadOutcome,
  StartOutcome,
  TrustKeeper,
  TrustKeeperOptions,
  TrustStatus,
} from './trust-keeper-contract.ts';
import { createTrustPublisher } from './trust-publisher.ts';
import { createRefreshTimer } from './trust-refresh-timer.ts';
import { refuse, TRUST_REFUSAL_REASONS, type TrustRefusal } from './trust-refusal.ts';
import { readTrustSource } from './trust-source.ts';
import type { TrustList } from './trusted-key.ts';
import { createUnknownKeys } from './unknown-keys.ts';

interface Candidate {
  readonly ok: true;
  readonly list: TrustList;
  readonly change: 'new' | 'unchanged';
  readonly raw: Uint8Array;
}

export function createTrustKeeper(options: TrustKeeperOptions): TrustKeeper {
  const { source, clock, log } = options;
  const stopping = new AbortController();
  const admission = createKeyAdmission();
  const unknownKeys = createUnknownKeys(clock, options.unknownKeyRefreshMs);
  const confirmedListeners = new Set<(atMonotonicMs: number) => void>();
  const publisher = createTrustPublisher(options.isRetired, (failed, version) =>
    log('trust_list_not_enforced', { failed, version }),
  );
  const outcomes = Object.fromEntries(
    ['new', 'unchanged', ...TRUST_REFUSAL_REASONS].map((outcome) => [outcome, 0]),
  ) as Record<RefreshResult, number>;
  let lastOutcome: TrustStatus['lastOutcome'];
  /** What candidates are compared with: the last list admitted, be it in this run or before it. */
  let previous: TrustList | undefined;
  let confirmedAtMs: number | undefined;
  let index: ReturnType<typeof buildTrustIndex> | undefined;
  /** Set by `start`; no candidate is judged before the list on disk is known. */
  let lastKnownGood: Promise<LastKnownGood> | undefined;

  const flight = createSingleFlight(async (allowShrink) => {
    try {
      return await refresh(allowShrink);
    } catch (error) {
      // Whatever went wrong, refreshes must not end in silence.
      timer.schedule('retry');
      throw error;
    }
  });
  const timer = createRefreshTimer(options, refreshInBackground);

  function refreshInBackground(): void {
    flight.ask(false).catch((error: unknown) => {
      // The name alone: a message may quote the list, or the URL with its query.
      log('trust_list_refresh_failed', { error: error instanceof Error ? error.name : typeof error });
    });
  }

  async function refresh(allowShrink: boolean): Promise<ReloadOutcome> {
    if (lastKnownGood === undefined) throw new Error('the trust keeper was not started');
    await lastKnownGood;
    // Taken before the source is asked, so that the age of its answer is never understated.
    const askedAtWallMs = clock.wallMs();
    const askedAtMs = clock.monotonicMs();
    const candidate = await fetchCandidate(allowShrink);
    if (stopping.signal.aborted) return refuse('stopped', 'stopped');
    count(candidate);
    if (!candidate.ok) {
      log('trust_list_refused', { source: source.name, reason: candidate.reason, fault: candidate.fault });
      timer.schedule(candidate.reason === 'unreachable' || previous === undefined ? 'retry' : 'interval');
      return candidate;
    }
    const { list, change, raw } = candidate;
    previous = list;
    // On disk before in effect: a restart must not go back to a list that this one had replaced.
    const kept = await keep(list, raw, askedAtWallMs);
    const inEffect =
      change === 'unchanged' && publisher.current?.version === list.version && publisher.enforced;
    const enforced = inEffect || (await putIntoEffect(list));
    if (enforced) confirm(askedAtMs);
    if (!inEffect) log('trust_list_taken', { version: list.version, ...countsOf(list) });
    timer.schedule('interval');
    return { ok: true, change, version: list.version, enforced, kept };
  }

  /** The source's list if it may follow the previous one; the dearest check, the keys', comes last. */
  async function fetchCandidate(allowShrink: boolean): Promise<Candidate | TrustRefusal> {
    const read = await readTrustSource(source, options, stopping.signal);
    if (!read.ok) return read;
    const parsed = parseCandidate(read.bytes, options);
    if (!parsed.ok) return parsed;
    const guarded = compareWithPrevious(previous, parsed.list, { allowShrink });
    if (!guarded.ok) return guarded;
    const admitted = await admission.check(parsed.list, stopping.signal);
    if (!admitted.ok) return admitted;
    return { ok: true, list: parsed.list, change: guarded.change, raw: read.bytes };
  }

  function count(candidate: Candidate | TrustRefusal): void {
    const outcome = candidate.ok ? candidate.change : candidate.reason;
    outcomes[outcome]++;
    const fault = candidate.ok ? {} : { fault: candidate.fault };
    lastOutcome = { outcome, atWallMs: clock.wallMs(), ...fault };
  }

  async function keep(list: TrustList, raw: Uint8Array, fetchedAtMs: number): Promise<boolean> {
    const stored = { source: source.identity, version: list.version, fetchedAtMs, raw };
    const kept = await storeLastKnownGood(options.lastKnownGoodFile, stored);
    // A full disk must not keep a withdrawn key alive: the list takes effect, and the fault is said.
    if (!kept.ok) log('trust_list_not_kept', { version: list.version, fault: kept.fault });
    return kept.ok;
  }

  async function putIntoEffect(list: TrustList): Promise<boolean> {
    index = buildTrustIndex(list);
    unknownKeys.clear();
    return publisher.publish(list);
  }

  function confirm(atMonotonicMs: number): void {
    confirmedAtMs = atMonotonicMs;
    for (const listener of confirmedListeners) listener(atMonotonicMs);
  }

  async function start(): Promise<StartOutcome> {
    if (lastKnownGood !== undefined) throw new Error('a trust keeper starts once');
    lastKnownGood = recallLastKnownGood();
    const known = await lastKnownGood;
    const ignored = known.found || known.reason === 'absent' ? {} : { lastKnownGoodIgnored: known.reason };
    const outcome = await flight.ask(false);
    if (outcome.ok) return { ok: true, from: 'source', ...ignored };
    if (known.found) return fallBack(known, outcome);
    if (source.kind === 'url' && outcome.reason === 'unreachable') {
      return { ok: true, from: 'none', refusal: outcome, ...ignored };
    }
    timer.stop();
    return { ok: false, error: `trust list ${source.name}: ${outcome.reason}: ${outcome.fault}` };
  }

  async function recallLastKnownGood(): Promise<LastKnownGood> {
    const known = await loadLastKnownGood(options.lastKnownGoodFile, source.identity, options, admission);
    if (known.found) previous = known.list;
    else if (known.reason !== 'absent') {
      log('last_known_good_ignored', { reason: known.reason, fault: known.fault });
    }
    return known;
  }

  async function fallBack(
    known: LastKnownGood & { found: true },
    refusal: TrustRefusal,
  ): Promise<StartOutcome> {
    const sinceMs = clock.wallMs() - known.fetchedAtMs;
    // From the future: a clock was set, so nobody knows how old the list is, and an age is never understated.
    // It then counts as beyond every limit (`keys_stale`) until its source confirms a list.
    const ageMs = sinceMs >= 0 ? sinceMs : null;
    log('last_known_good_used', { version: known.list.version, ageMs, reason: refusal.reason });
    // A refresh since may have put a newer list into effect already.
    if (publisher.current === undefined && (await putIntoEffect(known.list)) && ageMs !== null) {
      confirm(clock.monotonicMs() - ageMs);
    }
    return { ok: true, from: 'last_known_good', refusal };
  }

  return {
    start,
    reload: ({ allowShrink }) => flight.ask(allowShrink),
    noteUnknownKey(iss, kid) {
      if (lastKnownGood === undefined || stopping.signal.aborted || index?.key(iss, kid) !== undefined)
        return;
      if (unknownKeys.worthRefresh(iss, kid, confirmedAtMs)) refreshInBackground();
    },
    async retireKey(iss, kid) {
      const enforced = await publisher.refreshRetirements();
      return { known: index?.key(iss, kid) !== undefined, enforced };
    },
    refreshRetirements: () => publisher.refreshRetirements(),
    onChange: (listener) => publisher.onChange(listener),
    onConfirmed(listener) {
      confirmedListeners.add(listener);
      return () => confirmedListeners.delete(listener);
    },
    get current() {
      return publisher.current;
    },
    status: () => ({
      sourceKind: source.kind,
      sourceName: source.name,
      ...(publisher.current === undefined ? {} : { version: publisher.current.version }),
      ...countsOf(publisher.current),
      ...(confirmedAtMs === undefined ? {} : { ageMs: clock.monotonicMs() - confirmedAtMs }),
      ...(lastOutcome === undefined ? {} : { lastOutcome }),
      outcomes: { ...outcomes },
    }),
    async stop() {
      stopping.abort();
      timer.stop();
      await flight.idle();
    },
  };
}

function countsOf(list: TrustList | undefined): { issuers: number; keys: number; retiredKeys: number } {
  const keys = list?.issuers.flatMap((issuer) => issuer.keys) ?? [];
  return {
    issuers: list?.issuers.length ?? 0,
    keys: keys.length,
    retiredKeys: keys.filter((key) => key.retired).length,
  };
}
