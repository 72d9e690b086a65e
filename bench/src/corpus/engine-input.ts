/**
 * The corpus as signature engines take it, in a file that a program in any language can read, and hostile signatures in
 * the same form. Little-endian: the counts of signatures and keys and the bytes of a message, four each; the keys, 32
 * each; then for each signature its key's index (four), the signature (64) and the message.
 */
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { Point } from '@noble/ed25519';

export interface EngineInput {
  readonly publicKeys: readonly Uint8Array[];
  readonly messages: readonly Uint8Array[];
  readonly signatures: readonly Uint8Array[];
  /** The index of each signature's key. */
  readonly keyOf: readonly number[];
}

const HEAD_BYTES = 12;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const ROWS_A_WRITE = 1_000;
/** Pairs of a hostile and an honest signature: enough to see a verdict that depends on chance. */
export const HOSTILE_PAIRS = 128;
/** Order of the group, and a point of order two: y = -1. */
const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const FIELD_PRIME = 2n ** 255n - 19n;

/** Every credential's signing input and signature. */
export function writeEngineInput(credentialsFile: string, trustListFile: string, path: string): void {
  const { issuers } = JSON.parse(readFileSync(trustListFile, 'utf8'));
  const jwks = issuers.flatMap(({ keys }: { keys: { kid: string; x: string }[] }) => keys);
  const indexOfKey = new Map<string, number>();
  const rows = readFileSync(credentialsFile, 'latin1').trimEnd().split('\n');
  const parsed = rows.map((row) => {
    const last = row.lastIndexOf('.');
    const header = row.slice(0, row.indexOf('.'));
    // Few headers there are, as many as keys.
    if (!indexOfKey.has(header)) {
      const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'));
      indexOfKey.set(
        header,
        jwks.findIndex((jwk: { kid: string }) => jwk.kid === kid),
      );
    }
    return {
      key: indexOfKey.get(header) as number,
      signature: Buffer.from(row.slice(last + 1), 'base64url'),
      message: Buffer.from(row.slice(0, last), 'latin1'),
    };
  });
  writeRows(
    path,
    jwks.map(({ x }: { x: string }) => Buffer.from(x, 'base64url')),
    parsed,
  );
}

/**
 * Pairs: a signature whose R has a part of order two, then an honest one, of the same synthetic key. RFC 8032 lets a
 * verifier multiply that part away (section 5.1.7) or not; one that does answers other than OpenSSL, and one that
 * sums up a batch with random factors may answer either way.
 */
export function writeHostileInput(path: string): void {
  const scalar = randomScalar();
  const publicKey = Point.BASE.multiply(scalar).toBytes();
  const orderTwo = new Point(0n, FIELD_PRIME - 1n, 1n, 0n);
  const signed = (message: Buffer, besides: Point) => {
    const r = randomScalar();
    const bytesOfR = Point.BASE.multiply(r).add(besides).toBytes();
    const k = littleEndian(createHash('sha512').update(bytesOfR).update(publicKey).update(message).digest());
    const s = Buffer.from(((r + k * scalar) % GROUP_ORDER).toString(16).padStart(64, '0'), 'hex').reverse();
    return { key: 0, signature: Buffer.concat([bytesOfR, s]), message };
  };
  const rows = Array.from({ length: HOSTILE_PAIRS }, () => [
    signed(randomBytes(64), orderTwo),
    signed(randomBytes(64), Point.ZERO),
  ]);
  writeRows(path, [Buffer.from(publicKey)], rows.flat());
}

export function readEngineInput(path: string): EngineInput {
  const bytes = readFileSync(path);
  const [count, keys, messageBytes] = [bytes.readUInt32LE(0), bytes.readUInt32LE(4), bytes.readUInt32LE(8)];
  const rowBytes = 4 + SIGNATURE_BYTES + messageBytes;
  const rows = Array.from({ length: count }, (_, row) => HEAD_BYTES + keys * KEY_BYTES + row * rowBytes);
  const part = (from: number, length: number) => bytes.subarray(from, from + length);
  return {
    publicKeys: Array.from({ length: keys }, (_, key) => part(HEAD_BYTES + key * KEY_BYTES, KEY_BYTES)),
    keyOf: rows.map((at) => bytes.readUInt32LE(at)),
    signatures: rows.map((at) => part(at + 4, SIGNATURE_BYTES)),
    messages: rows.map((at) => part(at + 4 + SIGNATURE_BYTES, messageBytes)),
  };
}

interface InputRow {
  readonly key: number;
  readonly signature: Buffer;
  readonly message: Buffer;
}

function writeRows(path: string, keys: readonly Buffer[], rows: readonly InputRow[]): void {
  const messageBytes = (rows[0] as InputRow).message.length;
  if (rows.some(({ message }) => message.length !== messageBytes))
    throw new Error('messages differ in length');
  const file = openSync(path, 'w', 0o600);
  writeSync(file, Buffer.concat([...[rows.length, keys.length, messageBytes].map(uint32), ...keys]));
  for (let start = 0; start < rows.length; start += ROWS_A_WRITE) {
    const parts = rows.slice(start, start + ROWS_A_WRITE);
    writeSync(file, Buffer.concat(parts.flatMap((row) => [uint32(row.key), row.signature, row.message])));
  }
  closeSync(file);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

function randomScalar(): bigint {
  return littleEndian(randomBytes(64)) % GROUP_ORDER;
}
