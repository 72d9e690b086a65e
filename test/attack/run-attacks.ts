/** Runs cases against one gateway: after each it must be well. */
import type { AttackCase } from './attack-case.ts';
import type { AttackTarget } from './attack-target.ts';
import { within } from './deadlines.ts';

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

/** What a case has in all; starting processes beside others takes longer on a busy machine. */
const PATIENCE_MS = 30_000;
const OWN_GATEWAY_PATIENCE_MS = 60_000;
/** Cases with gateways of their own that run at a time. */
const GATEWAYS_AT_ONCE = 3;

/**
 * First those that mostly wait, side by side, and those with gateways of their own, a few at a time; then the others one
 * after the other. `onRow` is told of each as it comes, in the order of the list.
 */
export async function runAttacks(
  target: AttackTarget,
  cases: readonly AttackCase[],
  onRow: (row: AttackRow, one: AttackCase) => void = () => {},
): Promise<readonly AttackRow[]> {
  const rows: AttackRow[] = [];
  const early = new Map<AttackCase, AttackRow>();
  // As far as the list is known from its beginning.
  const tell = (): void => {
    for (let one = cases[rows.length]; one !== undefined; one = cases[rows.length]) {
      const row = early.get(one);
      if (row === undefined) return;
      rows.push(row);
      onRow(row, one);
    }
  };
  const run = async (one: AttackCase): Promise<void> => {
    early.set(one, await rowOf(target, one));
    tell();
  };
  const waiting = cases.filter(({ beside }) => beside === 'waits');
  const starting = cases.filter(({ beside }) => beside === 'own-gateway').values();
  const startInTurn = async (): Promise<void> => {
    for (const one of starting) await run(one);
  };
  await Promise.all([...waiting.map(run), ...Array.from({ length: GATEWAYS_AT_ONCE }, startInTurn)]);
  for (const one of cases) if (one.beside === undefined) await run(one);
  return rows;
}

async function rowOf(target: AttackTarget, one: AttackCase): Promise<AttackRow> {
  const { number, name, sent, expected, beside } = one;
  const beganMs = performance.now();
  const patienceMs = beside === 'own-gateway' ? OWN_GATEWAY_PATIENCE_MS : PATIENCE_MS;
  const got = await gotOf(patienceMs, () => one.run(target));
  const after = await gotOf(PATIENCE_MS, async () => {
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

/** A case that throws, or gets nothing, has found something too. */
async function gotOf(limitMs: number, run: () => Promise<string>): Promise<string> {
  try {
    return await within(limitMs, run);
  } catch (error) {
    return `failed: ${error instanceof Error ? error.message.split('\n')[0] : 'unknown'}`;
  }
}
