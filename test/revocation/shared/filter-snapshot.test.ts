import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createFilter, filterBits, noteLeftOut } from '../../../src/revocation/bloom-filter.ts';
import { deriveSecret } from '../../../src/revocation/deployment-secret.ts';
import { newEpoch } from '../../../src/revocation/shared/epoch.ts';
import {
  encodeFilterSnapshot,
  parseFilterSnapshot,
  splitFilterSnapshot,
  type WantedFilter,
} from '../../../src/revocation/shared/filter-snapshot.ts';
import { nextMessage, startWorker } from '../../support/typescript-worker.ts';
import { SECRET } from '../store-fixture.ts';

const hashAt = (n: number) => createHmac('sha256', 'synthetic').update(String(n)).digest().subarray(0, 16);
const PARAMETERS = { capacity: 200_000, falsePositiveRate: 1e-6 };
const POSITION = { epoch: newEpoch(3n), seq: 1_234 };

function filledFilter(count: number) {
  const filter = createFilter(PARAMETERS);
  for (let n = 0; n < count; n++) filter.add(hashAt(n));
  return filter;
}

describe('a filter snapshot', () => {
  it('comes back with its bits, parameters and position, in shared memory', async () => {
    const filter = filledFilter(1_000);
    const parsed = await parseFilterSnapshot(SECRET, await encodeFilterSnapshot(SECRET, filter, POSITION));
    if (!parsed.ok) throw new Error(parsed.reason);
    expect({ epoch: parsed.epoch, seq: parsed.seq }).toEqual(POSITION);
    expect(parsed.filter).toMatchObject(PARAMETERS);
    expect([parsed.filter.fill(), parsed.filter.entries()]).toEqual([filter.fill(), 1_000]);
    expect(Buffer.compare(filterBits(parsed.filter), filterBits(filter))).toBe(0);
    expect(parsed.filter.shared).toBeInstanceOf(SharedArrayBuffer);
    const signal = new Int32Array(new SharedArrayBuffer(8));
    const worker = startWorker('../revocation/filter-worker.ts', {
      filter: parsed.filter.shared,
      signal: signal.buffer,
      hash: hashAt(5_000),
    });
    const message = nextMessage(worker);
    while (Atomics.load(signal, 0) === 0) await new Promise((resolve) => setImmediate(resolve));
    parsed.filter.add(hashAt(5_000));
    Atomics.store(signal, 1, 1);
    Atomics.notify(signal, 1);
    expect(await message).toEqual({ before: false, after: true, entries: 1_001 });
  });

  it('holds everything up to its position when the filter is added to meanwhile, and counts what it holds', async () => {
    const filter = filledFilter(5_000);
    const encoding = encodeFilterSnapshot(SECRET, filter, POSITION);
    for (let n = 5_000; n < 20_000; n++) filter.add(hashAt(n));
    const parsed = await parseFilterSnapshot(SECRET, await encoding);
    if (!parsed.ok) throw new Error(parsed.reason);
    for (let n = 0; n < 5_000; n++) expect(parsed.filter.mightContain(hashAt(n))).toBe(true);
    let ones = 0;
    for (const byte of filterBits(parsed.filter)) ones += byte.toString(2).replaceAll('0', '').length;
    expect(Math.round(parsed.filter.fill() * parsed.filter.bits)).toBe(ones);
  });

  it('is refused when it is of another secret, version, rate or size', async () => {
    const { header, bits } = await encodeFilterSnapshot(SECRET, filledFilter(10), POSITION);
    const reasonOf = async (...call: Parameters<typeof parseFilterSnapshot>) => {
      const parsed = await parseFilterSnapshot(...call);
      return parsed.ok ? 'ok' : parsed.reason;
    };
    const other = deriveSecret(Buffer.alloc(32, 1));
    expect(await reasonOf(other, { header, bits })).toBe('foreign');
    const relabelled = Buffer.from(header);
    relabelled.set(other.fingerprint, 4);
    expect(await reasonOf(other, { header: relabelled, bits })).toBe('forged');
    const later = Buffer.from(header);
    later.writeUInt32BE(2, 0);
    expect(await reasonOf(SECRET, { header: later, bits })).toBe('unknown-schema');
    expect(await reasonOf(SECRET, { header, bits }, PARAMETERS)).toBe('ok');
    expect(await reasonOf(SECRET, { header, bits }, { ...PARAMETERS, capacity: 1_000 })).toBe('ok');
    expect(await reasonOf(SECRET, { header, bits }, { ...PARAMETERS, capacity: 200_001 })).toBe(
      'wrong-parameters',
    );
    expect(await reasonOf(SECRET, { header, bits }, { ...PARAMETERS, falsePositiveRate: 1e-5 })).toBe(
      'wrong-parameters',
    );
  });

  it('says from when on it lacks what has expired, and is refused by whoever keeps that', async () => {
    const filter = filledFilter(10);
    noteLeftOut(filter, 1_790_000_000.5);
    const snapshot = await encodeFilterSnapshot(SECRET, filter, POSITION);
    // A gateway that knows version 1 alone looks for 108 bytes, and has no use for this one.
    expect([snapshot.header.length, snapshot.header.readUInt32BE(0)]).toEqual([116, 2]);
    const parse = (wanted?: WantedFilter, header = snapshot.header) =>
      parseFilterSnapshot(SECRET, { ...snapshot, header }, wanted);
    const lacks = { ok: false, reason: 'lacks-expired' };
    expect(await parse(PARAMETERS)).toEqual(lacks);
    expect(await parse({ ...PARAMETERS, leftOutBefore: 1_790_000_000 })).toEqual(lacks);
    const parsed = await parse({ ...PARAMETERS, leftOutBefore: 1_790_000_000.5 });
    expect(parsed.ok && parsed.filter.leftOutBefore()).toBe(1_790_000_000.5);
    for (let at = 0; at < 116; at++) {
      const altered = Buffer.from(snapshot.header);
      altered[at] = (altered[at] as number) ^ 0x80;
      expect((await parse(undefined, altered)).ok).toBe(false);
      if (at > 0)
        expect(await parse(undefined, snapshot.header.subarray(0, at))).toMatchObject({ ok: false });
    }
    const whole = splitFilterSnapshot(Buffer.concat([snapshot.header, snapshot.bits]));
    expect([whole.header.equals(snapshot.header), whole.bits.equals(snapshot.bits)]).toEqual([true, true]);
    const other = filledFilter(10);
    const { header } = await encodeFilterSnapshot(SECRET, other, POSITION);
    expect([header.length, header.readUInt32BE(0)]).toEqual([108, 1]);
  });

  it('is refused when cut short anywhere, or longer', async () => {
    const { header, bits } = await encodeFilterSnapshot(SECRET, filledFilter(10), POSITION);
    for (let length = 0; length < header.length; length++) {
      const cut = await parseFilterSnapshot(SECRET, { header: header.subarray(0, length), bits });
      expect(cut).toEqual({ ok: false, reason: 'truncated' });
    }
    for (const length of [0, 1, bits.length / 2, bits.length - 4, bits.length - 1]) {
      const cut = await parseFilterSnapshot(SECRET, { header, bits: bits.subarray(0, length) });
      expect(cut).toEqual({ ok: false, reason: 'truncated' });
    }
    const longer = Buffer.concat([bits, Buffer.alloc(4)]);
    expect(await parseFilterSnapshot(SECRET, { header, bits: longer })).toEqual({
      ok: false,
      reason: 'truncated',
    });
  });

  it('is refused when any byte of its header, or a bit of its bits, is another', async () => {
    const { header, bits } = await encodeFilterSnapshot(SECRET, filledFilter(10), POSITION);
    for (let at = 0; at < header.length; at++) {
      const altered = Buffer.from(header);
      altered[at] = (altered[at] as number) ^ 0x80;
      expect((await parseFilterSnapshot(SECRET, { header: altered, bits })).ok).toBe(false);
    }
    for (const at of [0, 1, bits.length >> 1, bits.length - 1]) {
      const altered = Buffer.from(bits);
      altered[at] = (altered[at] as number) ^ 1;
      expect(await parseFilterSnapshot(SECRET, { header, bits: altered })).toEqual({
        ok: false,
        reason: 'forged',
      });
    }
  });
});
