/** PromQL of the panels: what they all have in common, so that no panel forgets it. */

/** What the variables choose; every selector has it. */
const CHOSEN = 'job="$job", instance=~"$instance"';

/** Calls that pharmacies wait for; probes, scrapes and operators are no part of a service level. */
export const VERIFY_ROUTES = 'route=~"verify|verify_batch"';
export const SERVER_ERRORS = 'status=~"5.."';

/** A selector of the chosen gateways, e.g. `vigie_ready{job="$job", …}`. */
export function of(metric: string, ...matchers: readonly string[]): string {
  return `${metric}{${[CHOSEN, ...matchers].join(', ')}}`;
}

/** A counter's growth per second, over a window that Grafana makes four scrapes long at least. */
export function perSecond(metric: string, ...matchers: readonly string[]): string {
  return `rate(${of(metric, ...matchers)}[$__rate_interval])`;
}

/** What was counted within the time range that the page shows: for events so rare that a rate says nothing. */
export function inRange(metric: string, ...matchers: readonly string[]): string {
  return `increase(${of(metric, ...matchers)}[$__range])`;
}

/** By the labels named, or all together. */
export function sum(expression: string, ...by: readonly string[]): string {
  return by.length === 0 ? `sum(${expression})` : `sum by (${by.join(', ')}) (${expression})`;
}

/** A quantile from a histogram's buckets, by the labels named. */
export function quantile(
  share: number,
  histogram: string,
  by: readonly string[],
  ...matchers: string[]
): string {
  return `histogram_quantile(${share}, ${sum(perSecond(`${histogram}_bucket`, ...matchers), 'le', ...by)})`;
}

/**
 * A share of a whole that may be zero: then none, since nothing happened that could be a part of it. With the whole
 * unknown the answer stays unknown.
 */
export function share(part: string, whole: string): string {
  return `(${part}) / (${whole} > 0) or (${whole}) * 0`;
}
