import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Client, createAdmission, type ShedReason } from '../../src/ingress/admission/admission.ts';
import { createClientMarks } from '../../src/ingress/admission/client-marks.ts';
import type { Exchange } from '../../src/ingress/exchange.ts';

const marks = createClientMarks();
const from = (last: number): Client => ({ mark: () => marks.ofAddress(Uint8Array.of(127, 0, 0, last)) });
const CALLER = from(1);
/** What a single call is thought to cost before any was measured, and so in these tests. */
const SINGLE_MS = 0.02;
/** On a slow engine: a turn is cut to sixteen of them. */
const COSTLY_MS = 0.4;

/** `costMs`: what a single call takes. */
function rig(costMs = SINGLE_MS) {
  let now = 0;
  let due: (() => void)[] = [];
  const shed: string[] = [];
  let isOverloaded = false;
  const admission = createAdmission({
    queueTargetMs: 5,
    batchQueueMs: 250,
    batchWaitMs: 2_000,
    monotonicMs: () => now,
    afterTurn: (callback) => due.push(callback),
    onShed: (lane, why) => shed.push(`${lane} ${why}`),
    onBatchQueue: () => {},
    onOverload: (lane, isOn) => {
      if (lane === 'single') isOverloaded = isOn;
    },
  });
  const single = (caller = CALLER): ShedReason | undefined => admission.judge('single', caller, 500, now);
  /** A turn of the event loop with so many single calls; how many were let in. */
  const turn = (calls: number, caller = CALLER): number => {
    let admitted = 0;
    for (let i = 0; i < calls; i++) if (single(caller) === undefined) admitted++;
    now += admitted * costMs;
    const callbacks = due;
    due = [];
    admission.singlesAnswered();
    for (const callback of callbacks) callback();
    return admitted;
  };
  /** Turns with so many calls each, for so long. */
  const keepOn = (calls: number, ms: number): void => {
    for (const end = now + ms; now < end; ) {
      turn(calls);
      now += 1;
    }
  };
  return {
    admission,
    single,
    turn,
    keepOn,
    shed,
    isOverloaded: () => isOverloaded,
    wait: (ms: number) => (now += ms),
    now: () => now,
    runDue: () => {
      const callbacks = due;
      due = [];
      for (const callback of callbacks) callback();
    },
  };
}

/** One that has learnt what a costly call takes, and is overloaded by them. */
function costlyRig() {
  const learnt = rig(COSTLY_MS);
  for (let turns = 0; turns < 200; turns++) learnt.turn(20);
  return learnt;
}

afterEach(() => {
  vi.useRealTimers();
});

