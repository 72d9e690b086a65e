import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CardStatus } from '../../src/card-status.ts';
import {
  change,
  closeStore,
  DAY_MS,
  ISS,
  MINUTE_MS,
  openGateway,
  revocations,
  START_MS,
  temporaryDirectory,
  testClock,
} from './store-fixture.ts';

const storeDir = () => join(temporaryDirectory(), 'status');

describe('one change', () => {
  it('holds, with since and why, and takes the next sequence number', async () => {
    const { apply, statusOf, freshness, store } = await openGateway(storeDir(), testClock());
    expect(statusOf('a')).toEqual({ status: 'active' });
    expect(apply(change('a', 'suspended', { why: 'lost' }))).toEqual({ outcome: 'applied', seq: 1 });
    expect(statusOf('a')).toEqual({ status: 'suspended', sinceMs: START_MS, why: 'lost' });
    expect(freshness.read().seq).toBe(1);
    expect(store.filter.entries()).toBe(1);
    expect(statusOf('b')).toEqual({ status: 'active' });
  });

  it.each<[CardStatus[], number, CardStatus]>([
    [['active'], 0, 'active'],
    [['suspended', 'active'], 2, 'active'],
    [['suspended', 'active', 'active'], 2, 'active'],
    [['suspended', 'suspended'], 1, 'suspended'],
    [['suspended', 'active', 'suspended'], 3, 'suspended'],
    [['suspended', 'revoked'], 2, 'revoked'],
    [['revoked', 'revoked'], 1, 'revoked'],
    [['suspended', 'active', 'revoked'], 3, 'revoked'],
  ])('after another: %j ends at seq %d, %s; in one call as in several', async (statuses, seq, last) => {
    const several = await openGateway(storeDir(), testClock());
    for (const status of statuses) several.apply(change('a', status));
    expect(several.changes.summary()?.seq).toBe(seq);
    expect(several.statusOf('a').status).toBe(last);
    const one = await openGateway(storeDir(), testClock());
    expect(one.apply(...statuses.map((status) => change('a', status)))).toEqual({ outcome: 'applied', seq });
    expect(one.statusOf('a').status).toBe(last);
  });

  it('repeated keeps the first since and why', async () => {
    const clock = testClock();
    const { apply, statusOf } = await openGateway(storeDir(), clock);
    apply(change('a', 'revoked', { why: 'stolen' }));
    clock.advance(MINUTE_MS);
    expect(apply(change('a', 'revoked', { why: 'other' }))).toEqual({ outcome: 'applied', seq: 1 });
    expect(statusOf('a')).toEqual({ status: 'revoked', sinceMs: START_MS, why: 'stolen' });
  });
});

describe('a revocation is final', () => {
  it.each(['active', 'suspended'] as const)('against %s, which refuses the whole call', async (status) => {
    const { apply, statusOf, changes } = await openGateway(storeDir(), testClock());
    apply(change('gone', 'revoked'));
    const outcome = apply(change('other', 'revoked'), change('gone', 'revoked'), change('gone', status));
    expect(outcome).toEqual({ outcome: 'revocation-final', index: 2 });
    expect(statusOf('other')).toEqual({ status: 'active' });
    expect(statusOf('gone').status).toBe('revoked');
    expect(changes.summary()?.seq).toBe(1);
  });

  it('within one call too', async () => {
    const { apply, statusOf } = await openGateway(storeDir(), testClock());
    expect(apply(change('a', 'revoked'), change('a', 'active'))).toEqual({
      outcome: 'revocation-final',
      index: 1,
    });
    expect(statusOf('a')).toEqual({ status: 'active' });
  });
});

it('agrees with a plain model on any history, restarts included', async () => {
  const card = fc.constantFrom('a', 'b', 'c');
  const status = fc.constantFrom<CardStatus>('active', 'suspended', 'revoked');
  const call = fc.oneof(
    { weight: 8, arbitrary: fc.array(fc.tuple(card, status), { minLength: 1, maxLength: 4 }) },
    { weight: 1, arbitrary: fc.constant('restart' as const) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 12 }), async (calls) => {
      const dir = storeDir();
      const clock = testClock();
      let gateway = await openGateway(dir, clock);
      let model = new Map<string, CardStatus>();
      let seq = 0;
      for (const step of calls) {
        if (step === 'restart') {
          await closeStore(gateway.store);
          gateway = await openGateway(dir, clock);
        } else {
          const next = new Map(model);
          let effective = 0;
          let final = -1;
          for (const [index, [jti, to]] of step.entries()) {
            const from = next.get(jti) ?? 'active';
            if (from === 'revoked' && to !== 'revoked' && final < 0) final = index;
            if (from !== to) effective++;
            next.set(jti, to);
          }
          const outcome = gateway.apply(...step.map(([jti, to]) => change(jti, to)));
          if (final >= 0) {
            expect(outcome).toEqual({ outcome: 'revocation-final', index: final });
          } else {
            model = next;
            seq += effective;
            expect(outcome).toEqual({ outcome: 'applied', seq });
          }
        }
        for (const jti of ['a', 'b', 'c']) {
          expect(gateway.statusOf(jti).status).toBe(model.get(jti) ?? 'active');
        }
        const filtered = gateway.store.filter.entries();
        expect(filtered).toBeGreaterThanOrEqual([...model.values()].filter((s) => s !== 'active').length);
      }
      expect([...gateway.store.db.log.getKeys({})].map((key) => Number(key.readBigUInt64BE()))).toEqual(
        Array.from({ length: seq }, (_, i) => i + 1),
      );
      await closeStore(gateway.store);
    }),
    { numRuns: 40 },
  );
});

