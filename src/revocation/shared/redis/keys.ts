/**
 * The names under which a deployment's log stands in Redis. All share one hash tag, so that a cluster keeps them
 * in one slot, where a script may touch several.
 *
 * | key                              | type   | content                                                     |
 * | {vigie}:log                      | hash   | schema, fingerprint, phase, epoch, seq, state; previous     |
 * | {vigie}:entries:<epoch>          | hash   | 16-byte hash → 44-byte entry, cards and retired keys        |
 * | {vigie}:stream:<epoch>           | stream | id `<seq>-0`, fields h (hash) and e (entry)                 |
 * | {vigie}:idem:<hash>              | string | answer under an Idempotency-Key, 24 hours                   |
 * | {vigie}:lease:<name>             | string | its holder's token, for as long as it holds                 |
 * | {vigie}:filter                   | hash   | name, bytes, header of the snapshot; previous, previousBytes |
 * | {vigie}:filter:<name>:<number>   | string | 256 KiB of a snapshot's bits, the last one less             |
 *
 * `previous` is, while a new life is being founded, the epoch of the one that ends: its entries stay to be read.
 */

export interface KeyNames {
  readonly log: string;
  readonly filter: string;
  entries(epoch: Buffer): string;
  stream(epoch: Buffer): string;
  idempotency(hash: Buffer): string;
  lease(name: 'founding' | 'filter' | 'audit'): string;
  filterChunk(name: string, index: number): string;
}

/** No braces: they would end the hash tag early and scatter the keys. */
export const PREFIX = /^[A-Za-z0-9._-]{1,64}$/;

export function keyNames(prefix: string): KeyNames {
  if (!PREFIX.test(prefix)) throw new RangeError('a prefix has 1 to 64 letters, digits, dots, _ and -');
  const at = `{${prefix}}:`;
  return {
    log: `${at}log`,
    filter: `${at}filter`,
    entries: (epoch) => `${at}entries:${epoch.toString('hex')}`,
    stream: (epoch) => `${at}stream:${epoch.toString('hex')}`,
    idempotency: (hash) => `${at}idem:${hash.toString('hex')}`,
    lease: (name) => `${at}lease:${name}`,
    filterChunk: (name, index) => `${at}filter:${name}:${index}`,
  };
}
