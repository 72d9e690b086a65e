/**
 * A filter at rest: what the shared log publishes for new gateways, and what a gateway keeps beside its store.
 *
 * A snapshot says: these bits hold every card that was not active at `seq` of this epoch, but perhaps for those whose
 * credential had expired before the instant it names. They may hold more (changes made while they were copied), never
 * less. Nothing in it is trusted before its MAC is checked.
 *
 * | offset | bytes | content                                                            |
 * |      0 |     4 | schema version                                                     |
 * |      4 |    16 | fingerprint of the deployment's secret                             |
 * |     20 |    16 | epoch                                                              |
 * |     36 |     8 | seq, float64 like all numbers that follow                          |
 * |     44 |     8 | capacity                                                           |
 * |     52 |     8 | target false-positive rate                                         |
 * |     60 |     8 | entries counted                                                    |
 * |     68 |     8 | bits set                                                           |
 * |     76 |     8 | version 2 alone: cards expired before may be missing (seconds)     |
 * |  76/84 |    32 | HMAC-SHA256 over a label, all bits, and the header before          |
 *
 * What leaves nothing out is version 1, which older gateways read as well; they refuse version 2.
 *
 * The bits are the filter's words in little-endian order, hence bit i is bit i mod 8 of byte i div 8.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  type FilterParameters,
  type FilterReader,
  type FilterWriter,
  filterBits,
  filterLayout,
  restoreFilter,
} from '../bloom-filter.ts';
import type { DeploymentSecret } from '../deployment-secret.ts';
import { createPacer } from '../pacer.ts';
import { EPOCH_BYTES } from './epoch.ts';
import type { FilterSnapshot } from './shared-log.ts';

const FINGERPRINT_AT = 4;
const EPOCH_AT = 20;
const SEQ_AT = 36;
const CAPACITY_AT = 44;
const RATE_AT = 52;
const ENTRIES_AT = 60;
const BITS_SET_AT = 68;
const LEFT_OUT_AT = 76;
const MAC_BYTES = 32;
/** Where the MAC stands, by schema version. */
const MAC_AT = { 1: LEFT_OUT_AT, 2: LEFT_OUT_AT + 8 } as const;
/** Copied, counted and MACed at a time: about half a millisecond. Whole words. */
const CHUNK_BYTES = 2 ** 18;

/** Up to where a filter holds everything. */
export interface FilterPosition {
  readonly epoch: Buffer;
  readonly seq: number;
}

/**
 * Why a snapshot is not used. `truncated`: shorter or longer than its parameters ask for; `unknown-schema`: of
 * another version; `foreign`: made under another secret; `wrong-parameters`: impossible, or not those wanted;
 * `lacks-expired`: it leaves out cards that this gateway keeps; `forged`: the MAC does not hold, by malice or accident.
 */
export type SnapshotRefusal =
  | 'truncated'
  | 'unknown-schema'
  | 'foreign'
  | 'wrong-parameters'
  | 'lacks-expired'
  | 'forged';

/** What a gateway can use. */
export interface WantedFilter extends FilterParameters {
  /** Cards expired before this instant may be missing, later ones must not; absent: none may. */
  readonly leftOutBefore?: number;
}

export type ParsedSnapshot =
  | ({ readonly ok: true; readonly filter: FilterWriter } & FilterPosition)
  | { readonly ok: false; readonly reason: SnapshotRefusal };

/**
 * Encodes a filter that holds everything up to `position` now, and that may be added to meanwhile. Takes as much
 * memory as the filter, and gives the event loop its turns.
 */
export async function encodeFilterSnapshot(
  secret: DeploymentSecret,
  filter: FilterReader,
  position: FilterPosition,
): Promise<FilterSnapshot> {
  const leftOutBefore = filter.leftOutBefore();
  const version = leftOutBefore > 0 ? 2 : 1;
  const macAt = MAC_AT[version];
  const header = Buffer.alloc(macAt + MAC_BYTES);
  header.writeUInt32BE(version, 0);
  if (version === 2) header.writeDoubleBE(leftOutBefore, LEFT_OUT_AT);
  header.set(secret.fingerprint, FINGERPRINT_AT);
  position.epoch.copy(header, EPOCH_AT);
  header.writeDoubleBE(position.seq, SEQ_AT);
  header.writeDoubleBE(filter.capacity, CAPACITY_AT);
  header.writeDoubleBE(filter.falsePositiveRate, RATE_AT);
  header.writeDoubleBE(filter.entries(), ENTRIES_AT);
  const live = filterBits(filter);
  const bits = Buffer.from(new ArrayBuffer(live.length));
  const mac = createHmac('sha256', secret.filterMacKey).update(MAC_LABEL);
  const pacer = createPacer();
  let bitsSet = 0;
  for (let at = 0; at < bits.length; at += CHUNK_BYTES) {
    // Counted and MACed in the copy: the live bits may change between two looks.
    bits.set(live.subarray(at, at + CHUNK_BYTES), at);
    const chunk = bits.subarray(at, at + CHUNK_BYTES);
    bitsSet += countOnes(chunk);
    mac.update(chunk);
    if (pacer.spent()) await pacer.rest();
  }
  header.writeDoubleBE(bitsSet, BITS_SET_AT);
  mac.update(header.subarray(0, macAt)).digest().copy(header, macAt);
  return { header, bits };
}

