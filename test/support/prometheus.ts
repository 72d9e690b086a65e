/** A real Prometheus that scrapes what it is told every second: started by a test, ended with it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, until } from './redis.ts';

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly number[];
}

export interface Prometheus {
  readonly url: string;
  /** The query over the last `seconds`, a value each second. @throws with what Prometheus said. */
  range(query: string, seconds: number): Promise<Series[]>;
  /** The query's value now, one for each series. */
  instant(query: string): Promise<Series[]>;
  labelValues(label: string, selector: string): Promise<string[]>;
  stop(): Promise<void>;
}

export interface PrometheusOptions {
  /** Addresses of metrics listeners, e.g. `127.0.0.1:9464`. */
  readonly targets: readonly string[];
  readonly job: string;
  /** A folder of rule files; their groups are evaluated every second, whatever they say. */
  readonly rules?: string;
}

/** Those of this process, so that none stays behind when it ends in the middle of a test. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export async function startPrometheus({ targets, job, rules }: PrometheusOptions): Promise<Prometheus> {
  const dir = mkdtempSync(join(tmpdir(), 'vigie-prometheus-'));
  const port = await freePort();
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    scrape_configs: [{ job_name: job, static_configs: [{ targets }] }],
    rule_files: rules === undefined ? [] : copyRules(rules, dir),
  };
  // JSON is YAML.
  writeFileSync(join(dir, 'prometheus.yml'), JSON.stringify(config));
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(dir, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  running.add(child);
  child.once('exit', () => running.delete(child));
  const logged: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => logged.push(chunk));
  const url = `http://127.0.0.1:${port}`;
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`prometheus ended:\n${Buffer.concat(logged).toString()}`);
    const answer = await fetch(`${url}/-/ready`).catch(() => undefined);
    return answer?.ok === true;
  }, 'a ready Prometheus');
  return {
    url,
    range: async (query, seconds) => {
      const now = Date.now() / 1000;
      return series(url, 'query_range', { query, start: `${now - seconds}`, end: `${now}`, step: '1' });
    },
    instant: (query) => series(url, 'query', { query }),
    labelValues: (label, selector) => ask(url, `label/${label}/values`, { 'match[]': selector }),
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        const exit = once(child, 'exit');
        child.kill('SIGKILL');
        await exit;
      }
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A group that waits five minutes for its turn would outlast the test. */
function copyRules(folder: string, dir: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => {
      const text = readFileSync(join(folder, name), 'utf8').replaceAll(/^( +interval: ).*$/gm, '$11s');
      const copy = join(dir, name);
      writeFileSync(copy, text);
      return copy;
    });
}

interface Found {
  readonly metric: Record<string, string>;
  readonly value?: [number, string];
  readonly values?: [number, string][];
}

async function series(url: string, path: string, form: Record<string, string>): Promise<Series[]> {
  const { result } = await ask<{ result: Found[] }>(url, path, form);
  return result.map(({ metric, value, values = value === undefined ? [] : [value] }) => ({
    metric,
    values: values.map(([, text]) => Number(text)),
  }));
}

async function ask<T>(url: string, path: string, query: Record<string, string>): Promise<T> {
  const answer = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(query)}`);
  const body = (await answer.json()) as { status: string; error?: string; data: T };
  if (body.status !== 'success') throw new Error(`${query.query ?? path}: ${body.error}`);
  return body.data;
}