describe('single calls', () => {
  it('are all let in below the target, and nobody asks who calls', () => {
    const { admission, keepOn, shed, now } = rig();
    const nobody: Client = {
      mark: () => {
        throw new Error('asked');
      },
    };
    for (let i = 0; i < 100; i++) expect(admission.judge('single', nobody, 500, now())).toBeUndefined();
    admission.singlesAnswered();
    // A call waits for two turns of 2.4 ms.
    keepOn(120, 2_000);
    expect(shed).toEqual([]);
  });

  it('are let in when a burst brings ten times the target once', () => {
    const { turn, keepOn, shed } = rig();
    expect(turn(2_500)).toBe(2_500);
    keepOn(50, 500);
    expect(turn(2_500)).toBe(2_500);
    expect(shed).toEqual([]);
  });

  it('are cut to part of the target when more keeps coming, until it does no more', () => {
    const { turn, keepOn, wait } = rig();
    keepOn(1_000, 300);
    const admitted = turn(1_000);
    // A good batch for the engine: a quarter of the target.
    expect(admitted).toBe(64);
    expect(admitted * SINGLE_MS).toBeLessThan(5);
    // A load that the worker can do is not cut, while it still watches.
    expect(turn(20)).toBe(20);
    keepOn(20, 1_200);
    wait(1);
    expect(turn(1_000)).toBe(1_000);
  });

  it('are cut sooner when what was an overload just now comes back', () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { turn, wait, isOverloaded } = rig();
    /** Turns of 20 ms of work until they are cut: after so many. */
    const longTurns = (): number => {
      for (let turns = 1; ; turns++) {
        turn(1_000);
        if (isOverloaded()) return turns;
      }
    };
    const end = (): void => {
      turn(1);
      vi.advanceTimersByTime(100);
      expect(isOverloaded()).toBe(false);
    };
    expect(longTurns()).toBe(4);
    // A look at the turns so far, and one at those since.
    vi.advanceTimersByTime(100);
    end();
    expect(longTurns()).toBe(2);
    vi.advanceTimersByTime(100);
    end();
    wait(1_001);
    expect(longTurns()).toBe(4);
  });

  it('stay watched while a hog is there, however short the turns that it leaves to the others', () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { admission, single, turn, isOverloaded, wait, now } = rig();
    /**
     * For so long turns with two calls of each of ten others, and an idle while behind each; with so many of the hog's behind
     * them in one turn of a hundred milliseconds.
     */
    const turns = (ms: number, idleMs: number, ofHog: number): void => {
      const workMs = 20 * SINGLE_MS;
      let hogMs = 0;
      for (let passed = 0; passed < ms; passed += workMs + idleMs) {
        for (let call = 0; call < 20; call++) single(from(2 + (call % 10)));
        wait(workMs);
        const isHogs = passed >= hogMs;
        if (isHogs) hogMs += 100;
        turn(isHogs ? ofHog : 0, from(20));
        wait(idleMs);
        vi.advanceTimersByTime(workMs + idleMs);
      }
    };
    for (let i = 0; i < 20; i++) turn(1_000, from(20));
    expect(isOverloaded()).toBe(true);
    turns(3_000, 0.2, 1_000);
    expect(isOverloaded()).toBe(true);
    turns(500, 0.2, 0);
    expect(isOverloaded()).toBe(false);
    // All the same where there is little to be done: batches were kept out by it.
    for (let i = 0; i < 20; i++) turn(1_000, from(20));
    expect(isOverloaded()).toBe(true);
    turns(500, 5, 1_000);
    expect(isOverloaded()).toBe(false);
    expect(admission.judge('batch', CALLER, 500, now())).toBeUndefined();
    admission.stop();
  });

  it('are no overload where nothing but a burst comes now and then', () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { admission, turn, keepOn, isOverloaded, wait } = rig();
    keepOn(1_000, 300);
    for (let bursts = 0; bursts < 5; bursts++) {
      turn(70);
      wait(98.6);
      vi.advanceTimersByTime(100);
    }
    expect(isOverloaded()).toBe(false);
    admission.stop();
  });

  it('stay watched while refusing is all that there is time for', () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { admission, turn, keepOn, isOverloaded, wait } = rig();
    keepOn(1_000, 300);
    for (let turns = 0; turns < 300; turns++) {
      turn(2_000);
      wait(1_936 * 0.008);
      vi.advanceTimersByTime(17);
    }
    expect(isOverloaded()).toBe(true);
    admission.stop();
  });

  it('are watched on when the thread did not run, though no turn was seen meanwhile', () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { admission, turn, keepOn, isOverloaded, wait, now } = rig();
    keepOn(1_000, 300);
    vi.advanceTimersByTime(100);
    // Timers are due first, then whatever came is read: a batch, and behind it many calls.
    wait(160);
    vi.advanceTimersByTime(100);
    expect(admission.judge('batch', CALLER, 500, now())).toBe('singles');
    expect(turn(1_000)).toBe(64);
    expect(isOverloaded()).toBe(true);
    // One look at that turn, and one at nothing.
    for (let looks = 0; looks < 2; looks++) {
      expect(isOverloaded()).toBe(true);
      wait(100);
      vi.advanceTimersByTime(100);
    }
    expect(isOverloaded()).toBe(false);
    admission.stop();
  });

  it('never come without bound, however sudden', () => {
    const { turn } = rig();
    expect(turn(1_000_000) * SINGLE_MS).toBeLessThanOrEqual(100);
  });

  it('never come without bound beside a hog either, where each costs much', () => {
    const { single, turn } = costlyRig();
    single(from(2));
    // The hog, which can make way for the others.
    single(CALLER);
    expect(turn(10_000, from(2)) * COSTLY_MS).toBeLessThanOrEqual(100);
  });

  it('are let in one a turn of whoever had more than others, whatever a call costs', () => {
    const { single, turn } = costlyRig();
    for (let turns = 0; turns < 300; turns++) {
      expect(single()).toBeUndefined();
      for (let i = 0; i < 200; i++) single(from(3 + (i % 9)));
      for (let i = 0; i < 500; i++) single();
      turn(1, from(3));
    }
    expect(single()).toBeUndefined();
    expect(single()).toBe('share');
  });

  it('that are pipelined, and so answered one by one, are added up all the same', () => {
    const { single, runDue, wait } = rig();
    for (let turns = 0; turns < 30; turns++) {
      for (let i = 0; i < 1_000; i++) single();
      wait(20);
      runDue();
      runDue();
    }
    const admitted = Array.from({ length: 1_000 }, () => single()).filter((why) => why === undefined).length;
    expect(admitted * SINGLE_MS).toBeLessThanOrEqual(5);
  });
});