/**
 * Checks a snapshot and makes a filter of it, in shared memory.
 *
 * @param wanted if given, a snapshot of another rate or of a smaller capacity is refused, and one that lacks more.
 */
export async function parseFilterSnapshot(
  secret: DeploymentSecret,
  snapshot: FilterSnapshot,
  wanted?: WantedFilter,
): Promise<ParsedSnapshot> {
  const { header, bits } = snapshot;
  const version = header.length === MAC_AT[2] + MAC_BYTES ? 2 : 1;
  const macAt = MAC_AT[version];
  if (header.length !== macAt + MAC_BYTES) return { ok: false, reason: 'truncated' };
  if (header.readUInt32BE(0) !== version) return { ok: false, reason: 'unknown-schema' };
  if (!header.subarray(FINGERPRINT_AT, EPOCH_AT).equals(secret.fingerprint)) {
    return { ok: false, reason: 'foreign' };
  }
  const capacity = header.readDoubleBE(CAPACITY_AT);
  const falsePositiveRate = header.readDoubleBE(RATE_AT);
  const parameters = { capacity, falsePositiveRate };
  const leftOutBefore = version === 2 ? header.readDoubleBE(LEFT_OUT_AT) : 0;
  if (!arePossible(parameters) || !suit(parameters, wanted)) {
    return { ok: false, reason: 'wrong-parameters' };
  }
  // Not `>`: what is no number leaves out nobody knows what.
  if (wanted !== undefined && !(leftOutBefore <= (wanted.leftOutBefore ?? 0))) {
    return { ok: false, reason: 'lacks-expired' };
  }
  if (filterLayout(parameters).bitBytes !== bits.length) return { ok: false, reason: 'truncated' };
  const mac = createHmac('sha256', secret.filterMacKey).update(MAC_LABEL);
  const pacer = createPacer();
  for (let at = 0; at < bits.length; at += CHUNK_BYTES) {
    mac.update(bits.subarray(at, at + CHUNK_BYTES));
    if (pacer.spent()) await pacer.rest();
  }
  mac.update(header.subarray(0, macAt));
  if (!timingSafeEqual(mac.digest(), header.subarray(macAt))) return { ok: false, reason: 'forged' };
  const content = {
    bits,
    bitsSet: header.readDoubleBE(BITS_SET_AT),
    entries: header.readDoubleBE(ENTRIES_AT),
    leftOutBefore,
  };
  return {
    ok: true,
    filter: restoreFilter(parameters, content),
    epoch: Buffer.from(header.subarray(EPOCH_AT, EPOCH_AT + EPOCH_BYTES)),
    seq: header.readDoubleBE(SEQ_AT),
  };
}

/** A snapshot in one piece, as it stands in a file, header first; what is cut short is refused when it is parsed. */
export function splitFilterSnapshot(bytes: Buffer): FilterSnapshot {
  const version = bytes.length >= 4 && bytes.readUInt32BE(0) === 2 ? 2 : 1;
  const headerBytes = MAC_AT[version] + MAC_BYTES;
  return { header: bytes.subarray(0, headerBytes), bits: bytes.subarray(headerBytes) };
}

const MAC_LABEL = 'vigie/1/filter-snapshot';

function arePossible({ capacity, falsePositiveRate }: FilterParameters): boolean {
  return Number.isSafeInteger(capacity) && capacity >= 1 && falsePositiveRate > 0 && falsePositiveRate < 1;
}

/** A larger capacity suits: the filter grew beyond what was configured. */
function suit(parameters: FilterParameters, wanted: FilterParameters | undefined): boolean {
  if (wanted === undefined) return true;
  return parameters.falsePositiveRate === wanted.falsePositiveRate && parameters.capacity >= wanted.capacity;
}

/** Bits set in whole words (SWAR, Warren, Hacker's Delight 5-1). */
function countOnes(bytes: Buffer): number {
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  let ones = 0;
  for (let i = 0; i < words.length; i++) {
    let word = words[i] as number;
    word -= (word >>> 1) & 0x55555555;
    word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
    ones += (((word + (word >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
  }
  return ones;
}
