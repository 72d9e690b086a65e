import { describe, expect, it } from 'vitest';
import { createBatchLane } from '../../src/ingress/admission/batch-lane.ts';
import { STANDING_MS } from '../../src/ingress/admission/overload.ts';
import { CROWDED_PART, FIRST_TRIAL_MS, LEAST_PART } from '../../src/ingress/admission/standing-room.ts';
import type { Exchange } from '../../src/ingress/exchange.ts';

/** Only who it is counts here. */
const exchange = (): Exchange => ({}) as Exchange;
const BODY = 400_000;
const ITEMS = 1_000;

function rig() {
  let now = 0;
  let due: (() => void)[] = [];
  let singles = false;
  let queued = 0;
  const late: number[] = [];
  const lane = createBatchLane({
    monotonicMs: () => now,
    afterTurn: (callback) => due.push(callback),
    standingMs: 50,
    burstMs: 250,
    waitMs: 2_000,
    singlesCame: () => singles,
    onQueue: (items) => {
      queued = items;
    },
    onOverload: () => {},
    onLate: () => late.push(now),
    onSliced: () => {},
  });
  const enter = (bytes = BODY): Exchange => {
    const one = exchange();
    lane.admit(one, bytes);
    expect(lane.begin(one)).toBe(true);
    return one;
  };
  /** The event loop turns once. */
  const turn = async (ms = 2): Promise<void> => {
    now += ms;
    const callbacks = due;
    due = [];
    for (const callback of callbacks) callback();
    await new Promise(setImmediate);
  };
  return {
    lane,
    enter,
    turn,
    late,
    queued: () => queued,
    isIdle: () => due.length === 0,
    setSingles: (come: boolean) => {
      singles = come;
    },
    wait: (ms: number) => {
      now += ms;
    },
  };
}

/** Whose slices were granted, in order, as names. */
function follow(rigged: ReturnType<typeof rig>, names: Readonly<Record<string, Exchange>>) {
  const granted: string[] = [];
  const wait = (name: string, slices: number): void => {
    void rigged.lane.slice(names[name] as Exchange).then((may) => {
      granted.push(may ? name : `${name} no`);
      if (!may) return;
      rigged.lane.sliced(names[name] as Exchange, 100, 2);
      if (slices > 1) wait(name, slices - 1);
    });
  };
  return { granted, wait };
}

