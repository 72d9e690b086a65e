/** What every copy and the log hold in the end: by each gateway's answers, by its files, by Redis itself. */
import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import { cardHash, holderHash } from '../../src/revocation/card-hash.ts';
import { deriveSecret } from '../../src/revocation/deployment-secret.ts';
import { decodeEntry } from '../../src/revocation/status-entry.ts';
import { openStatusStore } from '../../src/revocation/status-store.ts';
import { accountEntry } from '../../src/revocation/store-account.ts';
import { emptyState } from '../../src/revocation/store-state.ts';
import { call } from '../support/call.ts';
import { fresh, key, MASTER } from '../support/deployment.ts';
import type { Gateway } from '../support/gateway.ts';
import { type RedisServer, until } from '../support/redis.ts';
import { ISS } from '../support/synthetic-issuer.ts';
import type { Final } from './history.ts';
import { holderOf, isSuperseded, SUPERSEDED_BEFORE } from './history-cards.ts';

type Cards = Record<string, 'active' | 'suspended' | 'revoked'>;
type Entries = readonly (readonly [hash: Buffer, entry: Buffer])[];

const SECRET = deriveSecret(MASTER);
/** Healing may have to wait for a gateway's turn to make the log anew, once a minute. */
const HEALING_LIMIT_SECONDS = 90;
const QUERIES_AT_ONCE = 20;

/** Waits until all is healed, asks every gateway, ends it, and looks into its files and into the log. */
export async function finalContents(
  fleet: ReadonlyMap<string, Gateway>,
  cards: readonly string[],
  redis: RedisServer,
): Promise<Final[]> {
  await agreed([...fleet.values()]);
  const answered = new Map<string, Cards>();
  for (const [name, gateway] of fleet) answered.set(name, await askedOf(gateway, cards));
  // A gateway that ends may still write its filter, but nothing into the log.
  const finals = [finalOf('the log', await entriesOfLog(redis), cards)];
  for (const [name, gateway] of fleet) {
    gateway.signal('SIGTERM');
    const { code } = await gateway.ended;
    if (code !== 0) throw new Error(`${name} ended with ${code}:\n${gateway.stderr()}`);
    const stored = finalOf(`${name}'s files`, await entriesOfFiles(gateway.dataDir), cards);
    finals.push(stored, { ...stored, holder: name, cards: answered.get(name) as Cards });
  }
  return finals;
}

/** All fresh, and all at the same change. */
async function agreed(gateways: readonly Gateway[]): Promise<void> {
  const heads = async () => {
    await fresh(gateways, HEALING_LIMIT_SECONDS);
    return Promise.all(
      gateways.map(async ({ admin }) => {
        const { json } = await call<{ seq: number; epoch: string; replication: { state: string } }>(
          `${admin}/admin/v1/status/summary`,
        );
        return `${json.epoch} ${json.seq} ${json.replication.state}`;
      }),
    );
  };
  await until(
    async () => {
      const all = new Set(await heads());
      return all.size === 1 && [...all][0]?.endsWith(' following') === true;
    },
    'one head everywhere',
    HEALING_LIMIT_SECONDS,
  );
}

async function askedOf(gateway: Gateway, cards: readonly string[]): Promise<Cards> {
  const found: Cards = {};
  for (let at = 0; at < cards.length; at += QUERIES_AT_ONCE) {
    await Promise.all(
      cards.slice(at, at + QUERIES_AT_ONCE).map(async (jti) => {
        const body = isSuperseded(jti) ? { iss: ISS, sub: holderOf(jti) } : { iss: ISS, jti };
        const { status, json, text } = await call<{ status: Cards[string] | 'superseded' }>(
          `${gateway.admin}/admin/v1/status-query`,
          { body },
        );
        if (status !== 200) throw new Error(`status ${status}: ${text}`);
        found[jti] = json.status === 'superseded' ? 'revoked' : json.status;
      }),
    );
  }
  return found;
}

async function entriesOfFiles(dataDir: string): Promise<Entries> {
  const opened = await openStatusStore({
    dir: join(dataDir, 'status'),
    secret: SECRET,
    filter: { capacity: 100_000, falsePositiveRate: 1e-6 },
    clock: systemClock,
    purge: false,
  });
  if (!opened.ok) throw new Error(opened.message);
  const { db, close } = opened.store;
  const entries = [db.cards, db.retirements].flatMap((table) =>
    [...table.getRange({})].map(
      ({ key: hash, value }) => [Buffer.from(hash as Buffer), Buffer.from(value)] as const,
    ),
  );
  await close();
  return entries;
}

async function entriesOfLog({ admin }: RedisServer): Promise<Entries> {
  const epoch = await admin.hgetBuffer(key('log'), 'epoch');
  const fields = (await admin.callBuffer('HGETALL', key(`entries:${epoch?.toString('hex')}`))) as Buffer[];
  return Array.from({ length: fields.length / 2 }, (_, i) => [fields[2 * i], fields[2 * i + 1]] as never);
}

/** The digest is taken from the entries themselves; only authentic ones count as a status. */
function finalOf(holder: string, entries: Entries, cards: readonly string[]): Final {
  const state = emptyState();
  for (const [hash, entry] of entries) accountEntry(state, hash, entry, 1);
  const byHash = new Map(entries.map(([hash, entry]) => [hash.toString('hex'), entry]));
  const found: Cards = {};
  for (const jti of cards) {
    const { cardHashKey, entryMacKey } = SECRET;
    const hash = isSuperseded(jti)
      ? holderHash(cardHashKey, ISS, holderOf(jti))
      : cardHash(cardHashKey, ISS, jti);
    const bytes = byHash.get(hash.toString('hex'));
    const entry = bytes && decodeEntry(entryMacKey, hash, bytes);
    // Whatever instant but the one that was asked for would spare the card, or revoke another.
    if (entry?.status === 'superseded') {
      if (entry.issuedBefore === SUPERSEDED_BEFORE) found[jti] = 'revoked';
    } else if (entry !== undefined && entry.status !== 'key-retired') found[jti] = entry.status;
  }
  const { digest, revoked, suspended, reinstated, superseded } = state;
  return {
    type: 'final',
    holder,
    digest: `${[...digest]} ${revoked} ${suspended} ${reinstated} ${superseded}`,
    cards: found,
  };
}
