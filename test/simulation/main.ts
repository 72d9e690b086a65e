/**
 * `npm run simulate -- --seeds N [--seed S] [--history FILE]`: runs N seeds from S on (one without N) and prints
 * each that fails with its trace. The same seed is the same run. `--without PART` leaves a part of the protocol out
 * (see `Weakness`).
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { toJsonLines } from '../history/history.ts';
import type { Weakness } from './model-cluster.ts';
import { simulate } from './simulation.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    seed: { type: 'string' },
    history: { type: 'string' },
    without: { type: 'string' },
  },
});
const first = Number(values.seed ?? 1);
const seeds = Number(values.seeds ?? 1);
let failed = 0;
const beganMs = Date.now();
const totals = { acknowledged: 0, healings: 0, reconciliations: 0 };
for (let seed = first; seed < first + seeds; seed++) {
  const { violations, failure, trace, history, counts } = await simulate(
    seed,
    values.without as Weakness | undefined,
  );
  totals.acknowledged += counts.acknowledged;
  totals.healings += counts.healings;
  totals.reconciliations += counts.reconciliations;
  if (values.history !== undefined) writeFileSync(values.history, toJsonLines(history));
  if (violations.length === 0 && failure === undefined) continue;
  failed++;
  process.stdout.write(`seed ${seed} fails; its trace:\n${trace.join('\n')}\n`);
  if (failure !== undefined) process.stdout.write(`seed ${seed}: ${failure}\n`);
  for (const { invariant, message } of violations.slice(0, 10)) {
    process.stdout.write(`seed ${seed}: ${invariant}: ${message}\n`);
  }
}
process.stdout.write(
  `${seeds} seeds, ${failed} failed, ${Date.now() - beganMs} ms, ${JSON.stringify(totals)}\n`,
);
process.exitCode = failed > 0 ? 1 : 0;
