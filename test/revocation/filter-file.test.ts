import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { anchorOf, forgetFilterFile } from '../../src/revocation/filter-file.ts';
import { saveFilter, startFilterSaving } from '../../src/revocation/filter-saving.ts';
import { createKeyRetirements } from '../../src/revocation/key-retirements.ts';
import { auditStore } from '../../src/revocation/store-audit.ts';
import {
  change,
  closeStore,
  hashOf,
  ISS,
  openGateway,
  openStore,
  revocations,
  SECRET,
  SMALL_FILTER,
  temporaryDirectory,
  testClock,
} from './store-fixture.ts';

const SCRIPT = fileURLToPath(new URL('./open-by-file.ts', import.meta.url));
const storeDir = () => join(temporaryDirectory(), 'status');
const filterFiles = (dir: string) => readdirSync(dir).filter((name) => name.startsWith('filter-'));

/** A closed store: 300 revocations and a reinstatement in the filter's file, and 100 changes since. */
async function savedStore(): Promise<string> {
  const dir = storeDir();
  const { store, apply, freshness } = await openGateway(dir, testClock());
  apply(...revocations(300), change('lifted', 'suspended'));
  apply(change('lifted', 'active'));
  createKeyRetirements({ store, freshness, clock: testClock() }).retireKey(ISS, 'k');
  expect(await saveFilter(store, 0)).toEqual({ ok: true, value: 'saved' });
  apply(...revocations(100, 'since'));
  await closeStore(store);
  return dir;
}

const CARDS = [...revocations(300), ...revocations(100, 'since')].map(({ jti }) => jti);

