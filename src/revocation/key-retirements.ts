/**
 * Emergency retirements of issuer keys: entries of the same log as card statuses, final, never expiring.
 *
 * They are few, so there is no filter before them: whoever builds a trust index asks for each of its keys.
 */
import type { Clock } from '../clock.ts';
import { issuerKeyHash } from './card-hash.ts';
import { type ChangeOutcome, unavailable } from './change-call.ts';
import type { FreshnessWriter } from './freshness.ts';
import { logKey } from './status-database.ts';
import { decodeEntry, encodeEntry, KEY_RETIRED, type StatusEntry } from './status-entry.ts';
import type { RetirementAnswer } from './status-reader.ts';
import type { StatusStore } from './status-store.ts';
import { foldEntry } from './store-digest.ts';
import type { Decision, StoreResult } from './store-transaction.ts';

export interface KeyRetirements {
  /** Withdraws an issuer key for good; repeating it changes nothing. Durable on return. */
  retireKey(iss: string, kid: string): ChangeOutcome;
  isRetired(iss: string, kid: string): RetirementAnswer;
  /** The hashes (`issuerKeyHash`) of all retired keys. */
  retiredKeyHashes(): StoreResult<Buffer[]>;
}

export function createKeyRetirements(options: {
  readonly store: StatusStore;
  readonly freshness: FreshnessWriter;
  readonly clock: Clock;
}): KeyRetirements {
  const { store, freshness, clock } = options;
  const hashOf = (iss: string, kid: string) => issuerKeyHash(store.secret.cardHashKey, iss, kid);
  return {
    retireKey: (iss, kid) => {
      const outcome = retire(store, hashOf(iss, kid), clock.wallMs());
      if (outcome.outcome === 'applied') freshness.publishSeq(outcome.seq);
      return outcome;
    },
    isRetired: (iss, kid) => store.retirementOf(hashOf(iss, kid)),
    retiredKeyHashes: () => {
      const checked = store.check();
      if (!checked.ok) return checked;
      try {
        return { ok: true, value: [...store.db.retirements.getKeys({})].map((key) => Buffer.from(key)) };
      } catch {
        return { ok: false, fault: 'io-error' };
      }
    },
  };
}

function retire(store: StatusStore, hash: Buffer, nowMs: number): ChangeOutcome {
  const { db, secret } = store;
  const result = store.transact((state): Decision<ChangeOutcome> => {
    const old = db.retirements.get(hash);
    if (old !== undefined) {
      const readable = decodeEntry(secret.entryMacKey, hash, old) !== undefined;
      return {
        commit: false,
        value: readable
          ? { outcome: 'applied', seq: state.seq }
          : { outcome: 'unavailable', cause: 'unreadable-entry' },
      };
    }
    const entry: StatusEntry = {
      status: KEY_RETIRED,
      why: undefined,
      sinceMs: nowMs,
      expiresAt: Infinity,
      seq: state.seq + 1,
      extendsOnly: false,
    };
    const record = encodeEntry(secret.entryMacKey, hash, entry);
    foldEntry(state.digest, hash, record, 1);
    state.retiredKeys++;
    state.seq = entry.seq;
    state.lastChangeMs = nowMs;
    db.retirements.putSync(hash, record);
    db.log.putSync(logKey(entry.seq), Buffer.concat([hash, record]));
    return { commit: true, value: { outcome: 'applied', seq: entry.seq } };
  });
  return result.ok ? result.value : unavailable(result);
}