describe('an Idempotency-Key', () => {
  const request = (jti: string, idempotencyKey = 'k1') => ({
    changes: [change(jti, 'suspended')],
    idempotencyKey,
  });

  it('gives its first answer again and applies nothing, across a restart', async () => {
    const dir = storeDir();
    const clock = testClock();
    const first = await openGateway(dir, clock);
    expect(first.changes.applyChanges(request('a'))).toEqual({ outcome: 'applied', seq: 1 });
    first.apply(change('a', 'active'));
    await closeStore(first.store);
    clock.advance(DAY_MS - 1);
    const second = await openGateway(dir, clock);
    expect(second.changes.applyChanges(request('a'))).toEqual({ outcome: 'applied', seq: 1 });
    expect(second.statusOf('a').status).toBe('active');
  });

  it('is forgotten at 24 hours', async () => {
    const clock = testClock();
    const { changes, apply, statusOf } = await openGateway(storeDir(), clock);
    changes.applyChanges(request('a'));
    apply(change('a', 'active'));
    clock.advance(DAY_MS);
    expect(changes.applyChanges(request('a'))).toEqual({ outcome: 'applied', seq: 3 });
    expect(statusOf('a').status).toBe('suspended');
  });

  it('is refused for other changes, in content or order', async () => {
    const { changes } = await openGateway(storeDir(), testClock());
    const [a, b] = [change('a', 'suspended', { expiresAt: 9 }), change('b', 'suspended')];
    changes.applyChanges({ changes: [a, b], idempotencyKey: 'k' });
    const reused = { outcome: 'idempotency-key-reused' };
    for (const other of [
      [b, a],
      [a],
      [a, b, b],
      [{ ...a, expiresAt: 10 }, b],
      [{ ...a, why: 'lost' as const }, b],
      [{ ...a, status: 'revoked' as const }, b],
      [{ ...a, iss: `${ISS}/` }, b],
    ]) {
      expect(changes.applyChanges({ changes: other, idempotencyKey: 'k' })).toEqual(reused);
    }
    expect(changes.applyChanges({ changes: [a, b], idempotencyKey: 'k', confirm: 'x' })).toEqual({
      outcome: 'applied',
      seq: 2,
    });
  });

  it('is kept also when nothing changed, and not when the call was refused', async () => {
    const { changes, apply } = await openGateway(storeDir(), testClock());
    const noChange = { changes: [change('a', 'active')], idempotencyKey: 'k' };
    expect(changes.applyChanges(noChange)).toEqual({ outcome: 'applied', seq: 0 });
    apply(change('a', 'revoked'));
    expect(changes.applyChanges(noChange)).toEqual({ outcome: 'applied', seq: 0 });
    const lift = { changes: [change('a', 'active')], idempotencyKey: 'other' };
    expect(changes.applyChanges(lift)).toEqual({ outcome: 'revocation-final', index: 0 });
    expect(changes.applyChanges({ ...lift, changes: [change('b', 'revoked')] })).toEqual({
      outcome: 'applied',
      seq: 2,
    });
  });

  it('is bounded in number; room comes back as old ones are forgotten', async () => {
    const clock = testClock();
    const { changes, statusOf } = await openGateway(storeDir(), clock, { maxIdempotencyAnswers: 2 });
    for (const n of [1, 2]) changes.applyChanges(request(`card-${n}`, `k${n}`));
    const full = { outcome: 'unavailable', cause: 'idempotency-full' };
    expect(changes.applyChanges(request('card-3', 'k3'))).toEqual(full);
    expect(statusOf('card-3')).toEqual({ status: 'active' });
    expect(changes.applyChanges(request('card-2', 'k2'))).toEqual({ outcome: 'applied', seq: 2 });
    clock.advance(DAY_MS);
    expect(changes.applyChanges(request('card-3', 'k3'))).toEqual({ outcome: 'applied', seq: 3 });
  });
});

