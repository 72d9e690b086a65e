/** What a mixed soak came to, on a page for people. */
import type { Tally } from '../soak-connection.ts';
import { REPEATABLE } from './attackers.ts';
import {
  LEAST_JUDGED_SECONDS,
  LEAST_LINE_SECONDS,
  type MemoryLine,
  MOST_LATE_MIB_PER_MINUTE,
  MOST_RISE_MIB,
} from './memory-line.ts';
import { LEAST_AVAILABILITY, type MixedSoak } from './mixed-soak.ts';

const count = (value: number): string => value.toLocaleString('en').padStart(11);
const COLUMNS = ['sent', 'as it must', 'shed (503)', 'left', 'closed'].map((name) => name.padStart(11));

function row(name: string, { sent, right, refused, aborted, closed }: Tally): string {
  return `${name.padEnd(30)}${[sent, right, refused, aborted, closed].map(count).join('')}`;
}

export function page(soak: MixedSoak): string {
  const { seconds, honest, leaving, strangers, greedy, attacks, history, historyShed, gateways, faults } =
    soak;
  const share = ((100 * honest.right) / honest.sent).toFixed(3);
  const lines = [
    `mixed soak: ${(seconds / 60).toFixed(1)} minutes, two gateways on one Redis, VIGIE_AUTH=keys`,
    '',
    `${'clients'.padEnd(30)}${COLUMNS.join('')}`,
    row('honest', honest),
    row('leaving in the middle', leaving),
    row('without a key: 401', strangers),
    row('beyond a quota: 200 or 429', greedy),
    '',
    `honest answers: ${share} % (at least ${100 * LEAST_AVAILABILITY} %); beyond the quota: ${greedy.overQuota} times 429`,
    `attacks: ${attacks.run} of ${attacks.cases.size} kinds (of ${REPEATABLE.length}), ` +
      `${attacks.asExpected} as expected, ${attacks.shed} shed`,
    history === undefined
      ? 'history: it does not hold'
      : `history: ${history.acknowledged} of ${history.changes} changes acknowledged, ${history.verifies} verdicts judged ` +
        `by I1 to I6, enforced after ${history.enforcementP99Ms} ms (p99); ${historyShed} batches shed`,
    ...gateways.map(({ name, memory, firstMib, lastMib, descriptorsBefore, descriptorsAfter }) => {
      const sizes = `${firstMib.toFixed(0)} MiB at first, ${lastMib.toFixed(0)} MiB at last`;
      return (
        `gateway ${name}: ${sizes}; ${slopeOf(memory, seconds)}; ` +
        `descriptors ${descriptorsBefore} before, ${descriptorsAfter} after`
      );
    }),
    '',
    ...(faults.length === 0 ? ['nothing wrong'] : ['WRONG:', ...faults]),
  ];
  return lines.join('\n');
}

/** Whether memory is flat, in words. */
export function slopeOf(memory: MemoryLine, seconds: number): string {
  if (memory.isFlat === undefined)
    return `memory was not judged, in less than ${LEAST_LINE_SECONDS} seconds nothing can be told`;
  const late =
    seconds < LEAST_JUDGED_SECONDS
      ? 'too short a soak to judge more'
      : `${memory.lateMibPerMinute.toFixed(2)} ± ${memory.lateDoubt.toFixed(2)} MiB a minute in the last half`;
  const slope = `${memory.mibPerMinute.toFixed(2)} MiB a minute, ${memory.riseMib.toFixed(1)} MiB in all, ${late}`;
  const bound = `(flat: at most ${MOST_RISE_MIB} MiB behind the warm-up, and ${MOST_LATE_MIB_PER_MINUTE} MiB a minute beyond doubt in the last half)`;
  return `slope ${slope} ${bound}`;
}