describe('the lane of batches', () => {
  it('finishes batches alike one behind the other, one slice a turn of the event loop', async () => {
    const rigged = rig();
    const first = rigged.enter();
    rigged.wait(0.01);
    const { granted, wait } = follow(rigged, { first, second: rigged.enter() });
    wait('second', 2);
    wait('first', 2);
    for (let i = 0; i < 6; i++) await rigged.turn();
    expect(granted).toEqual(['first', 'first', 'second', 'second']);
  });

  it('lets small ones pass a large one, until that is due', async () => {
    const rigged = rig();
    const { granted, wait } = follow(rigged, { large: rigged.enter(10 * BODY) });
    wait('large', 1_000);
    await rigged.turn();
    // It was thought to be work of 40 ms, due after 800. By its slices the small ones take 20, and are due after 400.
    for (let i = 0; i < 400; i++) {
      const small = follow(rigged, { small: rigged.enter() });
      small.wait('small', 1);
      await rigged.turn();
      granted.push(...small.granted);
    }
    const [first, ...others] = granted;
    const passedBy = others.indexOf('large');
    expect(first).toBe('large');
    expect(Math.abs(2 * passedBy - 400)).toBeLessThan(10);
    expect(others.slice(passedBy, passedBy + 10)).toEqual(Array(10).fill('large'));
  });

  it('lets nobody be passed by for longer than half of the longest wait', async () => {
    const rigged = rig();
    const known = follow(rigged, { small: rigged.enter() });
    known.wait('small', 10);
    for (let i = 0; i < 10; i++) await rigged.turn();
    const { granted, wait } = follow(rigged, { large: rigged.enter(10 * BODY) });
    wait('large', 1);
    for (let i = 0; i < 600; i++) {
      const small = follow(rigged, { small: rigged.enter() });
      small.wait('small', 1);
      await rigged.turn();
      granted.push(...small.granted);
    }
    // Work of 200 ms would be due after four seconds. The small ones are due after 400 ms.
    expect(Math.abs(2 * granted.indexOf('large') - 600)).toBeLessThan(10);
  });

  it('gives slices under a third of the time while single calls keep coming, all of it otherwise', async () => {
    const rigged = rig();
    const { granted, wait } = follow(rigged, { a: rigged.enter() });
    rigged.setSingles(true);
    wait('a', 1_000);
    for (let i = 0; i < 100; i++) await rigged.turn(2);
    expect(granted.length).toBeGreaterThan(20);
    expect(granted.length).toBeLessThan(40);
    rigged.setSingles(false);
    const before = granted.length;
    for (let i = 0; i < 100; i++) await rigged.turn(2);
    expect(granted.length - before).toBe(100);
  });

  it('keeps their share for slices also after a long time in which they had all of it', async () => {
    const rigged = rig();
    const { granted, wait } = follow(rigged, { a: rigged.enter() });
    wait('a', 2_000);
    for (let i = 0; i < 1_000; i++) await rigged.turn(2);
    rigged.setSingles(true);
    const before = granted.length;
    for (let i = 0; i < 100; i++) await rigged.turn(2);
    expect(granted.length - before).toBeGreaterThan(20);
  });

  it('refuses one that waited too long for its first slice, and goes on with the others', async () => {
    const rigged = rig();
    const { granted, wait } = follow(rigged, { a: rigged.enter() });
    wait('a', 1);
    await rigged.turn(2_001);
    expect(granted).toEqual(['a no']);
    expect(rigged.late).toHaveLength(1);
  });

  it('frees what a client that went away had asked for, at once', async () => {
    const rigged = rig();
    const [a, b] = [rigged.enter(), rigged.enter()];
    const { granted, wait } = follow(rigged, { a, b });
    wait('a', 10);
    wait('b', 1);
    expect(rigged.queued()).toBe(2 * ITEMS);
    rigged.lane.leave(a);
    expect(rigged.queued()).toBe(ITEMS);
    await rigged.turn();
    await rigged.turn();
    expect(granted).toEqual(['a no', 'b']);
    rigged.lane.leave(b);
    await rigged.turn();
    expect([rigged.queued(), rigged.isIdle()]).toEqual([0, true]);
  });

  it('goes on with the others when one leaves that stands among them', async () => {
    const rigged = rig();
    const names = { a: rigged.enter(), b: rigged.enter(), c: rigged.enter() };
    const { granted, wait } = follow(rigged, names);
    for (const name of ['a', 'b', 'c']) wait(name, 1);
    rigged.lane.leave(names.b);
    for (let i = 0; i < 3; i++) await rigged.turn();
    expect(granted).toEqual(['b no', 'a', 'c']);
    expect(rigged.isIdle()).toBe(true);
  });

  it('does not let ever more tiny ones pass for nothing', async () => {
    const rigged = rig();
    const { granted, wait } = follow(rigged, { ordinary: rigged.enter() });
    wait('ordinary', 1);
    for (let i = 0; i < 60; i++) {
      const tiny = follow(rigged, { tiny: rigged.enter(1) });
      tiny.wait('tiny', 1);
      await rigged.turn();
      granted.push(...tiny.granted);
    }
    // Work of 4 ms, due after 80; each of the tiny ones counts as half a millisecond, and is due after 10.
    expect(Math.abs(2 * granted.indexOf('ordinary') - 70)).toBeLessThan(5);
  });

  it('admits two however large, and beyond them by the time that all would take', () => {
    const { lane, enter } = rig();
    expect(lane.pressure(16 * 1024 * 1024)).toBe(0);
    enter();
    enter();
    expect(lane.pressure(16 * 1024 * 1024)).toBeGreaterThan(0);
    expect(lane.pressure(100)).toBeLessThan(1);
    for (let i = 0; i < 70; i++) enter();
    expect(lane.pressure(100)).toBeGreaterThan(1);
  });

  it('has less standing while there are too many, and tries the whole where all that is wanted would fit', () => {
    const { lane, enter, wait } = rig();
    // Of 4 ms of work each, as is thought of them: 60 in place of the 50 that may stand.
    const entered = Array.from({ length: 15 }, () => enter());
    lane.pressure(BODY);
    wait(STANDING_MS);
    lane.pressure(BODY);
    expect(lane.overload.isOn).toBe(true);
    for (const one of entered.slice(7)) lane.leave(one);
    // Now 28, and 4 of the one that comes.
    const part = (roomMs: number) => 32 / roomMs;
    expect(lane.pressure(BODY)).toBeCloseTo(part(CROWDED_PART * 50), 5);
    // Refused, and not known to be by their clients: these are wanted, too, however long a body they announced.
    const refusedItems = [BODY, BODY, BODY, 999_999_999_999_999, 999_999_999_999_999, 0].map((bytes) => {
      lane.shed(bytes, STANDING_MS, true);
      return lane.estimateItems(bytes);
    });
    wait(FIRST_TRIAL_MS);
    expect(lane.pressure(BODY)).toBeCloseTo(part(LEAST_PART * 50), 5);
    for (const items of refusedItems) lane.refusalEnded(items);
    lane.shed(BODY, STANDING_MS + FIRST_TRIAL_MS, true);
    wait(FIRST_TRIAL_MS);
    expect(lane.pressure(BODY)).toBeCloseTo(part(50), 5);
    // A trial is not in vain for what was refused while there was room.
    lane.shed(BODY, STANDING_MS + 2 * FIRST_TRIAL_MS, false);
    expect(lane.overload.isOn).toBe(true);
    expect(lane.pressure(BODY)).toBeCloseTo(part(50), 5);
  });

  it('has no place taken by those that are verified, whose clients are slow to read', () => {
    const { lane, enter, queued } = rig();
    // Of fewer items than were thought.
    for (const one of [enter(), enter()]) lane.counted(one, 10);
    expect([queued(), lane.pressure(16 * 1024 * 1024)]).toEqual([0, 0]);
  });

  it('charges a body that does not come for a second only, and takes it later if there is room', () => {
    const rigged = rig();
    const slow = Array.from({ length: 100 }, exchange);
    for (const one of slow) rigged.lane.admit(one, BODY);
    expect(rigged.lane.pressure(BODY)).toBeGreaterThan(1);
    rigged.wait(1_001);
    expect(rigged.lane.pressure(BODY)).toBeLessThan(1);
    expect(rigged.lane.begin(slow[0] as Exchange)).toBe(true);
    for (let i = 0; i < 100; i++) rigged.enter();
    expect(rigged.lane.begin(slow[1] as Exchange)).toBe(false);
  });

  it('charges what has arrived and is verified no more, and lets what has begun go on', async () => {
    const rigged = rig();
    const one = rigged.enter();
    const first = rigged.lane.slice(one);
    await rigged.turn();
    expect(await first).toBe(true);
    rigged.lane.sliced(one, ITEMS / 2, 2);
    rigged.lane.rest(one);
    rigged.wait(1_001);
    rigged.lane.pressure(BODY);
    expect(rigged.queued()).toBe(0);
    for (let i = 0; i < 200; i++) rigged.enter();
    expect(rigged.lane.begin(one)).toBe(true);
    rigged.lane.counted(one, ITEMS);
    rigged.lane.leave(one);
  });

  it('learns from whole bodies how large an item is', () => {
    const { lane, enter } = rig();
    for (let i = 0; i < 80; i++) lane.counted(enter(), BODY / 800);
    expect(Math.abs(lane.estimateItems(BODY) - BODY / 800)).toBeLessThanOrEqual(5);
    // What is wrong teaches nothing, and one odd body little.
    lane.counted(enter(), undefined);
    lane.counted(enter(), 1);
    expect(lane.estimateItems(BODY)).toBeGreaterThan(0.9 * (BODY / 800));
  });

  it('is empty to the last part of an item when all have left, whatever they were thought to have', () => {
    const { lane, enter, queued } = rig();
    for (let i = 0; i < 50; i++) lane.counted(enter(), 7 * i + 3);
    const some = Array.from({ length: 50 }, exchange);
    for (const [i, one] of some.entries()) lane.admit(one, 12_345 + 77 * i);
    for (const one of some) lane.leave(one);
    expect(queued()).toBe(0);
  });

  it('has nothing to say to an exchange that it does not know', async () => {
    const { lane } = rig();
    expect(await lane.slice(exchange())).toBe(false);
    lane.leave(exchange());
  });
});