describe('the mass-change limit', () => {
  const limits = { massChangeLimit: 5 };
  const held = { outcome: 'mass-change-held', token: expect.stringMatching(/^[\w-]{54}$/) };

  it('counts all calls of ten minutes together, and only what changes a status', async () => {
    const clock = testClock();
    const { apply } = await openGateway(storeDir(), clock, limits);
    expect(apply(...revocations(3))).toEqual({ outcome: 'applied', seq: 3 });
    expect(apply(...revocations(3))).toEqual({ outcome: 'applied', seq: 3 });
    clock.advance(10 * MINUTE_MS - 1);
    expect(apply(...revocations(2, 'more'))).toEqual({ outcome: 'applied', seq: 5 });
    expect(apply(change('one-more', 'revoked'))).toEqual(held);
    expect(apply(change('card-0', 'revoked'), change('never', 'active')).outcome).toBe('applied');
    clock.advance(1);
    expect(apply(...revocations(3, 'later'))).toEqual({ outcome: 'applied', seq: 8 });
    expect(apply(change('one-more', 'revoked'))).toEqual(held);
  });

  it('holds a single call above it, applies nothing of it, and applies it with its token', async () => {
    const { changes, apply, statusOf } = await openGateway(storeDir(), testClock(), limits);
    const list = revocations(6);
    const outcome = apply(...list);
    expect(outcome).toEqual(held);
    expect(statusOf('card-0')).toEqual({ status: 'active' });
    const confirm = outcome.outcome === 'mass-change-held' ? outcome.token : '';
    expect(changes.applyChanges({ changes: list, confirm })).toEqual({ outcome: 'applied', seq: 6 });
    expect(statusOf('card-5').status).toBe('revoked');
  });

  it('binds a token to exactly its changes and ten minutes', async () => {
    const clock = testClock();
    const { changes, apply } = await openGateway(storeDir(), clock, limits);
    const list = revocations(6);
    const outcome = apply(...list);
    const confirm = outcome.outcome === 'mass-change-held' ? outcome.token : '';
    const tampered = (confirm[0] === 'A' ? 'B' : 'A') + confirm.slice(1);
    for (const wrong of ['', 'x', tampered, `${confirm}A`, confirm.slice(1), '\ud800']) {
      expect(changes.applyChanges({ changes: list, confirm: wrong })).toEqual(held);
    }
    expect(changes.applyChanges({ changes: revocations(7), confirm })).toEqual(held);
    expect(changes.applyChanges({ changes: [...list].reverse(), confirm })).toEqual(held);
    clock.setWall(clock.wallMs() - 1);
    expect(changes.applyChanges({ changes: list, confirm })).toEqual(held);
    clock.advance(10 * MINUTE_MS + 1);
    expect(changes.applyChanges({ changes: list, confirm })).toEqual(held);
    clock.setWall(clock.wallMs() - 1);
    expect(changes.applyChanges({ changes: list, confirm })).toEqual({ outcome: 'applied', seq: 6 });
  });

  it('is not forgotten by a restart, and neither is a token', async () => {
    const dir = storeDir();
    const clock = testClock();
    const first = await openGateway(dir, clock, limits);
    first.apply(...revocations(2));
    clock.advance(MINUTE_MS);
    first.apply(...revocations(3, 'b'));
    const list = [change('c', 'suspended')];
    const outcome = first.apply(...list);
    await closeStore(first.store);
    clock.advance(MINUTE_MS);
    const second = await openGateway(dir, clock, limits);
    expect(second.apply(...list)).toEqual(held);
    const confirm = outcome.outcome === 'mass-change-held' ? outcome.token : '';
    expect(second.changes.applyChanges({ changes: list, confirm })).toEqual({ outcome: 'applied', seq: 6 });
    clock.advance(8 * MINUTE_MS);
    expect(second.apply(...revocations(1, 'd'))).toEqual({ outcome: 'applied', seq: 7 });
    expect(second.apply(change('e', 'revoked'))).toEqual(held);
  });

  it('lets a held call go on under its Idempotency-Key', async () => {
    const { changes } = await openGateway(storeDir(), testClock(), { massChangeLimit: 0 });
    const request = { changes: [change('a', 'revoked')], idempotencyKey: 'k' };
    const outcome = changes.applyChanges(request);
    const confirm = outcome.outcome === 'mass-change-held' ? outcome.token : '';
    const applied = { outcome: 'applied', seq: 1 };
    expect(changes.applyChanges({ ...request, confirm })).toEqual(applied);
    expect(changes.applyChanges(request)).toEqual(applied);
  });
});
