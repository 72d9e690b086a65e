/**
 * What a simulated run has lost where nobody could know: it excuses an answer that would be wrong otherwise. Looked for
 * every so often (`lookedMs`), so that a loss counts from the last time that all was there.
 */
import type { HashedEntry } from '../../src/revocation/shared/shared-log.ts';
import { winner } from '../../src/revocation/shared/winner.ts';
import { hashOf, holderHashOf, holderOf, SECRET, statusIn, supersededBy } from './model-cards.ts';
import { entryInLog } from './model-cluster.ts';
import { decodedEntry } from './model-copy.ts';
import type { Run } from './simulated-run.ts';

export function noteLosses(run: Run, lookedMs: number): void {
  const { data, up } = run.cluster.primary;
  if (!up || data.founding !== undefined) return;
  const nowMs = run.scheduler.nowMs();
  for (const card of run.acknowledged.keys()) {
    const there = statusIn((hash) => entryInLog(run.cluster, hash), card) === 'revoked';
    const sinceMs = run.losses.get(card);
    if (there && sinceMs !== undefined) endLoss(run, card, sinceMs);
    if (!there && sinceMs === undefined) run.losses.set(card, nowMs - lookedMs);
  }
}

/** Nobody could know if no gateway that holds the revocation could be counted on all the time. */
function endLoss(run: Run, card: string, fromMs: number): void {
  run.losses.delete(card);
  const toMs = run.scheduler.nowMs();
  const known = run.gateways.some((gateway) => {
    const disturbed = run.disturbances.some(
      (span) => span.gateway === gateway && span.fromMs <= toMs && span.toMs >= fromMs,
    );
    const { entries } = gateway.disk;
    return !disturbed && statusIn((hash) => entries.get(hash.toString('hex'))?.entry, card) === 'revoked';
  });
  if (!known) run.history.push({ type: 'unknowable', card, fromMs, toMs });
}

/** A rotten entry is destroyed when nothing authentic that is as good stands anywhere. */
export function noteDestroyed(run: Run, lookedMs: number): void {
  const { data } = run.cluster.primary;
  const places = [...run.gateways.map(({ disk }) => disk.entries), ...data.lives.values()];
  for (const original of run.rotted) {
    if (decodedEntry(SECRET.entryMacKey, original) === undefined) continue;
    const name = original.hash.toString('hex');
    const stands = places.some((entries) => {
      const other = entries.get(name);
      if (other === undefined || decodedEntry(SECRET.entryMacKey, other) === undefined) return false;
      return winner(other.entry, original.entry).equals(other.entry);
    });
    if (stands) continue;
    for (const card of cardsOf(run, original)) {
      if (run.destroyed.has(card)) continue;
      run.destroyed.add(card);
      run.history.push({ type: 'destroyed', card, atMs: run.scheduler.nowMs() - lookedMs });
    }
  }
}

/** Whose status an entry is, or whose revocation, where it supersedes several. */
function cardsOf({ cards }: Run, stored: HashedEntry): string[] {
  const entry = decodedEntry(SECRET.entryMacKey, stored);
  if (entry?.status !== 'superseded') return cards.filter((card) => hashOf(card).equals(stored.hash));
  const one = cards.find((card) => holderHashOf(holderOf(card)).equals(stored.hash));
  return one === undefined ? [] : supersededBy(holderOf(one), entry.issuedBefore);
}

export function endLosses(run: Run): void {
  for (const [card, sinceMs] of [...run.losses]) endLoss(run, card, sinceMs);
}