describe('a start from the file', () => {
  it('has every card, replays the log since, and looks at no entry', async () => {
    const store = await openStore(await savedStore(), testClock());
    expect(store.start).toEqual({ by: 'file', replayed: 100 });
    for (const card of CARDS) {
      expect(store.filter.mightContain(hashOf(card))).toBe(true);
      expect(store.statusOf(hashOf(card)).status).toBe('revoked');
    }
    expect([store.filter.capacity, store.purged]).toEqual([SMALL_FILTER.capacity, 0]);
  });

  it('clears no card that the filter knows until the audit is through', async () => {
    const { store, statusOf, apply } = await openGateway(await savedStore(), testClock());
    expect([statusOf('lifted').status, statusOf('never-heard-of').status]).toEqual([
      'unreadable',
      'unreadable',
    ]);
    const unreadable = { outcome: 'unavailable', cause: 'unreadable-entry' };
    store.filter.add(hashOf('a false positive'));
    expect(apply(change('a false positive', 'suspended'))).toEqual(unreadable);
    expect(apply(change('new', 'revoked'))).toMatchObject({ outcome: 'applied' });
    const audited = await auditStore(store);
    expect(audited).toMatchObject({ ok: true, value: { sound: true, missingInFilter: 0 } });
    store.completeness.set(true);
    expect([statusOf('lifted').status, statusOf('never-heard-of').status]).toEqual(['active', 'active']);
    expect(apply(change('a false positive', 'suspended'))).toMatchObject({ outcome: 'applied' });
  });

  it('is not made when the store, the file or the settings are others', async () => {
    const original = await savedStore();
    const parent = temporaryDirectory();
    const opened = async (
      name: string,
      prepare: (dir: string, file: string) => void,
      filter = SMALL_FILTER,
    ) => {
      const dir = join(parent, name);
      cpSync(original, dir, { recursive: true });
      prepare(dir, join(dir, filterFiles(dir)[0] as string));
      const store = await openStore(dir, testClock(), filter);
      for (const card of CARDS) expect(store.filter.mightContain(hashOf(card))).toBe(true);
      const { start } = store;
      // What was of no use is not tried again: the next save makes another one.
      if (start.by === 'survey') {
        await startFilterSaving({ store, onFault: (code) => expect(code).toBe('') })(10_000);
        const anchor = anchorOf(store.db, SECRET, Buffer.from(store.epoch, 'hex'));
        expect([anchor, filterFiles(dir).length]).toEqual([undefined, 0]);
      }
      await closeStore(store);
      return start.by === 'file' ? 'file' : start.fileRefused;
    };
    expect(await opened('as-it-is', () => {})).toBe('file');
    expect(await opened('no-file', (dir, file) => renameSync(file, `${dir}.gone`))).toBe('unreadable');
    expect(await opened('empty', (_, file) => truncateSync(file, 0))).toBe('truncated');
    expect(await opened('cut', (_, file) => truncateSync(file, 5_000))).toBe('truncated');
    const flip = (file: string, at: number) => {
      const bytes = readFileSync(file);
      bytes[at] = (bytes[at] as number) ^ 1;
      writeFileSync(file, bytes);
    };
    expect(await opened('flipped', (_, file) => flip(file, 5_000))).toBe('forged');
    expect(await opened('rate', () => {}, { ...SMALL_FILTER, falsePositiveRate: 1e-4 })).toBe(
      'wrong-parameters',
    );
    expect(await opened('capacity', () => {}, { ...SMALL_FILTER, capacity: 10_001 })).toBe(
      'wrong-parameters',
    );
    expect(await opened('smaller', () => {}, { ...SMALL_FILTER, capacity: 9_999 })).toBe('file');
  });

  it('is not made from an authentic file that the store does not name', async () => {
    const dir = await savedStore();
    const early = join(temporaryDirectory(), 'early');
    cpSync(dir, early, { recursive: true });
    const { store, apply } = await openGateway(dir, testClock());
    apply(change('later', 'revoked'));
    expect(await saveFilter(store, 0)).toMatchObject({ value: 'saved' });
    apply(change('last', 'revoked'));
    await closeStore(store);
    const [earlyFile, file] = [filterFiles(early)[0] as string, filterFiles(dir)[0] as string];
    cpSync(join(early, earlyFile), join(dir, file));
    const again = await openStore(dir, testClock());
    expect(again.start).toEqual({ by: 'survey', fileRefused: 'other-snapshot' });
    for (const card of [...CARDS, 'later', 'last'])
      expect(again.filter.mightContain(hashOf(card))).toBe(true);
  });

  it('is not made when the log since then has a gap, or a record that is not authentic', async () => {
    for (const damage of ['gap', 'forged'] as const) {
      const dir = await savedStore();
      const { store } = await openGateway(dir, testClock());
      const key = [...store.db.log.getKeys({ reverse: true, limit: 50 })].at(-1) as Buffer;
      const record = Buffer.from(store.db.log.get(key) as Buffer);
      record[16 + 30] = (record[16 + 30] as number) ^ 1;
      store.db.root.transactionSync(() => {
        if (damage === 'gap') store.db.log.removeSync(key);
        else store.db.log.putSync(key, record);
      });
      await closeStore(store);
      const again = await openStore(dir, testClock());
      expect(again.start).toEqual({ by: 'survey', fileRefused: 'log-gap' });
      for (const card of CARDS) expect(again.filter.mightContain(hashOf(card))).toBe(true);
    }
  });

  it('looks at every retired key, which have no filter before them', async () => {
    const dir = await savedStore();
    const { store } = await openGateway(dir, testClock());
    const key = [...store.db.retirements.getKeys({})][0] as Buffer;
    store.db.root.transactionSync(() => {
      store.db.retirements.removeSync(key);
    });
    await closeStore(store);
    await expect(openStore(dir, testClock())).rejects.toThrow('damaged');
  });
});

