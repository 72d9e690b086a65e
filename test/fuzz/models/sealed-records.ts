/**
 * The sealed records of the status data, read by their tables (status-entry.ts, store-state.ts, filter-snapshot.ts) with
 * nothing but DataView and node's own HMAC; and sealed anew, for mutations behind a good MAC.
 */
import { createHmac } from 'node:crypto';

export const ENTRY_BYTES = 44;
const ENTRY_MAC_AT = 28;

export interface ModelEntry {
  readonly status: string;
  readonly why: string | undefined;
  readonly sinceMs: number;
  readonly expiresAt: number;
  readonly seq: number;
  readonly extendsOnly: boolean;
  readonly issuedBefore?: number;
}

const STATUSES = ['active', 'suspended', 'revoked', 'key-retired'];
const REASONS = ['lost', 'stolen', 'compromised', 'superseded', 'issued_in_error', 'deceased', 'other'];

function mac(key: Uint8Array, parts: readonly (Uint8Array | string)[], bytes: number): Buffer {
  const hmac = createHmac('sha256', key);
  for (const part of parts) hmac.update(part);
  return hmac.digest().subarray(0, bytes);
}

const entryMac = (key: Uint8Array, hash: Uint8Array, entry: Uint8Array): Buffer =>
  mac(key, [hash, entry.subarray(0, ENTRY_MAC_AT)], ENTRY_BYTES - ENTRY_MAC_AT);

export function sealEntry(key: Uint8Array, hash: Uint8Array, entry: Buffer): Buffer {
  return Buffer.concat([entry.subarray(0, ENTRY_MAC_AT), entryMac(key, hash, entry)]);
}

/** `undefined`: no entry of this hash. */
export function modelEntry(key: Uint8Array, hash: Uint8Array, bytes: Buffer): ModelEntry | undefined {
  if (hash.length !== 16 || bytes.length !== ENTRY_BYTES) return undefined;
  if (!entryMac(key, hash, bytes).equals(bytes.subarray(ENTRY_MAC_AT))) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [version, code, reason] = [view.getUint8(0), view.getUint8(1), view.getUint8(2)];
  if (reason > REASONS.length) return undefined;
  const common = {
    why: REASONS[reason - 1],
    seq: view.getFloat64(20),
    extendsOnly: view.getUint8(3) === 1,
  };
  if (version === 1 && code < STATUSES.length) {
    const status = STATUSES[code] as string;
    return { status, ...common, sinceMs: view.getFloat64(4), expiresAt: view.getFloat64(12) };
  }
  if (version !== 2 || code !== STATUSES.length) return undefined;
  const days = view.getUint16(10);
  return {
    status: 'superseded',
    ...common,
    sinceMs: view.getUint32(4) * 2 ** 16 + view.getUint16(8),
    expiresAt: days === 0xffff ? Number.POSITIVE_INFINITY : days * 86_400,
    issuedBefore: view.getFloat64(12),
  };
}

const STATE_NAMES = [
  'seq',
  'lastChangeMs',
  'revoked',
  'suspended',
  'reinstated',
  'retiredKeys',
  'superseded',
];
const DIGEST_WORDS = 15;
/** Bytes of a state, by how many numbers stand before its digest. */
const STATE_BYTES = { 6: 6 * 8 + DIGEST_WORDS * 4 + 16, 7: 7 * 8 + DIGEST_WORDS * 4 + 16 } as const;

const numbersOf = (state: Uint8Array): 6 | 7 | undefined =>
  state.length === STATE_BYTES[6] ? 6 : state.length === STATE_BYTES[7] ? 7 : undefined;

function stateMac(key: Uint8Array, epoch: Buffer, state: Uint8Array): Buffer {
  const label = numbersOf(state) === 7 ? 'vigie/2/store-state' : 'vigie/1/store-state';
  return mac(key, [label, epoch, state.subarray(0, -16)], 16);
}

export function sealState(key: Uint8Array, epoch: Buffer, state: Buffer): Buffer {
  return Buffer.concat([state.subarray(0, -16), stateMac(key, epoch, state)]);
}

/** The numbers of a state and the words of its digest. */
export function modelState(
  key: Uint8Array,
  epoch: Buffer,
  bytes: Buffer,
): { readonly numbers: Readonly<Record<string, number>>; readonly digest: readonly number[] } | undefined {
  const count = numbersOf(bytes);
  if (count === undefined || !stateMac(key, epoch, bytes).equals(bytes.subarray(-16))) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const numbers = STATE_NAMES.map((name, i) => [name, i < count ? view.getFloat64(8 * i) : 0] as const);
  const digest = Array.from({ length: DIGEST_WORDS }, (_, i) => view.getUint32(8 * count + 4 * i));
  return { numbers: Object.fromEntries(numbers), digest };
}

/** Of a filter at rest: header in front, by its version, then the bits. */
export function splitFilter(bytes: Buffer): { readonly header: Buffer; readonly bits: Buffer } {
  const isSecond = bytes.length >= 4 && bytes.readUInt32BE(0) === 2;
  const end = isSecond ? 116 : 108;
  return { header: bytes.subarray(0, end), bits: bytes.subarray(end) };
}

const filterMac = (key: Uint8Array, header: Buffer, bits: Buffer): Buffer =>
  mac(key, ['vigie/1/filter-snapshot', bits, header.subarray(0, -32)], 32);

export function sealFilter(key: Uint8Array, header: Buffer, bits: Buffer): Buffer {
  return header.length < 32 ? header : Buffer.concat([header.subarray(0, -32), filterMac(key, header, bits)]);
}

export interface ModelFilter {
  readonly epoch: string;
  readonly seq: number;
  readonly capacity: number;
  readonly rate: number;
  readonly leftOutBefore: number;
}

/** What a filter at rest says of itself; `undefined`: nothing that this secret's holder wrote whole. */
export function modelFilter(
  secret: { readonly filterMacKey: Uint8Array; readonly fingerprint: Uint8Array },
  header: Buffer,
  bits: Buffer,
): ModelFilter | undefined {
  if (header.length !== 108 && header.length !== 116) return undefined;
  const version = header.length === 116 ? 2 : 1;
  if (header.readUInt32BE(0) !== version || !header.subarray(4, 20).equals(secret.fingerprint))
    return undefined;
  const [capacity, rate] = [header.readDoubleBE(44), header.readDoubleBE(52)];
  if (!Number.isSafeInteger(capacity) || capacity < 1 || !(rate > 0 && rate < 1)) return undefined;
  const lines = Math.ceil((-capacity * Math.log(rate)) / Math.LN2 ** 2 / 512);
  if (bits.length !== 64 * lines) return undefined;
  if (!filterMac(secret.filterMacKey, header, bits).equals(header.subarray(-32))) return undefined;
  return {
    epoch: header.subarray(20, 36).toString('hex'),
    seq: header.readDoubleBE(36),
    capacity,
    rate,
    leftOutBefore: version === 2 ? header.readDoubleBE(76) : 0,
  };
}
