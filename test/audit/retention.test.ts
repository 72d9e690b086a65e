/** How long the audit's files are kept: by a clock that is believed only as far as files are kept. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openAuditTrail } from '../../src/audit/audit-trail.ts';
import { openRetention } from '../../src/audit/retention.ts';

const DAY_MS = 24 * 3_600_000;
const START_MS = Date.UTC(2026, 10, 26, 12);
const DAYS = 3;

let dir: string;
let nowMs: number;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vigie-retention-'));
  nowMs = START_MS;
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A trail as a start finds it, with a line of its own today. */
async function open() {
  const common = { dir, name: 'admin', days: DAYS, wallMs: () => nowMs };
  const trail = await openAuditTrail({ ...common, key: Buffer.alloc(32, 3), onFault: () => {} });
  return { trail, retention: await openRetention({ ...common, trail }) };
}
const verified = (day: string): void => {
  for (const ending of ['jsonl', 'key']) writeFileSync(join(dir, `verifications-${day}.${ending}`), '');
};
const files = (): string[] => readdirSync(dir).sort();

it('removes nothing after a jump of the clock, whatever was written since, until a start', async () => {
  const { trail, retention } = await open();
  verified('2026-11-24');
  await trail.append({ what: 'one' });
  expect(await retention.tidy()).toBeUndefined();
  nowMs += 4 * DAY_MS;
  await trail.append({ what: 'two' });
  verified('2026-11-30');
  const before = files();
  expect(await retention.tidy()).toBe('2026-11-26');
  expect(await retention.tidy()).toBe('2026-11-26');
  expect(files()).toEqual(before);
  // Set right again, it goes on.
  nowMs = START_MS + 3_600_000;
  expect(await retention.tidy()).toBeUndefined();
  expect(files()).toEqual(before);
  await trail.close();
});

it('removes what is over while days pass, though nothing is written, but for the end of the trail', async () => {
  const { trail, retention } = await open();
  verified('2026-11-26');
  await trail.append({ what: 'one' });
  for (let day = 0; day < 10; day++, nowMs += DAY_MS) expect(await retention.tidy()).toBeUndefined();
  expect(files()).toEqual(['admin-2026-11-26.jsonl']);
  await trail.close();
});

it('holds the clock of a start against the youngest file', async () => {
  verified('2026-11-21');
  verified('2026-11-22');
  const late = await open();
  expect(await late.retention.tidy()).toBe('2026-11-22');
  expect(files()).toHaveLength(4);
  nowMs -= DAY_MS;
  const inTime = await open();
  expect(await inTime.retention.tidy()).toBeUndefined();
  expect(files()).toEqual(['verifications-2026-11-22.jsonl', 'verifications-2026-11-22.key']);
});
