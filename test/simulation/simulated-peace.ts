/** Whether a simulated run has come to rest, and what all its copies and the log hold then. */
import { issuerKeyHash } from '../../src/revocation/card-hash.ts';
import { accountEntry } from '../../src/revocation/store-account.ts';
import { emptyState } from '../../src/revocation/store-state.ts';
import { ISS, SECRET, statusIn } from './model-cards.ts';
import { decodedEntry } from './model-copy.ts';
import { lifeOf } from './model-server.ts';
import type { Run } from './simulated-run.ts';

/** All up, all fresh on one log, all the same. */
export function isPeace(run: Run): boolean {
  const { cluster, gateways, scheduler } = run;
  const { open, founding } = cluster.primary.data;
  if (!cluster.primary.up || open === undefined || founding !== undefined) return false;
  if (run.disturbances.some(({ toMs }) => toMs > scheduler.nowMs())) return false;
  const alike = gateways.every(({ process, disk }) => {
    if (process === undefined || process.replicator.status().state !== 'following') return false;
    return process.freshness.read().ageMs < 1_000 && disk.epoch.equals(open.epoch) && disk.whole;
  });
  return alike && new Set(holders(run).map(({ digest }) => digest)).size === 1;
}

/** What the copies and the log hold, each summed up from its entries. */
function holders({ cluster, gateways }: Run) {
  const { data } = cluster.primary;
  const log = data.open === undefined ? new Map() : lifeOf(data, data.open.epoch);
  const all = [
    ...gateways.map(({ name, disk }) => ({ name, entries: disk.entries })),
    { name: 'log', entries: log },
  ];
  return all.map(({ name, entries }) => {
    const state = emptyState();
    for (const stored of entries.values()) {
      // A forged entry under a hash that nobody has does no harm in the log: it is refused by whoever reads it.
      const counts = name !== 'log' || decodedEntry(SECRET.entryMacKey, stored) !== undefined;
      if (counts) accountEntry(state, stored.hash, stored.entry, 1);
    }
    return { name, entries, digest: Buffer.from(state.digest.buffer).toString('hex') };
  });
}

/** Unless bit rot took it. */
export function isRetiredEverywhere(run: Run, kid: string): boolean {
  const name = issuerKeyHash(SECRET.cardHashKey, ISS, kid).toString('hex');
  if (run.rotted.some(({ hash }) => hash.toString('hex') === name)) return true;
  return holders(run).every(({ entries }) => {
    const stored = entries.get(name);
    return stored !== undefined && decodedEntry(SECRET.entryMacKey, stored)?.status === 'key-retired';
  });
}

export function recordFinals(run: Run): void {
  for (const { name, entries, digest } of holders(run)) {
    const cards: Record<string, 'active' | 'suspended' | 'revoked'> = {};
    for (const card of run.cards) {
      const status = statusIn((hash) => entries.get(hash.toString('hex'))?.entry, card);
      if (status !== undefined && status !== 'unreadable') cards[card] = status;
    }
    run.history.push({ type: 'final', holder: name, digest, cards });
  }
}

export function describe(run: Run): string {
  const states = run.gateways.map(({ name, process, disk }) => {
    const status = process?.replicator.status();
    return `${name} ${status?.state} ${disk.epoch.toString('hex')} ${disk.state.seq} ${disk.whole}`;
  });
  const { open, founding } = run.cluster.primary.data;
  return `${states.join('; ')}; log ${open?.epoch.toString('hex')} ${open?.seq} ${founding !== undefined}`;
}
