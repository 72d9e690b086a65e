/** Closed-loop rounds of the suites that use a load generator: every cell is visited in each. */
import type { Corpus } from '../corpus/credentials.ts';
import type { LoadReport } from '../load/load-report.ts';
import type { LoadSpec } from '../load/load-spec.ts';
import { runLoad } from '../load/run-load.ts';
import type { Options } from '../options.ts';
import type { Target } from '../process/targets.ts';
import type { RequestKind } from './http-cells.ts';

/** The rounds that warm up and check need not be long. */
const CHECK_SECONDS = 2;

/** A request kind against a server, and what its rounds bring. */
interface Measured {
  readonly kind: RequestKind;
  checkRound?: LoadReport;
  readonly rounds: LoadReport[];
}

export interface RoundsSpec<Cell extends Measured> {
  readonly suite: string;
  readonly cells: readonly Cell[];
  readonly targetOf: (cell: Cell) => Target;
  readonly seconds: number;
  readonly options: Options;
  readonly corpus: Corpus;
  /** Before each round, those included that are not measured: makes what can be sent once only. */
  readonly beforeRound?: () => Promise<void>;
  /** What a cell's load has beside the rest. */
  readonly besides?: (
    cell: Cell,
  ) => Pick<LoadSpec, 'requests' | 'besidePid'> & Partial<Pick<LoadSpec, 'credentialsFile'>>;
  /** Told of a cell that cannot be measured; it is left out from then on. Without it the run ends. */
  readonly onFailure?: (cell: Cell, error: unknown) => void;
}

/** A warm-up and a check round for every cell, then the measured rounds, with cells side by side in the order given. */
export async function measureRounds<Cell extends Measured>(spec: RoundsSpec<Cell>): Promise<void> {
  const { suite, cells, seconds, options, corpus } = spec;
  const say = (text: string): void => console.error(`bench: ${suite}, ${text}`);
  const measure = async (cell: Cell, forSeconds: number, checkOneIn: number) => {
    const target = spec.targetOf(cell);
    const report = await runLoad(options.generator, {
      ...cell.kind,
      origin: target.origin,
      seconds: forSeconds,
      checkOneIn,
      credentialsFile: corpus.credentialsFile,
      serverPid: target.server.pid,
      generatorCore: options.generatorCore,
      ...spec.besides?.(cell),
    });
    // Requests under way when the generator left still cost the server time, which is not the next cell's.
    await target.server.untilIdle();
    return report;
  };
  const left = new Set(cells);
  const visit = async (measureCell: (cell: Cell) => Promise<unknown>): Promise<void> => {
    await spec.beforeRound?.();
    for (const cell of left) {
      try {
        await measureCell(cell);
      } catch (error) {
        if (spec.onFailure === undefined) throw error;
        spec.onFailure(cell, error);
        left.delete(cell);
      }
    }
  };
  const briefly = Math.min(seconds, CHECK_SECONDS);
  // A gateway whose code is not compiled yet is slower, and refuses batches that it can take a second later.
  say('warm-up round');
  await visit((cell) => measure(cell, briefly, 0));
  say('check round');
  await visit(async (cell) => {
    const answersNothing = spec.targetOf(cell).name === 'empty-uws';
    cell.checkRound = await measure(cell, briefly, answersNothing ? 0 : 1);
  });
  for (let round = 1; round <= options.rounds; round++) {
    say(`round ${round} of ${options.rounds}`);
    await visit(async (cell) => cell.rounds.push(await measure(cell, seconds, cell.kind.checkOneIn)));
  }
}
