/** Part `import`: `vigie status import` of a file into a gateway on Redis, as an operator runs it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { ISSUER } from '../../corpus/credentials.ts';
import { DIST_DIR, ROOT_DIR } from '../../paths.ts';
import { clockTicksPerSecond, readCpuTicks } from '../../process/cpu-time.ts';
import { persist, type RedisServer, startRedis } from '../../process/redis-server.ts';
import { significant } from '../../statistics.ts';
import { type PartResult, rowOf } from './rows.ts';
import { readiness, type SharedGateway, scrape, startSharedGateway, verdictOf } from './shared-gateway.ts';

export interface ImportOptions {
  readonly entries: number;
  readonly runDir: string;
  readonly filter: { readonly capacity: number; readonly falsePositiveRate: number };
  readonly trustListFile: string;
  /** Credentials of an unlisted card and of the card with the identifier `importJti(entries)`. */
  readonly good: string;
  readonly imported: string;
  readonly say: (text: string) => void;
}

const BAR_ENTRIES = 1_000_000;
const BAR_SECONDS = 60;
const LIMIT_MS = 600_000;
const START_LIMIT_SECONDS = 60;
const LINES_PER_WRITE = 10_000;

/** The identifier on a line of the file, counted from 1. */
export function importJti(line: number): string {
  return `import-card-${String(line).padStart(10, '0')}`;
}

export async function measureImport(options: ImportOptions): Promise<PartResult> {
  const { runDir, filter, trustListFile, entries, say } = options;
  const dir = join(runDir, 'import');
  mkdirSync(join(dir, 'redis'), { recursive: true });
  const file = join(dir, 'changes.ndjson');
  writeChanges(file, entries);
  const redis = await startRedis(join(dir, 'redis'));
  let gateway: SharedGateway | undefined;
  try {
    await persist(redis);
    say('import: the log is founded');
    const settings = { dataDir: join(dir, 'data'), redisUrl: redis.url, trustListFile, filter };
    gateway = await startSharedGateway(settings);
    await readiness(gateway, options.good, START_LIMIT_SECONDS);
    say(`import: ${entries} entries`);
    return await importFile(options, gateway, redis, file);
  } finally {
    await gateway?.server.stop();
    await redis.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function importFile(
  options: ImportOptions,
  gateway: SharedGateway,
  redis: RedisServer,
  file: string,
): Promise<PartResult> {
  const { entries } = options;
  const cpu = () => ({
    gateway: readCpuTicks(gateway.server.pid) ?? 0,
    redis: readCpuTicks(redis.pid) ?? 0,
  });
  const before = cpu();
  const beganMs = performance.now();
  const { code, output } = await runImport(gateway, file);
  const seconds = (performance.now() - beganMs) / 1000;
  const after = cpu();
  const wrong: string[] = [];
  const { applied } = JSON.parse(output || '{}') as { applied?: number };
  if (code !== 0 || applied !== entries) wrong.push(`the import ended with ${code} after ${applied} entries`);
  const revoked = (await scrape(gateway)).get('vigie_revocation_entries{status="revoked"}');
  if (revoked !== entries) wrong.push(`the gateway counts ${revoked} of ${entries} imported cards`);
  for (const [reason, credential] of [
    ['ok', options.good],
    ['revoked', options.imported],
  ] as const) {
    const verdict = await verdictOf(gateway, credential);
    if (verdict.reason !== reason) wrong.push(`after the import: ${verdict.reason} instead of ${reason}`);
  }
  const ticks = clockTicksPerSecond() * seconds;
  const utilisation = {
    gatewayCores: significant((after.gateway - before.gateway) / ticks, 3),
    redisCores: significant((after.redis - before.redis) / ticks, 3),
  };
  const row = rowOf({
    part: 'import',
    what: `import of ${entries.toLocaleString('en-US')} entries`,
    value: seconds,
    unit: 's',
    ...(entries === BAR_ENTRIES ? { bar: BAR_SECONDS } : {}),
    detail: `${Math.round(entries / seconds).toLocaleString('en-US')} entries/s`,
    more: { entries, entriesPerSecond: significant(entries / seconds), ...utilisation },
  });
  return { rows: [row], facts: {}, warnings: [], wrong };
}

/** From the command's execution to its end: reading and checking the file is part of an import. */
async function runImport(gateway: SharedGateway, file: string): Promise<{ code: number; output: string }> {
  const command = join(DIST_DIR, 'cli', 'vigie.js');
  const args = ['status', 'import', file, '--url', gateway.admin, '--confirm-mass-change', '--json'];
  const child = spawn(process.execPath, [command, ...args], {
    cwd: ROOT_DIR,
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const kill = () => child.kill('SIGKILL');
  process.prependOnceListener('exit', kill);
  const deadline = setTimeout(kill, LIMIT_MS);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  const [code] = await once(child, 'close');
  clearTimeout(deadline);
  process.off('exit', kill);
  return { code: code ?? -1, output };
}

function writeChanges(file: string, entries: number): void {
  const fd = openSync(file, 'w');
  for (let from = 1; from <= entries; from += LINES_PER_WRITE) {
    const count = Math.min(LINES_PER_WRITE, entries - from + 1);
    const lines = Array.from({ length: count }, (_, i) => {
      const change = { iss: ISSUER, jti: importJti(from + i), status: 'revoked', why: 'lost' };
      return `${JSON.stringify(change)}\n`;
    });
    writeSync(fd, lines.join(''));
  }
  closeSync(fd);
}
