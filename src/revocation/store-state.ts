/**
 * The store's two records about itself.
 *
 * The header says what the store is, before any secret is needed: schema version, the secret's fingerprint,
 * the epoch (one life of the log; see `shared/epoch.ts`). The state says what it holds: last sequence number, how many
 * entries and their digest, under a MAC, written in the same transaction as every change. So a store that
 * came back smaller, older in part or altered does not add up, and is not opened.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { DIGEST_WORDS, emptyDigest, type StoreDigest } from './store-digest.ts';

/**
 * Version 2 may hold supersedes, version 1 holds none. A store becomes one of version 2 with its first, for good, so
 * that a release that does not know them refuses it instead of passing over them.
 */
export const STORE_SCHEMA_VERSION = 1;
export const SUPERSEDE_SCHEMA_VERSION = 2;

export function isKnownSchema(version: number | undefined): boolean {
  return version === STORE_SCHEMA_VERSION || version === SUPERSEDE_SCHEMA_VERSION;
}

/** Where the records stand in the store's `meta` database, and the name of who may write. */
export const META_HEADER = Buffer.from('header');
export const META_STATE = Buffer.from('state');
export const META_OWNER = Buffer.from('owner');
/** There while the copy is being reconciled with the shared log, whatever its content. */
export const META_RECONCILING = Buffer.from('reconciling');

const FINGERPRINT_BYTES = 16;
const EPOCH_BYTES = 16;
const HEADER_BYTES = 4 + FINGERPRINT_BYTES + EPOCH_BYTES;

export interface StoreHeader {
  readonly schemaVersion: number;
  readonly fingerprint: Buffer;
  readonly epoch: Buffer;
}

export interface StoreState {
  /** Of the last change; 0 before the first. Contiguous: each effective change takes the next. */
  seq: number;
  /** Wall time of the last change, milliseconds since the epoch: the store's own notion of "now". */
  lastChangeMs: number;
  revoked: number;
  suspended: number;
  /** Cards whose suspension was lifted: entries, though nothing is held against them. */
  reinstated: number;
  retiredKeys: number;
  /** Holders whose older credentials count as revoked. */
  superseded: number;
  /** Over cards, retired keys and holders. */
  digest: StoreDigest;
}

const FIRST_NUMBERS = ['seq', 'lastChangeMs', 'revoked', 'suspended', 'reinstated', 'retiredKeys'] as const;
/** Numbers of the record before its digest, by version. Without a supersede it has the form that every release reads. */
const STATE_NUMBERS = { 1: FIRST_NUMBERS, 2: [...FIRST_NUMBERS, 'superseded'] } as const;
/** The schema version is part of what is MACed. */
const MAC_LABELS = { 1: 'vigie/1/store-state', 2: 'vigie/2/store-state' } as const;
const MAC_BYTES = 16;
type StateVersion = keyof typeof STATE_NUMBERS;

/** Bytes before the MAC. */
const macAt = (version: StateVersion): number => STATE_NUMBERS[version].length * 8 + DIGEST_WORDS * 4;

export function emptyState(): StoreState {
  return {
    seq: 0,
    lastChangeMs: 0,
    revoked: 0,
    suspended: 0,
    reinstated: 0,
    retiredKeys: 0,
    superseded: 0,
    digest: emptyDigest(),
  };
}

/** Entries of cards, whatever their status, and of holders: all that stand in one table, and may stand in the filter. */
export function cardCount(state: StoreState): number {
  return state.revoked + state.suspended + state.reinstated + state.superseded;
}

/** The version of the store and of the log that a state asks for. */
export function schemaFor({ superseded }: Pick<StoreState, 'superseded'>): StateVersion {
  return superseded > 0 ? SUPERSEDE_SCHEMA_VERSION : STORE_SCHEMA_VERSION;
}

/** The version of an encoded state, by its length; `undefined`: of none. */
export function stateVersion(bytes: Buffer): StateVersion | undefined {
  return ([1, 2] as const).find((version) => bytes.length === macAt(version) + MAC_BYTES);
}

export function encodeHeader(header: StoreHeader): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt32BE(header.schemaVersion, 0);
  header.fingerprint.copy(bytes, 4);
  header.epoch.copy(bytes, 4 + FINGERPRINT_BYTES);
  return bytes;
}

export function decodeHeader(bytes: Buffer | undefined): StoreHeader | undefined {
  if (bytes?.length !== HEADER_BYTES) return undefined;
  return {
    schemaVersion: bytes.readUInt32BE(0),
    fingerprint: Buffer.from(bytes.subarray(4, 4 + FINGERPRINT_BYTES)),
    epoch: Buffer.from(bytes.subarray(4 + FINGERPRINT_BYTES)),
  };
}

export function encodeState(macKey: Uint8Array, epoch: Buffer, state: StoreState): Buffer {
  const version = schemaFor(state);
  const numbers = STATE_NUMBERS[version];
  const bytes = Buffer.alloc(macAt(version) + MAC_BYTES);
  for (const [i, name] of numbers.entries()) bytes.writeDoubleBE(state[name], i * 8);
  for (const [i, word] of state.digest.entries()) bytes.writeUInt32BE(word, (numbers.length * 2 + i) * 4);
  stateMac(macKey, epoch, bytes, version).copy(bytes, macAt(version));
  return bytes;
}

/** The state, or `undefined` when its bytes are not what the secret's holder wrote in this epoch. */
export function decodeState(
  macKey: Uint8Array,
  epoch: Buffer,
  bytes: Buffer | undefined,
): StoreState | undefined {
  const version = bytes && stateVersion(bytes);
  if (bytes === undefined || version === undefined) return undefined;
  const mac = stateMac(macKey, epoch, bytes, version);
  if (!timingSafeEqual(bytes.subarray(macAt(version)), mac)) return undefined;
  const numbers = STATE_NUMBERS[version];
  const state = emptyState();
  for (const [i, name] of numbers.entries()) state[name] = bytes.readDoubleBE(i * 8);
  for (let i = 0; i < DIGEST_WORDS; i++) state.digest[i] = bytes.readUInt32BE((numbers.length * 2 + i) * 4);
  return state;
}

function stateMac(macKey: Uint8Array, epoch: Buffer, record: Buffer, version: StateVersion): Buffer {
  const mac = createHmac('sha256', macKey).update(MAC_LABELS[version]).update(epoch);
  return mac
    .update(record.subarray(0, macAt(version)))
    .digest()
    .subarray(0, MAC_BYTES);
}
