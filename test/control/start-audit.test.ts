import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { auditUntilKnown, condemn } from '../../src/control/start-audit.ts';
import type { LogFields } from '../../src/log.ts';
import { saveFilter } from '../../src/revocation/filter-saving.ts';
import type { StoreResult } from '../../src/revocation/store-transaction.ts';
import {
  closeStore,
  openGateway,
  openStore,
  revocations,
  temporaryDirectory,
  testClock,
} from '../revocation/store-fixture.ts';

/** Answers one after the other, the last one for ever; what was waited and logged in between. */
async function audited(...answers: StoreResult<string>[]) {
  const waitsMs: number[] = [];
  const logged: LogFields[] = [];
  let asked = 0;
  const ending = await auditUntilKnown({
    audit: async () => answers[Math.min(asked++, answers.length - 1)] as StoreResult<string>,
    log: (_level, _message, fields) => void logged.push(fields ?? {}),
    sleep: async (ms) => waitsMs.push(ms),
  });
  return { ending, waitsMs, logged, asked };
}

const UNREADABLE: StoreResult<string> = { ok: false, fault: 'io-error', code: 'EIO' };

describe('an audit at start', () => {
  it('that cannot read the store is made again after longer and longer pauses', async () => {
    const { ending, waitsMs, logged } = await audited(UNREADABLE, UNREADABLE, { ok: true, value: 'found' });
    expect(ending).toEqual({ found: 'found' });
    expect(waitsMs).toEqual([1_000, 10_000]);
    expect(logged).toEqual([
      { fault: 'io-error', code: 'EIO', againInMs: 1_000 },
      { fault: 'io-error', code: 'EIO', againInMs: 10_000 },
    ]);
  });

  it('that never can is given up', async () => {
    const { ending, waitsMs, asked } = await audited(UNREADABLE);
    expect([ending, waitsMs.length, asked]).toEqual(['unreadable', 3, 4]);
  });

  it.each([
    { ok: false, fault: 'io-error', code: 'STOPPED' },
    { ok: false, fault: 'taken-over' },
    { ok: false, fault: 'store-replaced' },
  ] as const)('is over where the store is no longer its own: %o', async (answer) => {
    expect(await audited(answer)).toEqual({ ending: 'stopped', waitsMs: [], logged: [], asked: 1 });
  });
});

describe('a condemned store', () => {
  const filterFiles = (dir: string) => readdirSync(dir).filter((name) => name.startsWith('filter-'));
  async function savedStore() {
    const dir = join(temporaryDirectory(), 'status');
    const { store, apply } = await openGateway(dir, testClock());
    apply(...revocations(10));
    expect(await saveFilter(store, 0)).toMatchObject({ value: 'saved' });
    return { store, dir };
  }

  it('vouches for nothing, and its next start looks at every entry', async () => {
    const { store, dir } = await savedStore();
    const logged: string[] = [];
    condemn(store, (_level, message) => void logged.push(message));
    expect([store.check(), logged]).toEqual([{ ok: false, fault: 'damaged' }, []]);
    await closeStore(store);
    expect((await openStore(dir, testClock())).start).toEqual({ by: 'survey', fileRefused: 'none' });
  });

  it('that cannot be written loses its filter file instead, and that is said', async () => {
    const { store, dir } = await savedStore();
    // Another process that opens the store takes it over: this one cannot write any more.
    const other = await openStore(dir, testClock());
    expect([other.start.by, filterFiles(dir).length]).toEqual(['file', 1]);
    const logged: LogFields[] = [];
    condemn(store, (_level, _message, fields) => void logged.push(fields ?? {}));
    expect(logged).toEqual([{ fault: 'taken-over', code: '' }]);
    expect(filterFiles(dir)).toEqual([]);
    await closeStore(other);
    const next = await openStore(dir, testClock());
    expect(next.start).toEqual({ by: 'survey', fileRefused: 'unreadable' });
  });
});