describe('refusals for the callers’ sake', () => {
  /** A turn with so many calls, among which others are turned away at once, which takes as long again as all of them. */
  const mixed = ({ admission, single, wait, turn }: ReturnType<typeof rig>, calls: number, away: number) => {
    for (let i = 1; i < calls; i++) single();
    for (let i = 0; i < away; i++) {
      admission.turnedAway('single', CALLER);
      wait((calls * SINGLE_MS) / away);
      admission.turnAwayTook((calls * SINGLE_MS) / away);
    }
    wait((calls - 1) * SINGLE_MS);
    turn(1);
  };

  it.each([
    ['few', 5],
    ['many', 500],
  ])('that are %s in each turn are not taken for the cost of the calls in it', (_, away) => {
    const one = rig();
    for (let turns = 0; turns < 200; turns++) mixed(one, 40, away);
    one.keepOn(1_000, 300);
    expect(one.turn(1_000)).toBe(64);
  });

  it('come out of the client’s share under overload, and otherwise nobody asks whose they are', () => {
    const { admission, keepOn, turn, now, wait } = rig();
    admission.turnedAway('single', {
      mark: () => {
        throw new Error('asked');
      },
    });
    keepOn(1_000, 300);
    for (let turns = 0; turns < 40; turns++) {
      for (let i = 0; i < 500; i++) admission.turnedAway('single', from(2));
      for (let client = 3; client < 20; client++) turn(5, from(client));
      wait(1);
    }
    let other: ShedReason | undefined;
    while (other === undefined) other = admission.judge('single', from(3), 500, now());
    expect(other).toBe('queue');
    expect(admission.judge('single', from(2), 500, now())).toBe('share');
    // A hog was seen in this turn, which can make way instead.
    expect(admission.judge('single', from(3), 500, now())).toBe(undefined);
  });
});

describe('a client that wants ten times as much as nine others', () => {
  /** Calls a millisecond, where 50 are all that can be done: together half as many again. */
  const OTHER_RATE = 4;
  const HOG_RATE = 10 * OTHER_RATE;
  const HOG_CONNECTIONS = 400;
  /** Refusals given a millisecond: a connection whose refusal is held back is silent. */
  const REFUSAL_RATE = 6;
  const REFUSAL_MS = 0.008;

  it('is shed first, and of their calls not one in a thousand', () => {
    const { admission, keepOn, wait, now, runDue } = rig();
    keepOn(1_000, 300);
    const began = now();
    let held = 0;
    let before = now();
    let arrived = 0;
    let due = 0;
    let calls = 0;
    const others = { asked: 0, lost: 0 };
    const hog = { asked: 0, served: 0 };
    while (now() < began + 3_000) {
      arrived += now() - before;
      before = now();
      let workMs = 0.01;
      const ask = (client: number): boolean => {
        const isIn = admission.judge('single', from(client), 500, now()) === undefined;
        workMs += isIn ? SINGLE_MS : REFUSAL_MS;
        return isIn;
      };
      held = Math.max(0, held - arrived * REFUSAL_RATE);
      // The hog's calls stand first in each turn: where they stand must not matter.
      for (let i = 0; i < arrived * HOG_RATE && held < HOG_CONNECTIONS; i++) {
        hog.asked++;
        if (ask(2)) hog.served++;
        else held++;
      }
      for (due += 9 * OTHER_RATE * arrived; due >= 1; due--) {
        const isIn = ask(3 + (calls++ % 9));
        // The first moments pass before anybody's share is known.
        if (now() < began + 500) continue;
        others.asked++;
        if (!isIn) others.lost++;
      }
      arrived = 0;
      wait(workMs);
      admission.singlesAnswered();
      runDue();
    }
    expect(others.asked).toBeGreaterThan(80_000);
    expect(others.lost / others.asked).toBeLessThan(0.001);
    // It is not shut out either: it gets of what they leave.
    expect(hog.served).toBeGreaterThan(3_000);
    expect(hog.served).toBeLessThan(hog.asked);
  });
});

describe('batches', () => {
  const BODY = 400_000;
  const exchange = (): Exchange => ({}) as Exchange;

  it('are let in up to the burst, then none, though single calls are', () => {
    const { admission, single, shed, now } = rig();
    let admitted = 0;
    for (; admission.judge('batch', CALLER, BODY, now()) === undefined; admitted++) {
      admission.batches.admit(exchange(), BODY);
    }
    // About 4 ms of work each.
    expect(admitted).toBeGreaterThan(10);
    expect(admitted).toBeLessThan(100);
    expect(shed).toEqual(['batch queue']);
    expect(single()).toBeUndefined();
  });

  it('are all refused while single calls have to be', () => {
    const { admission, keepOn, now } = rig();
    keepOn(1_000, 300);
    expect(admission.judge('batch', CALLER, 500, now())).toBe('singles');
  });

  it('make nobody a hog among single calls', () => {
    const { admission, keepOn, turn, shed, wait, now } = rig();
    const batch = (caller: Client): boolean => {
      const isIn = admission.judge('batch', caller, BODY, now()) === undefined;
      if (isIn) admission.batches.admit(exchange(), BODY);
      return isIn;
    };
    while (batch(CALLER));
    for (let ms = 0; ms < 300; ms++) {
      wait(1);
      for (let i = 0; i < 10; i++) batch(from(2));
      batch(from(3));
    }
    // It was refused as one that had more than its share.
    expect(shed.slice(-11)).toContain('batch share');
    keepOn(1_000, 80);
    // Though it asks for a single call as well, the turn is cut to what it is cut to without a hog.
    expect(admission.judge('single', from(2), 500, now())).toBeUndefined();
    expect(turn(1_000)).toBeLessThanOrEqual(64);
  });
});
