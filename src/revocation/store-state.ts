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

export const STORE_SCHEMA_VERSION = 1;

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
  /** Over cards and retired keys. */
  digest: StoreDigest;
}

const STATE_NUMBERS = ['seq', 'lastChangeMs', 'revoked', 'suspended', 'reinstated', 'retiredKeys'] as const;
const DIGEST_AT = STATE_NUMBERS.length * 8;
const MAC_AT = DIGEST_AT + DIGEST_WORDS * 4;
const MAC_BYTES = 16;

export function emptyState(): StoreState {
  return {
    seq: 0,
    lastChangeMs: 0,
    revoked: 0,
    suspended: 0,
    reinstated: 0,
    retiredKeys: 0,
    digest: emptyDigest(),
  };
}

/** Entries of cards, whatever their status. */
export function cardCount(state: StoreState): number {
  return state.revoked + state.suspended + state.reinstated;
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
  const bytes = Buffer.alloc(MAC_AT + MAC_BYTES);
  for (const [i, name] of STATE_NUMBERS.entries()) bytes.writeDoubleBE(state[name], i * 8);
  for (const [i, word] of state.digest.entries()) bytes.writeUInt32BE(word, DIGEST_AT + i * 4);
  stateMac(macKey, epoch, bytes).copy(bytes, MAC_AT);
  return bytes;
}

/** The state, or `undefined` when its bytes are not what the secret's holder wrote in this epoch. */
export function decodeState(
  macKey: Uint8Array,
  epoch: Buffer,
  bytes: Buffer | undefined,
): StoreState | undefined {
  if (bytes?.length !== MAC_AT + MAC_BYTES) return undefined;
  if (!timingSafeEqual(bytes.subarray(MAC_AT), stateMac(macKey, epoch, bytes))) return undefined;
  const state = emptyState();
  for (const [i, name] of STATE_NUMBERS.entries()) state[name] = bytes.readDoubleBE(i * 8);
  for (let i = 0; i < DIGEST_WORDS; i++) state.digest[i] = bytes.readUInt32BE(DIGEST_AT + i * 4);
  return state;
}

function stateMac(macKey: Uint8Array, epoch: Buffer, record: Buffer): Buffer {
  const mac = createHmac('sha256', macKey).update('vigie/1/store-state').update(epoch);
  return mac.update(record.subarray(0, MAC_AT)).digest().subarray(0, MAC_BYTES);
}