describe('a store damaged behind its filter file', () => {
  /** Opens each copy; a process that a copy killed counts as having noticed, and the next goes on. */
  function openAll(dirs: readonly string[]): string[] {
    const outcomes: string[] = [];
    while (outcomes.length < dirs.length) {
      const args = ['--import', 'tsx', SCRIPT, CARDS.join(), ...dirs.slice(outcomes.length)];
      const child = spawnSync(process.execPath, args, { encoding: 'utf8' });
      outcomes.push(...child.stdout.split('\n').slice(0, -1));
      if (child.status !== 0) outcomes.push(child.signal ?? `exit ${child.status}`);
    }
    return outcomes;
  }

  it('clears no card, and the audit notices what is missing: whichever byte is another', async () => {
    const original = await savedStore();
    const content = readFileSync(join(original, 'data.mdb'));
    const parent = temporaryDirectory();
    const copies: string[] = [];
    for (let at = 17; at < content.length; at += 1_801) {
      const copy = join(parent, String(at));
      cpSync(original, copy, { recursive: true });
      const flipped = Buffer.from(content);
      flipped[at] = (flipped[at] as number) ^ 0x55;
      writeFileSync(join(copy, 'data.mdb'), flipped);
      copies.push(copy);
    }
    const outcomes = new Set(openAll(copies));
    for (const outcome of outcomes) {
      expect(outcome).toMatch(
        /^(damaged|io-error|SIGBUS|SIGSEGV|(file|survey) 0 (sound|unsound|unaudited))$/,
      );
    }
    expect(outcomes).toContain('file 0 sound');
    expect(outcomes).toContain('file 0 unsound');
  }, 60_000);

  it('vouches for nothing once it is condemned', async () => {
    const { store, apply, changes } = await openGateway(await savedStore(), testClock());
    store.condemn();
    expect(store.check()).toEqual({ ok: false, fault: 'damaged' });
    expect(apply(change('x', 'revoked'))).toEqual({ outcome: 'unavailable', cause: 'damaged' });
    expect(changes.summary()).toBeUndefined();
  });

  it('has cards that its filter lacks added to it by the audit', async () => {
    const store = await openStore(await savedStore(), testClock());
    // As an authentic file with too few bits would leave it.
    new Uint8Array(store.filter.shared, 64).fill(0);
    expect(await auditStore(store)).toMatchObject({ ok: true, value: { sound: true, missingInFilter: 400 } });
    for (const card of CARDS) expect(store.filter.mightContain(hashOf(card))).toBe(true);
  });
});

describe('saving', () => {
  it('keeps one file, readable by its owner alone, and none for a small store', async () => {
    const dir = storeDir();
    const { store, apply } = await openGateway(dir, testClock());
    apply(...revocations(10));
    expect(await saveFilter(store)).toEqual({ ok: true, value: 'not-needed' });
    expect(filterFiles(dir)).toEqual([]);
    for (let round = 0; round < 3; round++) {
      expect(await saveFilter(store, 0)).toEqual({ ok: true, value: 'saved' });
      expect(filterFiles(dir).length).toBe(1);
    }
    expect(existsSync(`${dir}.new`)).toBe(false);
  });

  it('is void when entries came in without log records meanwhile', async () => {
    const dir = storeDir();
    const { store, apply } = await openGateway(dir, testClock());
    apply(...revocations(10));
    const saving = saveFilter(store, 0);
    store.transact(() => {
      forgetFilterFile(store.db);
      return { commit: true, value: undefined };
    });
    expect(await saving).toEqual({ ok: true, value: 'overtaken' });
    expect(filterFiles(dir)).toEqual([]);
  });

  it('at the stop of a gateway leaves nothing to replay', async () => {
    const dir = storeDir();
    const { store, apply } = await openGateway(dir, testClock(), { massChangeLimit: 1_000_000 });
    for (let call = 0; call < 51; call++) apply(...revocations(1_000, `call-${call}`));
    const faults: string[] = [];
    await startFilterSaving({ store, onFault: (code) => faults.push(code) })(60_000);
    await closeStore(store);
    expect(faults).toEqual([]);
    const again = await openStore(dir, testClock());
    expect(again.start).toEqual({ by: 'file', replayed: 0 });
  });

  it('at the stop of a gateway ends when its time is up, and the file of before stands', async () => {
    const dir = storeDir();
    const { store, apply } = await openGateway(dir, testClock(), { massChangeLimit: 1_000_000 });
    for (let call = 0; call < 51; call++) apply(...revocations(1_000, `call-${call}`));
    expect(await saveFilter(store)).toEqual({ ok: true, value: 'saved' });
    const before = filterFiles(dir);
    apply(...revocations(10, 'later'));
    const faults: string[] = [];
    await startFilterSaving({ store, onFault: (code) => faults.push(code) })(0);
    await closeStore(store);
    expect(faults).toEqual(['TIME_UP']);
    expect(filterFiles(dir)).toEqual(before);
    const again = await openStore(dir, testClock());
    expect(again.start).toEqual({ by: 'file', replayed: 10 });
  });

  it('that fails says so and harms nothing', async () => {
    const dir = storeDir();
    const { store, apply } = await openGateway(dir, testClock());
    apply(...revocations(10));
    renameSync(dir, `${dir}.moved`);
    expect(await saveFilter(store, 0)).toEqual({ ok: false, fault: 'store-replaced' });
    renameSync(`${dir}.moved`, dir);
    expect(await saveFilter(store, 0)).toEqual({ ok: true, value: 'saved' });
  });
});
