/** The bars of the presence suite, and what makes its figures worth less or nothing. */
import type { Row } from '../suite.ts';
import { type Condition, condition } from './conditions.ts';

const LEAST_BATCHED = 70_000;
const LEAST_SHARE_OF_EMPTY = 0.5;
const LEAST_DISTINCT = 100_000;

/** The bars, as far as the rows can tell; `untold` says of which they cannot. */
export function judgeBars(rows: readonly Row[]): { conditions: Condition[]; untold: string[] } {
  const find = (request: string) =>
    rows.find((row) => row.request === request && row.server === 'local' && row.hasProof === true);
  const [batch, single] = [find('batch'), find('single')];
  // Of an empty handler that had time to spare nobody knows how fast it is: the share is smaller than it looks.
  const share = single?.shareIsUpperBound === false ? single.shareOfEmpty : undefined;
  const bars = [
    {
      row: batch,
      what: 'presentations a second',
      least: LEAST_BATCHED,
      measured: batch?.credentialsPerSecond,
    },
    { row: single, what: 'share of empty', least: LEAST_SHARE_OF_EMPTY, measured: share },
  ];
  const isTold = ({ measured }: (typeof bars)[number]): boolean => typeof measured === 'number';
  const conditions = bars.filter(isTold).map(({ row, what, least, measured }) =>
    condition({
      suite: 'presence',
      case: String(row?.case),
      condition: what,
      bar: `>= ${least}`,
      measured: measured as number,
      pass: (measured as number) >= least,
    }),
  );
  const untold = bars
    .filter((bar) => !isTold(bar))
    .map(({ what }) => `${what}: cannot be told: a server had time to spare, or its answers were wrong`);
  return { conditions, untold };
}

/** What makes a row worth less than it looks. */
export function warningsAbout(row: Row): string[] {
  if (row.bottleneck === 'server') return [];
  if (row.bottleneck === 'generator') return [`${row.case}: the generator was the bottleneck: no figures`];
  return [`${row.case}: neither the server nor the generator was saturated (other work on the machine?)`];
}

/** Answers that were wrong or missing. A `replayed` is among them: nothing is sent twice. */
export function wrongsIn(row: Row): string[] {
  const count = (name: string): number => Number(row[name]);
  const missing = count('non2xx') + count('socketErrors');
  const wrongs: string[] = [];
  if (missing > 0) wrongs.push(`${row.case}: ${missing} answers were no 2xx, or did not come`);
  if (count('notValid') > 0) {
    wrongs.push(`${row.case}: ${row.notValid} of ${row.checked} verdicts were not valid, or without Redis`);
  }
  return wrongs;
}

export function warnOfFew({ inBatches, alone }: { inBatches: number; alone: number }): string[] {
  const least = Math.min(inBatches, alone);
  return least >= LEAST_DISTINCT
    ? []
    : [`${least} distinct presentations: the bars are for ${LEAST_DISTINCT} or more`];
}
