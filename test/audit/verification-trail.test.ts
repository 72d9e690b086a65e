/** The audit of verifications, as one thread writes it: pseudonyms of the day, bounds, and what is left without a key. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { removeOldFiles } from '../../src/audit/audit-files.ts';
import { makeDayKey, pseudonymsBy, readDayKey, VERIFICATIONS } from '../../src/audit/day-keys.ts';
import { verificationsOf } from '../../src/audit/find-card.ts';
import { createVerificationTrail, type RecordResult } from '../../src/audit/verification-trail.ts';
import { hmacSha256 } from '../../src/hmac.ts';
import { until } from '../support/call.ts';

const DAY_MS = 24 * 3_600_000;
const LATE_MS = Date.UTC(2026, 10, 26, 23, 59, 59, 990);
const DAY = '2026-11-26';
const CARDS = Buffer.concat([Buffer.alloc(16, 1), Buffer.alloc(16, 2)]);
const PSEUDONYM_KEY = Buffer.alloc(32, 5);
const [ONE, TWO] = [CARDS.subarray(0, 16), CARDS.subarray(16)];

let dir: string;
let results: Record<RecordResult, number>;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vigie-audit-'));
  results = { written: 0, dropped: 0, failed: 0 };
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const open = () =>
  createVerificationTrail({
    dir,
    pseudonymKey: PSEUDONYM_KEY,
    onRecords: (result, count) => {
      results[result] += count;
    },
  });
const settled = (count: number) => until(() => results.written + results.dropped + results.failed === count);
const namesOf = async (day: string) => pseudonymsBy(await readDayKey(dir, day), PSEUDONYM_KEY);
const linesOf = (day: string) =>
  readFileSync(join(dir, `${VERIFICATIONS}-${day}.jsonl`), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

it('names a card by the key of its day, and no card where none is vouched for', async () => {
  const trail = open();
  trail.note(LATE_MS, 'pharmacy-a', 0, CARDS, 0);
  trail.note(LATE_MS, undefined, 14, CARDS, 16);
  trail.note(LATE_MS, 'pharmacy-a', 7);
  trail.note(LATE_MS + 20, 'pharmacy-b', 0, CARDS, 0);
  trail.stop();
  await settled(4);
  const [first, second] = [await namesOf(DAY), await namesOf('2026-11-27')];
  expect(linesOf(DAY)).toEqual([
    { at: '2026-11-26T23:59:59.990Z', caller: 'pharmacy-a', card: first(ONE), code: 0 },
    { at: '2026-11-26T23:59:59.990Z', card: first(TWO), code: 14 },
    { at: '2026-11-26T23:59:59.990Z', caller: 'pharmacy-a', code: 7 },
  ]);
  const [next] = linesOf('2026-11-27');
  expect(next.card).toBe(second(ONE));
  expect(next.card).not.toBe(first(ONE));
  for (const file of readdirSync(dir)) expect(statSync(join(dir, file)).mode & 0o777).toBe(0o600);
  expect(readdirSync(dir)).toHaveLength(4);
});

it('finds the verifications of a card for as long as the keys of their days are there', async () => {
  const trail = open();
  for (const atMs of [LATE_MS, LATE_MS + DAY_MS]) {
    trail.note(atMs, 'pharmacy-a', 0, CARDS, 0);
    trail.note(atMs, 'pharmacy-a', 0, CARDS, 16);
  }
  trail.stop();
  await settled(4);
  expect(await verificationsOf(dir, PSEUDONYM_KEY, ONE)).toMatchObject({
    lines: [{ at: '2026-11-26T23:59:59.990Z' }, { at: '2026-11-27T23:59:59.990Z' }],
    daysWithoutKey: 0,
  });
  unlinkSync(join(dir, `${VERIFICATIONS}-${DAY}.key`));
  expect(await verificationsOf(dir, PSEUDONYM_KEY, ONE)).toMatchObject({
    lines: [{ at: '2026-11-27T23:59:59.990Z' }],
    daysWithoutKey: 1,
  });
  const days = { days: 1, wallMs: LATE_MS + 2 * DAY_MS };
  await removeOldFiles(dir, VERIFICATIONS, { ...days, ending: 'key' });
  await removeOldFiles(dir, VERIFICATIONS, days);
  expect(readdirSync(dir).sort()).toEqual(['verifications-2026-11-27.jsonl', 'verifications-2026-11-27.key']);
});

it('gives no pseudonym to whoever has the day keys and the keyed hashes, but not the secret', async () => {
  const dayKey = await makeDayKey(dir, DAY);
  const right = pseudonymsBy(dayKey, PSEUDONYM_KEY)(ONE);
  expect(right).not.toBe(pseudonymsBy(dayKey, Buffer.alloc(32, 6))(ONE));
  expect(right).not.toBe(hmacSha256(dayKey, ONE).toString('hex', 0, 16));
});

it('has one key a day, whichever thread is the first', async () => {
  const keys = await Promise.all(Array.from({ length: 8 }, () => makeDayKey(dir, DAY)));
  expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(1);
  expect(readdirSync(dir)).toEqual([`${VERIFICATIONS}-${DAY}.key`]);
});

it('drops what comes in one turn beyond its bound, and counts it', async () => {
  const trail = open();
  const sent = 40_000;
  for (let i = 0; i < sent; i++) trail.note(LATE_MS, 'pharmacy-a', 0, CARDS, 0);
  trail.stop();
  await settled(sent);
  expect(results).toEqual({ written: 32_768, dropped: sent - 32_768, failed: 0 });
  expect(linesOf(DAY)).toHaveLength(32_768);
});

it('counts what cannot be written, and writes again behind what a full disk cut off', async () => {
  const key = join(dir, `${VERIFICATIONS}-${DAY}.key`);
  writeFileSync(key, 'no key\n');
  const trail = open();
  trail.note(LATE_MS, 'pharmacy-a', 0, CARDS, 0);
  await settled(1);
  expect(results).toEqual({ written: 0, dropped: 0, failed: 1 });
  unlinkSync(key);
  writeFileSync(join(dir, `${VERIFICATIONS}-${DAY}.jsonl`), '{"at":"2026-11-26T23:59');
  trail.note(LATE_MS, 'pharmacy-a', 0, CARDS, 0);
  await settled(2);
  expect(results).toEqual({ written: 1, dropped: 0, failed: 1 });
  expect((await verificationsOf(dir, PSEUDONYM_KEY, ONE)).lines).toHaveLength(1);
});
