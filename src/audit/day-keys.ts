/**
 * The keys under which the audit of verifications names cards: random for each day, in a file beside that day's lines.
 * When a key is removed, nobody can tell any more which card its day's lines are of, or that two lines of different days
 * are of the same card; whoever kept a copy of the lines included.
 */
import { randomBytes } from 'node:crypto';
import { link, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readBoundedFile } from '../bounded-file.ts';
import { createHmacSha256, hmacSha256 } from '../hmac.ts';

/** Begins the names of the files. */
export const VERIFICATIONS = 'verifications';
export const KEY_ENDING = 'key';

const PSEUDONYM_BYTES = 16;
/** 64 digits and the line's end. */
const KEY_FILE_BYTES = 65;

/** Of a day (`2026-11-26`). @throws when there is none that can be read. */
export async function readDayKey(dir: string, day: string): Promise<Uint8Array> {
  const read = await readBoundedFile(keyFile(dir, day), KEY_FILE_BYTES);
  if (!read.ok) throw Object.assign(new Error('no key'), { code: read.reason });
  const text = read.bytes.toString('latin1');
  if (!/^[0-9a-f]{64}\n$/.test(text)) throw Object.assign(new Error('no key'), { code: 'malformed' });
  return new Uint8Array(Buffer.from(text.slice(0, 64), 'hex'));
}

/** The same, made by whichever thread is the first to ask. */
export async function makeDayKey(dir: string, day: string): Promise<Uint8Array> {
  const aside = join(dir, `${VERIFICATIONS}-${day}.${randomBytes(8).toString('hex')}.new`);
  const file = await open(aside, 'wx', 0o600);
  try {
    await file.writeFile(`${randomBytes(32).toString('hex')}\n`);
    // Lines that outlive their key would be of no use to anybody.
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    // The name appears whole or not at all, and never replaces one.
    await link(aside, keyFile(dir, day)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(aside, { force: true });
  }
  return readDayKey(dir, day);
}

/** How the lines of the key's day name a card: 128 bits of the keyed hash of its keyed hash, hexadecimal. */
export type Pseudonyms = (cardHash: Uint8Array) => string;

/**
 * The day's key stands beside the lines, and keyed hashes of cards in the store and the admin trail: from these alone
 * pseudonyms could be reckoned, and days linked. So the key that makes them is of both, the day's and the secret's
 * `pseudonymKey`, and stands nowhere.
 */
export function pseudonymsBy(dayKey: Uint8Array, pseudonymKey: Uint8Array): Pseudonyms {
  const hmac = createHmacSha256(hmacSha256(pseudonymKey, dayKey));
  return (cardHash) => Buffer.from(hmac(cardHash), 'latin1').toString('hex', 0, PSEUDONYM_BYTES);
}

function keyFile(dir: string, day: string): string {
  return join(dir, `${VERIFICATIONS}-${day}.${KEY_ENDING}`);
}
