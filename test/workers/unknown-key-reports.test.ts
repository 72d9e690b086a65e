import { expect, it } from 'vitest';
import { MAX_ISS_LENGTH, MAX_KID_LENGTH } from '../../src/keys/trust-list-schema.ts';
import { createUnknownKeyReports } from '../../src/workers/unknown-key-reports.ts';

function reporter() {
  const clock = { now: 50_000 };
  const reported: string[] = [];
  const report = createUnknownKeyReports({ wallMs: () => 0, monotonicMs: () => clock.now }, (iss, kid) =>
    reported.push(`${iss} ${kid}`),
  );
  return { clock, reported, report };
}

it('reports 20 in a second, drops the rest, and reports again in the next', () => {
  const { clock, reported, report } = reporter();
  for (let i = 0; i < 1_000; i++) report('iss', `kid-${i}`);
  expect(reported).toEqual(Array.from({ length: 20 }, (_, i) => `iss kid-${i}`));
  clock.now += 999;
  report('iss', 'early');
  expect(reported).toHaveLength(20);
  clock.now += 1;
  report('iss', 'late');
  expect(reported.at(-1)).toBe('iss late');
});

it('does not report what no list can name', () => {
  const { reported, report } = reporter();
  report('i'.repeat(MAX_ISS_LENGTH + 1), 'kid');
  report('iss', 'k'.repeat(MAX_KID_LENGTH + 1));
  expect(reported).toEqual([]);
  report('i'.repeat(MAX_ISS_LENGTH), 'k'.repeat(MAX_KID_LENGTH));
  expect(reported).toHaveLength(1);
});
