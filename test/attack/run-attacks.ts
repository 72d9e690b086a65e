/** Runs cases against one gateway: after each it must be well. */
import type { AttackCase } from './attack-case.ts';
import type { AttackTarget } from './attack-target.ts';

export interface AttackRow {
  readonly number: number;
  readonly name: string;
  readonly sent: string;
  readonly expected: string;
  readonly got: string;
  readonly isRight: boolean;
  /** With the look at the gateway behind it. */
  readonly tookMs: number;
}

/**
 * First those that mostly wait, side by side, then the others one after the other. `onRow` is told of each as it
 * comes, in the order of the list.
 */
export async function runAttacks(
  target: AttackTarget,
  cases: readonly AttackCase[],
  onRow: (row: AttackRow) => void = () => {},
): Promise<readonly AttackRow[]> {
  const early = new Map<AttackCase, AttackRow>();
  const beside = cases.filter(({ isBeside }) => isBeside === true);
  await Promise.all(beside.map(async (one) => early.set(one, await rowOf(target, one))));
  const rows: AttackRow[] = [];
  for (const one of cases) {
    const row = early.get(one) ?? (await rowOf(target, one));
    rows.push(row);
    onRow(row);
  }
  return rows;
}

async function rowOf(target: AttackTarget, one: AttackCase): Promise<AttackRow> {
  const { number, name, sent, expected } = one;
  const beganMs = performance.now();
  const got = await gotOf(() => one.run(target));
  const after = await gotOf(async () => {
    await target.stillHonest();
    return '';
  });
  const whole = after === '' ? got : `${got}; then ${after}`;
  return {
    number,
    name,
    sent,
    expected,
    got: whole,
    isRight: whole === expected,
    tookMs: Math.round(performance.now() - beganMs),
  };
}

/** A case that throws has found something too. */
async function gotOf(run: () => Promise<string>): Promise<string> {
  try {
    return await run();
  } catch (error) {
    return `failed: ${error instanceof Error ? error.message.split('\n')[0] : 'unknown'}`;
  }
}
