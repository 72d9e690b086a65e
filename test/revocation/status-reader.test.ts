import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openStatusReader } from '../../src/revocation/status-reader.ts';
import { nextMessage, startWorker } from '../support/typescript-worker.ts';
import { change, hashOf, openGateway, SECRET, temporaryDirectory, testClock } from './store-fixture.ts';

const CARDS = Array.from({ length: 50 }, (_, i) => `card-${i}`);

it('a worker sees every change once it is acknowledged, in the middle of a turn', async () => {
  const dir = join(temporaryDirectory(), 'status');
  const { store, apply } = await openGateway(dir, testClock());
  const signal = new Int32Array(new SharedArrayBuffer(8));
  const worker = startWorker('../revocation/reader-worker.ts', {
    dir,
    identity: store.identity,
    secret: SECRET,
    filter: store.filter.shared,
    completeness: store.completeness.shared,
    hashes: CARDS.map((card) => hashOf(card)),
    signal: signal.buffer,
  });
  const message = nextMessage<{ seen: string[] }>(worker);
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  for (const [i, card] of CARDS.entries()) {
    while (Atomics.load(signal, 0) < i + 1) await new Promise((resolve) => setImmediate(resolve));
    expect(apply(change(card, 'revoked'))).toEqual({ outcome: 'applied', seq: i + 1 });
    Atomics.store(signal, 1, i + 1);
    Atomics.notify(signal, 1);
  }
  expect((await message).seen).toEqual(CARDS.map(() => 'active revoked'));
  await exited;
  // The worker closed its handle and not the environment that the main thread still uses.
  expect(apply(change('afterwards', 'suspended'))).toEqual({ outcome: 'applied', seq: 51 });
});

it('does not open another store than the main thread has, nor make one', async () => {
  const dir = join(temporaryDirectory(), 'status');
  const { store } = await openGateway(dir, testClock());
  const options = { dir, identity: store.identity, secret: SECRET, completeness: store.completeness };
  renameSync(dir, `${dir}.moved`);
  expect(openStatusReader(options)).toEqual({ ok: false, fault: 'store-replaced' });
  mkdirSync(dir);
  expect(openStatusReader(options)).toEqual({ ok: false, fault: 'store-replaced' });
  rmSync(dir, { recursive: true });
  renameSync(`${dir}.moved`, dir);
  const opened = openStatusReader(options);
  expect(opened.ok && opened.reader.statusOf(hashOf('anything'))).toEqual({ status: 'active' });
  if (opened.ok) await opened.close();
});

it('answers "unreadable" for what it cannot read, never "active"', async () => {
  const dir = join(temporaryDirectory(), 'status');
  const { store, apply, statusOf, changes } = await openGateway(dir, testClock());
  apply(change('good', 'revoked'), change('short', 'revoked'), change('moved', 'revoked'));
  const good = store.db.cards.get(hashOf('good')) as Buffer;
  const cut = Buffer.from(good.subarray(1));
  store.db.root.transactionSync(() => {
    store.db.cards.put(hashOf('short'), cut);
    store.db.cards.put(hashOf('moved'), Buffer.from(good));
    store.db.cards.put(hashOf('invented'), Buffer.alloc(44));
  });
  expect(statusOf('good').status).toBe('revoked');
  for (const card of ['short', 'moved', 'invented']) {
    expect(statusOf(card)).toEqual({ status: 'unreadable' });
    const outcome = changes.applyChanges({ changes: [change('new', 'revoked'), change(card, 'active')] });
    expect(outcome).toEqual({ outcome: 'unavailable', cause: 'unreadable-entry' });
  }
  expect(statusOf('new')).toEqual({ status: 'active' });
  await store.db.root.close();
  expect(statusOf('good')).toEqual({ status: 'unreadable' });
});
