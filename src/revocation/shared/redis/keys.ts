/**
 * The names under which a deployment's log stands in Redis. All share one hash tag (`key-tag.ts`).
 *
 * | key                              | type   | content                                                     |
 * | {vigie}:log                      | hash   | schema, fingerprint; epoch, seq, state; founding, founder, until |
 * | {vigie}:entries:<epoch>          | hash   | 16-byte hash → 44-byte entry, cards and retired keys        |
 * | {vigie}:stream:<epoch>           | stream | id `<seq>-0`, fields h (hash) and e (entry)                 |
 * | {vigie}:idem:<epoch>:<hash>      | string | answer under an Idempotency-Key, 24 hours                   |
 * | {vigie}:holds                    | zset   | token of each gateway that holds the log, until when (ms)   |
 * | {vigie}:lease:<name>             | string | its holder's token, for as long as it holds                 |
 * | {vigie}:pulse                    | string | nothing, a day; only where a cluster's replicas must confirm |
 * | {vigie}:filter                   | hash   | name, bytes, header of the snapshot; previous, previousBytes |
 * | {vigie}:filter:<name>:<number>   | string | 256 KiB of a snapshot's bits, the last one less             |
 *
 * `founding` is the epoch of the life being founded, if any, by the holder of the token `founder`, whose lease ends
 * at `until` (ms, by Redis's clock); epoch, seq and state are those of the life that is open or was last. The
 * channel {vigie}:pulse carries nothing either: see `confirmationCalls`.
 */
import { keyTag } from '../../../redis/key-tag.ts';

export interface KeyNames {
  readonly log: string;
  readonly filter: string;
  readonly holds: string;
  readonly pulse: string;
  /** Matches the entries and streams of all lives, for SCAN; and little else. */
  readonly lives: string;
  entries(epoch: Buffer): string;
  stream(epoch: Buffer): string;
  /** The life whose entries or stream stand under this name. */
  lifeOf(key: string): Buffer | undefined;
  idempotency(epoch: Buffer, hash: Buffer): string;
  lease(name: 'filter' | 'audit'): string;
  filterChunk(name: string, index: number): string;
}

export function keyNames(prefix: string): KeyNames {
  const at = keyTag(prefix);
  return {
    log: `${at}log`,
    filter: `${at}filter`,
    holds: `${at}holds`,
    pulse: `${at}pulse`,
    lives: `${at}[es][nt][tr]*`,
    entries: (epoch) => `${at}entries:${epoch.toString('hex')}`,
    stream: (epoch) => `${at}stream:${epoch.toString('hex')}`,
    lifeOf: (key) => {
      const [, epoch] = /^(?:entries|stream):([0-9a-f]{32})$/.exec(key.slice(at.length)) ?? [];
      return epoch === undefined ? undefined : Buffer.from(epoch, 'hex');
    },
    idempotency: (epoch, hash) => `${at}idem:${epoch.toString('hex')}:${hash.toString('hex')}`,
    lease: (name) => `${at}lease:${name}`,
    filterChunk: (name, index) => `${at}filter:${name}:${index}`,
  };
}
