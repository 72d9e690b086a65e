import { describe, expect, it } from 'vitest';
import { type ClientMark, createClientMarks } from '../../src/ingress/admission/client-marks.ts';
import { createClientShares } from '../../src/ingress/admission/client-shares.ts';

const marks = createClientMarks(20_261_126);
const v4 = (last: number): ClientMark => marks.ofAddress(Uint8Array.of(10, 0, 0, last));
const v6 = (network: number, host: number): ClientMark => {
  const bytes = new Uint8Array(16);
  bytes.set([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, network]);
  bytes[15] = host;
  return marks.ofAddress(bytes);
};
const mapped = (last: number): ClientMark =>
  marks.ofAddress(Uint8Array.of(...new Array(10).fill(0), 0xff, 0xff, 10, 0, 0, last));

/** As many addresses as make the mean of a call each say nothing. */
const thousands = (): ClientMark[] =>
  Array.from({ length: 3_000 }, (_, i) => marks.ofAddress(Uint8Array.of(10, 2, i >> 8, i & 255)));

/** Ten clients with so much each, the first with ten times as much. */
function oneHog(shares = createClientShares()) {
  shares.fade(0);
  for (let client = 0; client < 10; client++) shares.charge(v4(client), client === 0 ? 200 : 20);
  shares.fade(50);
  return shares;
}

describe('shares of clients', () => {
  it('tell a hog from the others', () => {
    const shares = oneHog();
    expect(shares.weigh(v4(0))).toBe('heavy');
    for (let client = 1; client < 10; client++) expect(shares.weigh(v4(client))).not.toBe('heavy');
  });

  it('call nobody heavy where all have the same, whoever was there before', () => {
    const shares = createClientShares();
    shares.fade(0);
    for (let client = 0; client < 100; client++) shares.charge(v4(client), 50);
    shares.fade(50);
    expect(new Set(Array.from({ length: 100 }, (_, client) => shares.weigh(v4(client))))).toEqual(
      new Set(['usual']),
    );
    expect(shares.weigh(v4(200))).toBe('light');
  });

  it('call nobody light or heavy while a few calls are all there is', () => {
    const shares = createClientShares();
    shares.fade(0);
    for (let client = 0; client < 50; client++) shares.charge(v4(client), 1);
    shares.charge(v4(0), 3);
    shares.fade(50);
    expect([shares.weigh(v4(0)), shares.weigh(v4(100))]).toEqual(['usual', 'usual']);
  });

  it('tell a hog from thousands that call once, who are neither heavy nor light', () => {
    const shares = createClientShares();
    shares.fade(0);
    const others = thousands();
    for (const other of others) shares.charge(other, 1);
    shares.charge(v4(0), 20_000);
    shares.fade(50);
    expect(shares.weigh(v4(0))).toBe('heavy');
    // A few share their places in both rows with others, or with the hog.
    expect(others.filter((other) => shares.weigh(other) !== 'usual').length).toBeLessThan(5);
  });

  it('call nobody heavy where all have the same, beside thousands that have left', () => {
    const shares = createClientShares();
    shares.fade(0);
    for (const other of thousands()) shares.charge(other, 1);
    shares.fade(5_000);
    for (let client = 0; client < 10; client++) shares.charge(v4(client), 100);
    for (let client = 0; client < 10; client++) expect(shares.weigh(v4(client))).toBe('usual');
  });

  it('do not call heavy who is alone, and call light who comes then', () => {
    const shares = createClientShares();
    shares.fade(0);
    shares.charge(v4(0), 200);
    shares.fade(50);
    shares.charge(v4(0), 200);
    expect([shares.weigh(v4(0)), shares.weigh(v4(1))]).toEqual(['usual', 'light']);
  });

  it.each([
    [0, 'usual'],
    [240, 'heavy'],
    [249, 'heavy'],
    [251, 'heavy'],
    [490, 'heavy'],
  ])('count less of what was longer ago: whoever comes %d ms after the others is %s', (laterMs, weight) => {
    const shares = createClientShares();
    shares.fade(0);
    for (let client = 1; client <= 3; client++) shares.charge(v4(client), 100);
    shares.fade(laterMs);
    // 1.3 times the mean is 144 beside three times 100, and less than 123 once those have faded for 240 ms.
    shares.charge(v4(0), 132);
    expect(shares.weigh(v4(0))).toBe(weight);
    expect(shares.weigh(v4(1))).toBe('usual');
  });

  it('forget', () => {
    const shares = oneHog();
    shares.fade(20_000);
    expect(shares.weigh(v4(0))).toBe('usual');
  });

  it('take an IPv4 address for itself however it is written, and an IPv6 network for one client', () => {
    const shares = createClientShares();
    shares.fade(0);
    for (let client = 0; client < 9; client++) shares.charge(v4(client + 1), 20);
    for (let host = 0; host < 100; host++) shares.charge(v6(7, host), 2);
    shares.charge(mapped(99), 200);
    shares.fade(50);
    expect(shares.weigh(v6(7, 200))).toBe('heavy');
    expect(shares.weigh(v6(8, 1))).toBe('light');
    expect(shares.weigh(v4(99))).toBe('heavy');
  });

  it('are right about the others beside a hog and a thousand clients, under any seed', () => {
    for (let seed = 0; seed < 20; seed++) {
      const seeded = createClientMarks(seed * 0x9e3779b1);
      const shares = createClientShares();
      shares.fade(0);
      const clients = Array.from({ length: 1_000 }, (_, i) =>
        seeded.ofAddress(Uint8Array.of(10, 1, i >> 8, i & 255)),
      );
      const hog = seeded.ofAddress(Uint8Array.of(10, 0, 0, 0));
      for (const client of clients) shares.charge(client, 20);
      shares.charge(hog, 2_000);
      shares.fade(50);
      expect(shares.weigh(hog)).toBe('heavy');
      // A few of a thousand share their places in both rows with others.
      expect(clients.filter((client) => shares.weigh(client) === 'heavy').length).toBeLessThan(25);
    }
  });
});
