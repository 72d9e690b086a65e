/** What a gateway says itself of the verdicts it gave: of every answer, those included that the generator did not check. */
import type { Gateway } from '../process/targets.ts';

export type VerdictCounts = ReadonlyMap<string, number>;

/** Verdicts so far, by their reasons. */
export async function reasonsOf({ metricsUrl }: Pick<Gateway, 'metricsUrl'>): Promise<VerdictCounts> {
  return countReasons(await (await fetch(metricsUrl)).text());
}

export function countReasons(exposition: string): VerdictCounts {
  const counts = new Map<string, number>();
  for (const [, labels, value] of exposition.matchAll(/^vigie_verdicts_total\{([^}]*)\} (\S+)$/gm)) {
    const reason = /\breason="([^"]*)"/.exec(labels as string)?.[1] as string;
    counts.set(reason, (counts.get(reason) ?? 0) + Number(value));
  }
  return counts;
}

/** Complaints about those given since that were not `ok`. */
export function otherVerdicts(before: VerdictCounts = new Map(), after: VerdictCounts = new Map()): string[] {
  if (!after.has('ok')) return ['a gateway exports no counts of its verdicts'];
  return [...after]
    .map(([reason, count]) => ({ reason, more: count - (before.get(reason) ?? 0) }))
    .filter(({ reason, more }) => reason !== 'ok' && more > 0)
    .map(({ reason, more }) => `${more} verdicts were ${reason}, by the gateway's own count`);
}
