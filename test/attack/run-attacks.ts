/** Runs cases one after the other against one gateway: after each it must be well, in the end be back at rest. */
import type { AttackCase } from './attack-case.ts';
import type { AttackTarget } from './attack-target.ts';

export interface AttackRow {
  readonly number: number;
  readonly name: string;
  readonly sent: string;
  readonly expected: string;
  readonly got: string;
  readonly isRight: boolean;
}

/** `onRow` is told of each as it comes. */
export async function runAttacks(
  target: AttackTarget,
  cases: readonly AttackCase[],
  onRow: (row: AttackRow) => void = () => {},
): Promise<readonly AttackRow[]> {
  const rows: AttackRow[] = [];
  for (const { run, ...one } of cases) {
    const got = await gotOf(() => run(target));
    const after = await gotOf(async () => {
      await target.stillHonest();
      return '';
    });
    const whole = after === '' ? got : `${got}; then ${after}`;
    const row = { ...one, got: whole, isRight: whole === one.expected };
    rows.push(row);
    onRow(row);
  }
  return rows;
}

/** A case that throws has found something too. */
async function gotOf(run: () => Promise<string>): Promise<string> {
  try {
    return await run();
  } catch (error) {
    return `failed: ${error instanceof Error ? error.message.split('\n')[0] : 'unknown'}`;
  }
}
