/** Metrics whose values are read at each scrape from where they are counted. */
import { Counter, Gauge, type Metric, type MetricObject, type Registry } from 'prom-client';
import type { HistogramView } from './counters.ts';

export type Sample = readonly [labels: Record<string, string>, value: number];

export function counter(
  registry: Registry,
  name: string,
  help: string,
  labels: string[],
  read: () => Iterable<Sample>,
): void {
  new Counter({
    name,
    help,
    labelNames: labels,
    registers: [registry],
    collect() {
      this.reset();
      for (const [sample, value] of read()) this.inc(sample, value);
    },
  });
}

export function gauge(
  registry: Registry,
  name: string,
  help: string,
  labels: string[],
  read: () => Iterable<Sample>,
): void {
  new Gauge({
    name,
    help,
    labelNames: labels,
    registers: [registry],
    collect() {
      this.reset();
      // Without labels a reset is a 0, but what is not known must be absent: an age of 0 is the best there is.
      if (labels.length === 0) this.remove();
      for (const [sample, value] of read()) this.set(sample, value);
    },
  });
}

/** prom-client cannot take buckets counted elsewhere, but its registry takes any metric that can `get` itself. */
export function histogram(
  registry: Registry,
  name: string,
  help: string,
  buckets: readonly number[],
  read: () => Iterable<readonly [labels: Record<string, string>, view: HistogramView]>,
): void {
  const get = async (): Promise<MetricObject> => {
    const values = [];
    for (const [labels, { cumulative, sum }] of read()) {
      for (const [index, value] of cumulative.entries()) {
        const le = buckets[index] === undefined ? '+Inf' : `${buckets[index]}`;
        values.push({ metricName: `${name}_bucket`, labels: { ...labels, le }, value });
      }
      values.push({ metricName: `${name}_sum`, labels, value: sum });
      values.push({ metricName: `${name}_count`, labels, value: cumulative.at(-1) as number });
    }
    return { name, help, type: 'histogram', aggregator: 'sum', values } as unknown as MetricObject;
  };
  registry.registerMetric({ name, get, reset: () => {} } as unknown as Metric);
}
